package io.postrider.server.api;

import io.postrider.server.clock.Clock;
import io.postrider.server.delivery.Presence;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.identity.App;
import io.postrider.server.identity.Apps;
import io.postrider.server.identity.Device;
import io.postrider.server.identity.DeviceStore;
import io.postrider.server.identity.DeviceStore.Change;
import io.postrider.server.identity.DeviceStore.Profile;
import io.postrider.server.identity.DeviceStore.Registered;
import io.postrider.server.identity.DeviceStore.Revocation;
import io.postrider.server.identity.DeviceTokens;
import io.postrider.server.identity.Platform;
import io.postrider.server.identity.RateLimit;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Devices: registration, by anyone who knows the app's key, and what apps see of them. */
final class DeviceRoutes {
    private final Apps apps;
    private final DeviceStore devices;
    private final DeviceTokens tokens;
    private final Presence presence;
    private final NodeInfo node;
    private final RateLimit registrations;

    DeviceRoutes(
            Apps apps,
            DeviceStore devices,
            DeviceTokens tokens,
            Presence presence,
            NodeInfo node,
            Clock clock) {
        this.apps = apps;
        this.devices = devices;
        this.tokens = tokens;
        this.presence = presence;
        this.node = node;
        this.registrations =
                new RateLimit(node.registrationsPerSecond(), Duration.ofSeconds(1), clock);
    }

    List<Route> routes() {
        return List.of(
                Route.post("/v1/devices", Access.PUBLIC_OR_PROVED, this::register),
                Route.get("/v1/devices", Access.APP, this::list),
                Route.get("/v1/devices/{deviceId}", Access.APP_OR_DEVICE, this::get),
                Route.patch("/v1/devices/{deviceId}", Access.APP_OR_DEVICE, this::change),
                Route.delete("/v1/devices/{deviceId}", Access.APP_OR_DEVICE, this::delete),
                Route.post("/v1/devices/{deviceId}/token/revoke", Access.APP, this::revokeToken));
    }

    record Registration(
            @Nullable String appKey,
            @Nullable String deviceId,
            @Nullable String platform,
            @Nullable String user,
            @Nullable List<String> tags,
            @Nullable String locale,
            @Nullable String timezone) {}

    record RegisteredView(
            String deviceId,
            String deviceToken,
            List<NodeInfo.GatewayAddress> gateways,
            int heartbeatSeconds) {}

    record DeviceChange(
            @Nullable String platform,
            @Nullable String user,
            @Nullable List<String> tags,
            @Nullable String locale,
            @Nullable String timezone) {}

    record DeviceView(
            String deviceId,
            String platform,
            @Nullable String user,
            List<String> tags,
            @Nullable String locale,
            @Nullable String timezone,
            String createdAt,
            @Nullable String lastSeenAt,
            boolean online) {}

    record DeviceList(List<DeviceView> items, @Nullable String nextCursor) {}

    private Answer register(Request request) {
        Registration given = request.body(Registration.class);
        String appKey = Checks.present(given.appKey(), "appKey");
        App app = apps.find(() -> apps.byKey(appKey)).orElseThrow(Problem::unauthorized);
        if (callersApp(request.caller()).filter(caller -> caller.id() != app.id()).isPresent()) {
            throw Problem.unauthorized();
        }
        limit(app, request.address());
        Origins.check(app, request.header("Origin"));
        boolean byApp = request.caller() instanceof Caller.ByApp;
        mayClaim(app, byApp, given.user(), given.tags());
        String deviceId =
                given.deviceId() == null
                        ? UUID.randomUUID().toString()
                        : Checks.name(given.deviceId(), "deviceId", Checks.MOST_NAME);
        Profile profile =
                new Profile(
                        platform(Checks.present(given.platform(), "platform")),
                        Checks.nameIfPresent(given.user(), "user", Checks.MOST_NAME),
                        Checks.tagsIfPresent(given.tags()),
                        Checks.nameIfPresent(given.locale(), "locale", 35),
                        Checks.zoneIfPresent(given.timezone()));
        return switch (devices.register(app.id(), deviceId, profile)) {
            case Registered.New added -> registered(201, app, added.device());
            case Registered.Known known -> again(request, app, known.device(), profile);
        };
    }

    private static Optional<App> callersApp(Caller caller) {
        return switch (caller) {
            case Caller.ByApp byApp -> Optional.of(byApp.app());
            case Caller.ByDevice byDevice -> Optional.of(byDevice.app());
            case Caller.Anyone anyone -> Optional.empty();
            case Caller.ByDeveloper developer -> Optional.empty();
        };
    }

    private void limit(App app, String address) {
        long wait = registrations.secondsToWait(app.id() + " " + address);
        if (wait > 0) {
            throw Problem.retryAfter(
                    ErrorCode.REGISTRATION_LIMITED,
                    wait,
                    "This address registers devices too fast.");
        }
    }

