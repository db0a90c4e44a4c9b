package io.postrider.server;

import io.postrider.protocol.v1.Accepted;
import io.postrider.protocol.v1.Publish;
import io.postrider.protocol.v1.Refused;
import io.postrider.protocol.v1.ServerFrame;
import io.postrider.server.api.PublishCalls;
import io.postrider.server.api.PublishCalls.Outcome;
import io.postrider.server.gateway.Publishing;
import io.postrider.server.identity.App;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** Publishing over the gateway: REST's call and REST's answers, as frames. */
final class PublishFrames implements Publishing {
    private final PublishCalls calls;

    PublishFrames(PublishCalls calls) {
        this.calls = calls;
    }

    @Override
    public CompletableFuture<ServerFrame> publish(App app, Publish frame) {
        return calls.publish(
                        app,
                        frame.getMessage().getBytes(StandardCharsets.UTF_8),
                        frame.hasIdempotencyKey() ? frame.getIdempotencyKey() : null,
                        UUID.randomUUID().toString())
                .thenApply(outcome -> answer(frame.getRef(), outcome));
    }

    private static ServerFrame answer(String ref, Outcome outcome) {
        return switch (outcome) {
            case Outcome.Stored stored ->
                    ServerFrame.newBuilder()
                            .setAccepted(
                                    Accepted.newBuilder()
                                            .setRef(ref)
                                            .setId(stored.message().id())
                                            .setTargeted(stored.message().targeted())
                                            .setExpiresAt(stored.message().expiresAt())
                                            .setReplayed(stored.message().replayed()))
                            .build();
            case Outcome.Refused refused ->
                    ServerFrame.newBuilder().setRefused(refusal(ref, refused)).build();
        };
    }

    private static Refused refusal(String ref, Outcome.Refused refused) {
        Refused.Builder frame =
                Refused.newBuilder()
                        .setRef(ref)
                        .setStatus(refused.status())
                        .setCode(refused.code())
                        .setDetail(refused.detail());
        if (refused.field() != null) {
            frame.setField(refused.field());
        }
        if (refused.limit() != null) {
            frame.setLimit(refused.limit());
        }
        if (refused.retryAfterSeconds() != null) {
            frame.setRetryAfterSeconds(Math.toIntExact(refused.retryAfterSeconds()));
        }
        return frame.build();
    }
}
