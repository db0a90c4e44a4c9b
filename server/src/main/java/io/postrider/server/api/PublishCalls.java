package io.postrider.server.api;

import io.postrider.server.delivery.Accepted;
import io.postrider.server.identity.App;
import io.postrider.server.identity.Quotas;
import io.postrider.server.publish.Publish;
import io.postrider.server.publish.Publisher;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A publish, from whatever port it comes: the same checks, limits and answers. Thread-safe. */
public final class PublishCalls {
    private static final Logger LOG = LoggerFactory.getLogger(PublishCalls.class);
    private static final long STORED_RETRY_SECONDS = 60;

    private final Publisher publisher;
    private final Quotas quotas;
    private final Intake intake;

    PublishCalls(Publisher publisher, Quotas quotas, Intake intake) {
        this.publisher = publisher;
        this.quotas = quotas;
        this.intake = intake;
    }

    /** How a publish ended. */
    public sealed interface Outcome {
        record Stored(Accepted.Stored message) implements Outcome {}

        /** As the problem that REST answers. */
        record Refused(
                int status,
                String code,
                String detail,
                @Nullable String field,
                @Nullable Long limit,
                @Nullable Long retryAfterSeconds)
                implements Outcome {}
    }

    /**
     * Publishes for app servers on another port than REST's. Blocks while the audience is resolved;
     * publishes are stored in the order of the calls. The answer never completes exceptionally.
     *
     * @param body as of {@code POST /v1/messages}
     */
    public CompletableFuture<Outcome> publish(
            App app, byte[] body, @Nullable String idempotencyKey, String requestId) {
        CompletableFuture<Accepted.Stored> stored;
        try {
            if (body.length > Api.MOST_BODY) {
                throw Problem.bodyTooLarge(Api.MOST_BODY);
            }
            intake.check();
            stored = store(app, body, idempotencyKey, requestId);
        } catch (RuntimeException e) {
            stored = CompletableFuture.failedFuture(e);
        }
        return stored.handle((message, failure) ->
                failure == null ? new Outcome.Stored(message) : refused(failure, requestId));
    }

    private static Outcome refused(Throwable failure, String requestId) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null
                        ? failure.getCause()
                        : failure;
        Problem problem = Failures.problemOf(cause);
        if (problem.code == ErrorCode.INTERNAL) {
            LOG.error("publish {} failed", requestId, cause);
        }
        return new Outcome.Refused(
                problem.code.status,
                problem.code.code,
                String.valueOf(problem.getMessage()),
                problem.field,
                problem.limit,
                problem.retryAfterSeconds);
    }

    /**
     * @throws Problem if it is refused, now or as the future's failure
     */
    CompletableFuture<Accepted.Stored> store(
            App app, byte[] body, @Nullable String idempotencyKey, String requestId) {
        long wait = quotas.secondsUntilPublish(app.id());
        if (wait > 0) {
            throw Problem.quota(
                    quotas.publishesPerSecond(),
                    wait,
                    "The app publishes more messages a second than it may.");
        }
        Publish publish = PublishBody.read(body, idempotencyKey, requestId);
        return publisher.publish(app.id(), publish).thenApply(PublishCalls::stored);
    }

    private static Accepted.Stored stored(Accepted accepted) {
        return switch (accepted) {
            case Accepted.Stored stored -> stored;
            case Accepted.OtherBody other ->
                    throw Problem.field(
                            ErrorCode.IDEMPOTENCY_OTHER_BODY,
                            "Idempotency-Key",
                            "A key stands for one body for 24 hours; use a new key.");
            case Accepted.NoApp deleted -> throw Problem.unauthorized();
            case Accepted.QuotaExceeded exceeded ->
                    throw Problem.quota(
                            exceeded.limit(),
                            STORED_RETRY_SECONDS,
                            "The app keeps as many messages as it may; old ones are purged after"
                                    + " its retentionDays.");
        };
    }
}
