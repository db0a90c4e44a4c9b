package io.postrider.server.api;

import io.javalin.http.Context;
import io.postrider.server.identity.App;
import io.postrider.server.identity.Apps;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which pages of browsers may register devices (CORS). Registration is the one call that answers
 * other origins; its preflight knows no app yet, so there any app's origin will do.
 */
final class Origins {
    private static final Pattern ORIGIN =
            Pattern.compile(
                    "\\*|https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\\[[0-9a-f:]+](:[0-9]{1,5})?");
    private static final int MOST_ORIGINS = 50;
    private static final String MAX_AGE_SECONDS = "600";

    private final Apps apps;

    Origins(Apps apps) {
        this.apps = apps;
    }

    /** Answers a browser that asks whether its page may register a device. */
    void preflight(Context context) {
        context.status(204);
        letRead(context);
        if (context.res().containsHeader("Access-Control-Allow-Origin")) {
            context.header("Access-Control-Allow-Methods", "POST");
            context.header("Access-Control-Allow-Headers", "Content-Type, Authorization");
            context.header("Access-Control-Max-Age", MAX_AGE_SECONDS);
        }
    }

    /**
     * Refuses a page of an origin that the app does not allow.
     *
     * @param origin null where it is no browser that asks
     */
    static void check(App app, @Nullable String origin) {
        if (origin != null && !app.settings().allowsOrigin(origin)) {
            throw Problem.of(
                    ErrorCode.ORIGIN_REFUSED,
                    "Let the app's developer add this page's origin to allowedOrigins.");
        }
    }

    /** Lets the page read the answer, whatever that is, if any app allows its origin. */
    void letRead(Context context) {
        String origin = context.header("Origin");
        context.header("Vary", "Origin");
        if (origin != null && apps.anyAllowsOrigin(origin)) {
            context.header("Access-Control-Allow-Origin", origin);
        }
    }

    /** What a developer may list. */
    static List<String> checked(List<String> origins) {
        if (origins.size() > MOST_ORIGINS) {
            throw Problem.limit(
                    ErrorCode.INVALID_VALUE,
                    "allowedOrigins",
                    MOST_ORIGINS,
                    "An app allows at most 50 origins.");
        }
        List<String> checked = new ArrayList<>();
        for (String origin : origins) {
            if (!ORIGIN.matcher(Checks.present(origin, "allowedOrigins")).matches()) {
                throw Problem.field(
                        ErrorCode.INVALID_VALUE,
                        "allowedOrigins",
                        "An origin is scheme://host or scheme://host:port in lower case, without a"
                                + " path, or * for every one.");
            }
            checked.add(origin);
        }
        return List.copyOf(checked);
    }
}
