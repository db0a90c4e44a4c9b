package io.postrider.server.api;

import io.postrider.server.clock.Clock;
import io.postrider.server.identity.Secrets;
import io.postrider.server.identity.TillStore;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Tokens for tills of twebsocketpush. */
final class TillRoutes {
    private static final int TOKEN_LETTERS = 32;
    private static final int DEFAULT_TTL_SECONDS = 30 * 86_400;
    private static final int LEAST_TTL_SECONDS = 60;
    private static final int MOST_TTL_SECONDS = 366 * 86_400;

    private final TillStore tills;
    private final String path;
    private final NodeInfo node;
    private final Clock clock;

    /**
     * @param path of the gateway port, where tills connect
     */
    TillRoutes(TillStore tills, String path, NodeInfo node, Clock clock) {
        this.path = path;
        this.tills = tills;
        this.node = node;
        this.clock = clock;
    }

    List<Route> routes() {
        return List.of(
                Route.post("/v1/tills/tokens", Access.APP, this::issue),
                Route.post("/v1/tills/tokens/revoke", Access.APP, this::revoke));
    }

    record TokenBody(
            @Nullable String group, @Nullable String staff, @Nullable Integer ttlSeconds) {}

    record TokenView(String token, String url, String expiresAt) {}

    record RevokeBody(@Nullable String token, @Nullable String group) {}

    private Answer issue(Request request) {
        TokenBody body = request.body(TokenBody.class);
        String group =
                Checks.name(Checks.present(body.group(), "group"), "group", Checks.MOST_NAME);
        String staff = Checks.nameIfPresent(body.staff(), "staff", Checks.MOST_NAME);
        int ttl = body.ttlSeconds() == null ? DEFAULT_TTL_SECONDS : body.ttlSeconds();
        if (ttl < LEAST_TTL_SECONDS || ttl > MOST_TTL_SECONDS) {
            throw Problem.limit(
                    ErrorCode.INVALID_VALUE,
                    "ttlSeconds",
                    MOST_TTL_SECONDS,
                    "ttlSeconds is 60 to " + MOST_TTL_SECONDS + ".");
        }
        String token = Secrets.letters(TOKEN_LETTERS);
        long expiresAt = clock.millis() + ttl * 1000L;
        tills.issue(request.app().id(), group, staff, Secrets.hash(token), expiresAt);
        return Answer.json(
                201,
                new TokenView(
                        token,
                        node.webSocket(path + "?token=" + token),
                        MessageRoutes.time(expiresAt)));
    }

    private Answer revoke(Request request) {
        RevokeBody body = request.body(RevokeBody.class);
        if ((body.token() == null) == (body.group() == null)) {
            throw Problem.field(
                    ErrorCode.MISSING_VALUE, "token", "Send a token, or a group for all of its.");
        }
        long appId = request.app().id();
        boolean found =
                body.token() != null
                        ? tills.revoke(appId, Secrets.hash(body.token()))
                        : body.group() != null && tills.revokeAll(appId, body.group()) > 0;
        if (!found) {
            throw Problem.notFound();
        }
        return Answer.empty();
    }
}
