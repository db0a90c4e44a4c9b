package io.postrider.server.api;

import io.postrider.server.identity.App;
import io.postrider.server.identity.AppSettings;
import io.postrider.server.identity.Apps;
import io.postrider.server.identity.AuditLog.Action;
import io.postrider.server.identity.AuditLog.Deed;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A developer's apps. */
final class AppRoutes {
    private static final int MOST_RETENTION_DAYS = 3_650;

    private final Apps apps;

    AppRoutes(Apps apps) {
        this.apps = apps;
    }

    List<Route> routes() {
        return List.of(
                Route.post("/v1/apps", Access.DEVELOPER, this::create),
                Route.get("/v1/apps", Access.DEVELOPER, this::list),
                Route.get("/v1/apps/{id}", Access.DEVELOPER, this::get),
                Route.patch("/v1/apps/{id}", Access.DEVELOPER, this::change),
                Route.delete("/v1/apps/{id}", Access.DEVELOPER, this::delete),
                Route.post("/v1/apps/{id}/secret", Access.DEVELOPER, this::rotateSecret),
                Route.post(
                        "/v1/apps/{id}/device-tokens/revoke",
                        Access.DEVELOPER,
                        this::revokeDeviceTokens));
    }

    record NewApp(@Nullable String name) {}

    record CreatedView(String id, String name, String appKey, String masterSecret) {}

    record AppView(
            String id,
            String name,
            String appKey,
            List<String> legacyProtocols,
            boolean openUsers,
            boolean selfTags,
            List<String> allowedOrigins,
            int retentionDays,
            String timezone,
            String createdAt) {

        static AppView of(App app) {
            return new AppView(
                    Long.toString(app.id()),
                    app.name(),
                    app.appKey(),
                    List.of(),
                    app.settings().openUsers(),
                    app.settings().selfTags(),
                    app.settings().allowedOrigins(),
                    app.settings().retentionDays(),
                    app.settings().timezone(),
                    Instant.ofEpochMilli(app.createdAt()).toString());
        }
    }

    record AppList(List<AppView> items, @Nullable String nextCursor) {}

    record AppChange(
            @Nullable String name,
            @Nullable List<String> legacyProtocols,
            @Nullable Boolean openUsers,
            @Nullable Boolean selfTags,
            @Nullable List<String> allowedOrigins,
            @Nullable Integer retentionDays,
            @Nullable String timezone) {}

    private Answer create(Request request) {
        String name = Checks.present(request.body(NewApp.class).name(), "name");
        Apps.Created created =
                apps.create(request.actor(), Checks.name(name, "name", Checks.MOST_NAME));
        return created(201, created);
    }

    private static Answer created(int status, Apps.Created created) {
        App app = created.app();
        return Answer.json(
                status,
                new CreatedView(
                        Long.toString(app.id()), app.name(), app.appKey(), created.masterSecret()));
    }

    private Answer list(Request request) {
        int limit = request.limit();
        apps.caughtUp().join();
        List<App> found = apps.ofDeveloper(request.developer().id(), request.cursor(0), limit + 1);
        List<App> page = found.subList(0, Math.min(limit, found.size()));
        String next = found.size() > limit ? Long.toString(page.get(page.size() - 1).id()) : null;
        return Answer.json(200, new AppList(page.stream().map(AppView::of).toList(), next));
    }

    private App own(Request request) {
        long id = request.pathId("id");
        return apps.find(() -> apps.ofDeveloper(request.developer().id(), id))
                .orElseThrow(Problem::notFound);
    }

    private Answer get(Request request) {
        return Answer.json(200, AppView.of(own(request)));
    }

    private Answer change(Request request) {
        App app = own(request);
        AppChange change = request.body(AppChange.class);
        refuseNotBuilt(change.legacyProtocols(), "legacyProtocols");
        Deed deed = new Deed(request.actor(), Action.APP_CHANGED, app.id(), namesOf(change));
        return apps.update(app.id(), deed, current -> changed(current, change))
                .map(changed -> Answer.json(200, AppView.of(changed)))
                .orElseThrow(Problem::notFound);
    }

    private static String namesOf(AppChange change) {
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        fields.put("name", change.name);
        fields.put("openUsers", change.openUsers);
        fields.put("selfTags", change.selfTags);
        fields.put("allowedOrigins", change.allowedOrigins);
        fields.put("retentionDays", change.retentionDays);
        fields.put("timezone", change.timezone);
        fields.values().removeIf(Objects::isNull);
        return String.join(" ", fields.keySet());
    }

    private static App changed(App app, AppChange change) {
        AppSettings old = app.settings();
        String timezone = Checks.zoneIfPresent(change.timezone());
        AppSettings settings =
                new AppSettings(
                        change.openUsers() == null ? old.openUsers() : change.openUsers(),
                        change.selfTags() == null ? old.selfTags() : change.selfTags(),
                        change.allowedOrigins() == null
                                ? old.allowedOrigins()
                                : Origins.checked(change.allowedOrigins()),
                        change.retentionDays() == null
                                ? old.retentionDays()
                                : retentionDays(change.retentionDays()),
                        timezone == null ? old.timezone() : timezone);
        App changed = app.withSettings(settings);
        return change.name() == null
                ? changed
                : changed.withName(Checks.name(change.name(), "name", Checks.MOST_NAME));
    }

    private static void refuseNotBuilt(@Nullable List<String> value, String field) {
        if (value != null && !value.isEmpty()) {
            throw Problem.field(
                    ErrorCode.OPTION_NOT_SUPPORTED, field, field + " is not built yet.");
        }
    }

    private static int retentionDays(int days) {
        if (days < 1 || days > MOST_RETENTION_DAYS) {
            throw Problem.limit(
                    ErrorCode.INVALID_VALUE,
                    "retentionDays",
                    MOST_RETENTION_DAYS,
                    "retentionDays is 1 to " + MOST_RETENTION_DAYS + ".");
        }
        return days;
    }

    private Answer delete(Request request) {
        App app = own(request);
        apps.delete(app, request.actor());
        return Answer.empty();
    }

    private Answer rotateSecret(Request request) {
        return created(
                200,
                apps.rotateSecret(own(request).id(), request.actor())
                        .orElseThrow(Problem::notFound));
    }

    private Answer revokeDeviceTokens(Request request) {
        if (apps.revokeDeviceTokens(own(request).id(), request.actor()).isEmpty()) {
            throw Problem.notFound();
        }
        return Answer.empty();
    }
}
