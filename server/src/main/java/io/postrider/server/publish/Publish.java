package io.postrider.server.publish;

import io.postrider.server.delivery.NewMessage;
import org.jspecify.annotations.Nullable;

/**
 * What an app server wants published, checked.
 *
 * @param audienceJson the audience as it was given, for reports
 * @param optionsJson the options as they are in force, for reports
 * @param onlineOnly for devices that are connected now
 * @param firstAckSettles to the groups of the audience: of each, whoever acknowledges first settles
 *     it
 * @param content the fields of the protocol's {@code Push} that the publisher chose, serialized
 */
public record Publish(
        Audience audience,
        String audienceJson,
        String optionsJson,
        long ttlMillis,
        boolean onlineOnly,
        boolean firstAckSettles,
        boolean wantsAck,
        byte[] content,
        NewMessage.@Nullable Idempotency idempotency,
        String requestId) {}
