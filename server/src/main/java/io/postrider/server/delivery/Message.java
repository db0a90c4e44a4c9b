package io.postrider.server.delivery;

import com.google.protobuf.InvalidProtocolBufferException;
import io.postrider.protocol.v1.Push;
import java.time.Duration;

/**
 * A stored message, as sessions present it. Never changes.
 *
 * @param content the fields of the protocol's {@code Push} that the publisher gave, serialized; the
 *     rest of a {@code Push} is appended to it without another copy of the payload
 * @param wantsAck false for messages that ask for no ack
 * @param onlineOnly for devices that were connected when it was stored
 * @param firstAckSettles to groups: of each, whoever acknowledges first settles it
 */
public record Message(
        long id,
        long appId,
        long createdAt,
        long expiresAt,
        boolean wantsAck,
        boolean onlineOnly,
        boolean firstAckSettles,
        byte[] content) {
    /** No message is valid for longer. */
    public static final Duration MOST_TTL = Duration.ofDays(28);

    /** What the publisher gave. */
    public Push published() {
        try {
            return Push.parseFrom(content);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("message " + id + " has unreadable content", e);
        }
    }

    /** The frame of one presentation; {@code attempt} 1 is the first. */
    public Push push(int attempt) {
        Push.Builder push = published().toBuilder();
        push.setId(id).setCreatedAt(createdAt).setExpiresAt(expiresAt);
        if (attempt > 1) {
            push.setAttempt(attempt);
        }
        if (!wantsAck) {
            push.setAck(false);
        }
        return push.build();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Message message && id == message.id;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(id);
    }

    @Override
    public String toString() {
        return "Message[" + id + "]";
    }
}
