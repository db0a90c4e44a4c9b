package io.postrider.server.api;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.postrider.server.api.Json.RawJson;
import io.postrider.server.api.PublishCalls.Outcome;
import io.postrider.server.delivery.Accepted;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Many publishes in one request, each answered by itself. */
final class BatchRoutes {
    private static final int MOST_MESSAGES = 1_000;

    /** With the index of each message after it, it is a key like any other. */
    private static final int MOST_KEY = 251;

    private static final int MOST_BYTES = 4 * 1024 * 1024;

    private final PublishCalls calls;

    BatchRoutes(PublishCalls calls) {
        this.calls = calls;
    }

    List<Route> routes() {
        return List.of(Route.post("/v1/messages/batch", Access.APP, this::publish));
    }

    record BatchBody(@Nullable List<@Nullable RawJson> messages) {}

    /** What the message's own call would have been answered. */
    record BatchItem(
            int status,
            @Nullable String id,
            @Nullable Integer targeted,
            @Nullable String expiresAt,
            @Nullable Boolean replayed,
            @Nullable String code,
            @Nullable String detail,
            @Nullable String field,
            @Nullable Long limit,
            @Nullable Long retryAfterSeconds) {}

    record BatchView(List<BatchItem> items) {}

    /** Everything is with the store before the first answer is waited for: one commit, mostly. */
    private Answer publish(Request request) {
        List<@Nullable RawJson> messages =
                Checks.present(request.body(BatchBody.class, MOST_BYTES).messages, "messages");
        if (messages.isEmpty() || messages.size() > MOST_MESSAGES) {
            throw Problem.limit(
                    ErrorCode.INVALID_VALUE,
                    "messages",
                    MOST_MESSAGES,
                    "A batch has 1 to " + MOST_MESSAGES + " messages.");
        }
        String given = request.header(MessageRoutes.IDEMPOTENCY_KEY);
        String key = given == null ? null : PublishBody.checkKey(given, MOST_KEY);
        List<CompletableFuture<Outcome>> outcomes = new ArrayList<>();
        for (int i = 0; i < messages.size(); i++) {
            RawJson message = messages.get(i);
            outcomes.add(
                    calls.publish(
                            request.app(),
                            (message == null ? "null" : message.text()).getBytes(UTF_8),
                            key == null ? null : key + "/" + i,
                            request.id() + "/" + i));
        }
        return Answer.json(
                200,
                new BatchView(outcomes.stream().map(outcome -> item(outcome.join())).toList()));
    }

    private static BatchItem item(Outcome outcome) {
        return switch (outcome) {
            case Outcome.Stored(Accepted.Stored stored) ->
                    new BatchItem(
                            202,
                            Long.toString(stored.id()),
                            stored.targeted(),
                            MessageRoutes.time(stored.expiresAt()),
                            stored.replayed(),
                            null,
                            null,
                            null,
                            null,
                            null);
            case Outcome.Refused refused ->
                    new BatchItem(
                            refused.status(),
                            null,
                            null,
                            null,
                            null,
                            refused.code(),
                            refused.detail(),
                            refused.field(),
                            refused.limit(),
                            refused.retryAfterSeconds());
        };
    }
}