    private static void mayClaim(
            App app, boolean byApp, @Nullable String user, @Nullable List<String> tags) {
        if (user != null && !byApp && !app.settings().openUsers()) {
            throw Problem.field(
                    ErrorCode.DEVICE_USER_NEEDS_PROOF,
                    "user",
                    "Register with the app's credentials, or let the app set openUsers.");
        }
        if (tags != null && !byApp && !app.settings().selfTags()) {
            throw Problem.field(
                    ErrorCode.DEVICE_TAGS_NEED_PROOF,
                    "tags",
                    "Register with the app's credentials, or let the app set selfTags.");
        }
    }

    /** A known deviceId is only answered to its own token or to the app's credentials. */
    private Answer again(Request request, App app, Device known, Profile profile) {
        boolean allowed =
                switch (request.caller()) {
                    case Caller.ByApp byApp -> true;
                    case Caller.ByDevice byDevice ->
                            byDevice.number() == known.number()
                                    && byDevice.tokenGeneration() == known.tokenGeneration();
                    case Caller.Anyone anyone -> false;
                    case Caller.ByDeveloper developer -> false;
                };
        if (!allowed) {
            throw Problem.field(
                    ErrorCode.DEVICE_EXISTS,
                    "deviceId",
                    "Send the device's token or the app's credentials, or leave deviceId out.");
        }
        Device device =
                devices.change(
                                app.id(),
                                known.deviceId(),
                                new Change(
                                        profile.platform(),
                                        profile.user(),
                                        profile.tags(),
                                        profile.locale(),
                                        profile.timezone()))
                        .orElseThrow(Problem::notFound);
        return registered(200, app, device);
    }

    private Answer registered(int status, App app, Device device) {
        return Answer.json(
                status,
                new RegisteredView(
                        device.deviceId(),
                        tokens.issue(app, device.number(), device.tokenGeneration()),
                        node.gatewaysFor(device.deviceId()),
                        node.heartbeatSeconds()));
    }

    private Answer list(Request request) {
        int limit = request.limit();
        long after = request.cursor(-1);
        List<Device> found =
                devices.ofApp(
                        request.app().id(), (int) Math.min(Integer.MAX_VALUE, after), limit + 1);
        List<Device> page = found.subList(0, Math.min(limit, found.size()));
        String next =
                found.size() > limit ? Integer.toString(page.get(page.size() - 1).number()) : null;
        return Answer.json(200, new DeviceList(views(page), next));
    }

    private Answer get(Request request) {
        return Answer.json(200, view(request.device(devices)));
    }

    private Answer change(Request request) {
        Device device = request.device(devices);
        DeviceChange change = request.body(DeviceChange.class);
        App app = callersApp(request.caller()).orElseThrow();
        mayClaim(app, request.caller() instanceof Caller.ByApp, change.user(), change.tags());
        String user = change.user();
        Change checked =
                new Change(
                        change.platform() == null ? null : platform(change.platform()),
                        user == null || user.isEmpty()
                                ? user
                                : Checks.name(user, "user", Checks.MOST_NAME),
                        Checks.tagsIfPresent(change.tags()),
                        Checks.nameIfPresent(change.locale(), "locale", 35),
                        Checks.zoneIfPresent(change.timezone()));
        return Answer.json(
                200,
                view(
                        devices.change(app.id(), device.deviceId(), checked)
                                .orElseThrow(Problem::notFound)));
    }

    private Answer delete(Request request) {
        Device device = request.device(devices);
        if (devices.delete(device.appId(), device.deviceId()).isEmpty()) {
            throw Problem.notFound();
        }
        return Answer.empty();
    }

    private Answer revokeToken(Request request) {
        Device device =
                devices.revokeTokens(request.app().id(), request.path("deviceId"))
                        .orElseThrow(Problem::notFound);
        tokens.revoked(new Revocation(device.appId(), device.number(), device.tokenGeneration()));
        return Answer.empty();
    }

    private static Platform platform(String word) {
        return Platform.of(word)
                .orElseThrow(() ->
                        Problem.field(
                                ErrorCode.INVALID_VALUE,
                                "platform",
                                "platform is android, ios, web, desktop or iot."));
    }

    private DeviceView view(Device device) {
        return views(List.of(device)).get(0);
    }

    /** Of devices of one app. */
    private List<DeviceView> views(List<Device> page) {
        if (page.isEmpty()) {
            return List.of();
        }
        Recipients all = Recipients.of(page.stream().mapToInt(Device::number).toArray());
        Recipients online = presence.online(page.get(0).appId(), all);
        return page.stream().map(device -> view(device, online.contains(device.number()))).toList();
    }

    private static DeviceView view(Device device, boolean online) {
        return new DeviceView(
                device.deviceId(),
                device.platform().word(),
                device.user(),
                List.copyOf(device.tags()),
                device.locale(),
                device.timezone(),
                Instant.ofEpochMilli(device.createdAt()).toString(),
                device.lastSeenAt() == null
                        ? null
                        : Instant.ofEpochMilli(device.lastSeenAt()).toString(),
                online);
    }
}
