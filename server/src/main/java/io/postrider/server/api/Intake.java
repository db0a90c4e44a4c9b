package io.postrider.server.api;

import io.postrider.server.delivery.MessageStore;

/** Refuses what the store could not take, before anything durable is done for it (G10, G12). */
final class Intake {
    private static final long CONGESTED_SECONDS = 2;
    private static final long BROKEN_SECONDS = 5;

    private final MessageStore store;

    Intake(MessageStore store) {
        this.store = store;
    }

    /**
     * @throws Problem if the store takes nothing now
     */
    void check() {
        switch (store.intake()) {
            case OPEN -> {}
            case CONGESTED ->
                    throw Problem.retryAfter(
                            ErrorCode.OVERLOADED,
                            CONGESTED_SECONDS,
                            "More is waiting to be stored than the disk takes; nothing was done.");
            case BROKEN ->
                    throw Problem.retryAfter(
                            ErrorCode.UNAVAILABLE,
                            BROKEN_SECONDS,
                            "Nothing can be stored now (/readyz says why); nothing was done.");
        }
    }
}
