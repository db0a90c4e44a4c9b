package io.postrider.server.api;

import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import io.postrider.server.identity.Accounts;
import io.postrider.server.identity.Apps;
import io.postrider.server.identity.DeviceTokens;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Proves who calls. Whatever is wrong with credentials, the answer is the same.
 *
 * <p>A login's cookie alone may not change anything: such requests carry the header {@code
 * X-Postrider-Csrf}, which a page of another origin cannot send.
 */
final class Authenticator {
    static final String COOKIE = "postrider_login";
    private static final String CSRF_HEADER = "X-Postrider-Csrf";

    private final Accounts accounts;
    private final Apps apps;
    private final DeviceTokens deviceTokens;

    Authenticator(Accounts accounts, Apps apps, DeviceTokens deviceTokens) {
        this.accounts = accounts;
        this.apps = apps;
        this.deviceTokens = deviceTokens;
    }

    Caller prove(Context context, Access access) {
        if (access == Access.PUBLIC) {
            return new Caller.Anyone();
        }
        String header = context.header("Authorization");
        Optional<Caller> caller = header == null ? byCookie(context, access) : byHeader(header);
        if (context.header("Origin") != null) {
            // A page of a browser that has a master secret has one too many.
            caller = caller.filter(proved -> !(proved instanceof Caller.ByApp));
        }
        if (access == Access.PUBLIC_OR_PROVED) {
            if (header != null && caller.isEmpty()) {
                throw Problem.unauthorized();
            }
            return caller.orElseGet(Caller.Anyone::new);
        }
        return caller.filter(proved -> mayCall(proved, access)).orElseThrow(Problem::unauthorized);
    }

    private static boolean mayCall(Caller caller, Access access) {
        return switch (caller) {
            case Caller.Anyone nobody -> false;
            case Caller.ByDeveloper developer ->
                    access == Access.DEVELOPER || access == Access.APP_OR_DEVELOPER;
            case Caller.ByApp app ->
                    access == Access.APP
                            || access == Access.APP_OR_DEVELOPER
                            || access == Access.APP_OR_DEVICE;
            case Caller.ByDevice device ->
                    access == Access.APP_OR_DEVICE || access == Access.DEVICE;
        };
    }

    private Optional<Caller> byHeader(String header) {
        String basic = after("Basic ", header);
        if (basic != null) {
            return byBasic(basic);
        }
        String bearer = after("Bearer ", header);
        if (bearer == null) {
            return Optional.empty();
        }
        if (bearer.startsWith("dt_")) {
            return apps.find(() -> deviceTokens.verify(bearer))
                    .map(claim ->
                            new Caller.ByDevice(claim.app(), claim.number(), claim.generation()));
        }
        return byLogin(bearer);
    }

    private static @Nullable String after(String scheme, String header) {
        return header.regionMatches(true, 0, scheme, 0, scheme.length())
                ? header.substring(scheme.length()).strip()
                : null;
    }

    private Optional<Caller> byBasic(String encoded) {
        try {
            String pair = new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8);
            int colon = pair.indexOf(':');
            if (colon < 0) {
                return Optional.empty();
            }
            String key = pair.substring(0, colon);
            String secret = pair.substring(colon + 1);
            return apps.find(() -> apps.byCredentials(key, secret)).map(Caller.ByApp::new);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private Optional<Caller> byLogin(String token) {
        return accounts.byToken(token).map(Caller.ByDeveloper::new);
    }

    private Optional<Caller> byCookie(Context context, Access access) {
        String cookie = context.cookie(COOKIE);
        if (cookie == null || access == Access.PUBLIC_OR_PROVED) {
            return Optional.empty();
        }
        if (!context.method().equals(HandlerType.GET) && context.header(CSRF_HEADER) == null) {
            throw Problem.of(
                    ErrorCode.CSRF, "Send the header " + CSRF_HEADER + ": 1 with the cookie.");
        }
        return byLogin(cookie);
    }
}
