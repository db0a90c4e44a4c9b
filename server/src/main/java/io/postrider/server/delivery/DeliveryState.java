package io.postrider.server.delivery;

import java.util.Locale;
import java.util.Optional;

/** How a message stands, for one device or as a whole. */
public enum DeliveryState {
    QUEUED,
    SENT,
    DELIVERED,
    EXPIRED,
    RECALLED,
    FAILED,
    /** For one device: another of its group was first. */
    SETTLED_ELSEWHERE;

    public static Optional<DeliveryState> of(String word) {
        for (DeliveryState state : values()) {
            if (state.word().equals(word)) {
                return Optional.of(state);
            }
        }
        return Optional.empty();
    }

    /** The word on the wire and in the docs. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
