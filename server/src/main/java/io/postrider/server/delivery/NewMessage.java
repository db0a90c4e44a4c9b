package io.postrider.server.delivery;

import io.postrider.server.identity.DeviceFilter;
import java.util.Set;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * A message about to be accepted.
 *
 * @param audience the published audience, JSON, for reports
 * @param options the published options, JSON, for reports
 * @param ttlMillis expires this long after the store's time of accepting it
 * @param content see {@link Message#content()}
 * @param idempotency null when the publisher gave no key
 */
public record NewMessage(
        long appId,
        Target target,
        String audience,
        String options,
        long ttlMillis,
        boolean wantsAck,
        boolean onlineOnly,
        byte[] content,
        @Nullable Idempotency idempotency,
        String requestId) {

    /** Whom it is for. */
    public sealed interface Target {
        /**
         * Each of these devices, for itself.
         *
         * @param recipients as resolved when the audience's log stood at {@code audienceEnd}; the
         *     store leaves out who has gone since
         * @param namesUsers the audience named users: it is for these devices only while they are
         *     theirs
         * @param asOf resolves it again, where the log had gone on to this end; blocks and may read
         *     from the store
         */
        record Devices(
                Recipients recipients,
                long audienceEnd,
                boolean namesUsers,
                LongFunction<Devices> asOf)
                implements Target {}

        /**
         * Groups: whoever is or becomes a member, until the first ack settles it there.
         *
         * @param filter which of the members' devices see it
         */
        record Groups(Set<String> names, DeviceFilter filter) implements Target {}
    }

    /** The publisher's key for this publish, and the SHA-256 of what it published under it. */
    public record Idempotency(String key, byte[] bodyHash) {}

    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }
}
