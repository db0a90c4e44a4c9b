package io.postrider.server.api;

import com.fasterxml.jackson.annotation.JsonRawValue;
import io.postrider.protocol.v1.Notification;
import io.postrider.protocol.v1.Push;
import io.postrider.server.delivery.Accepted;
import io.postrider.server.delivery.DeliveryState;
import io.postrider.server.delivery.MessageStore;
import io.postrider.server.identity.App;
import io.postrider.server.identity.Apps;
import io.postrider.server.identity.AuditLog;
import io.postrider.server.identity.AuditLog.Action;
import io.postrider.server.identity.AuditLog.Deed;
import io.postrider.server.identity.Device;
import io.postrider.server.identity.DeviceStore;
import io.postrider.server.publish.Publish;
import io.postrider.server.publish.Publisher;
import io.postrider.server.publish.Reporter;
import io.postrider.server.publish.Reports.Counts;
import io.postrider.server.publish.Reports.Standing;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Publishing, and how messages stand. */
final class MessageRoutes {
    static final String IDEMPOTENCY_KEY = "Idempotency-Key";

    private final Publisher publisher;
    private final PublishCalls publishCalls;
    private final MessageStore store;
    private final Reporter reporter;
    private final DeviceStore devices;
    private final Apps apps;
    private final AuditLog audit;

    MessageRoutes(
            Publisher publisher,
            PublishCalls publishCalls,
            MessageStore store,
            Reporter reporter,
            DeviceStore devices,
            Apps apps,
            AuditLog audit) {
        this.audit = audit;
        this.publisher = publisher;
        this.publishCalls = publishCalls;
        this.store = store;
        this.reporter = reporter;
        this.devices = devices;
        this.apps = apps;
    }

    List<Route> routes() {
        Access readers = Access.APP_OR_DEVELOPER;
        return List.of(
                Route.post("/v1/messages", Access.APP, this::publish),
                Route.post("/v1/messages/validate", Access.APP, this::validate),
                Route.get("/v1/messages", readers, this::list),
                Route.get("/v1/messages/{id}", readers, this::get),
                Route.get("/v1/messages/{id}/devices", readers, this::devices),
                Route.get("/v1/messages/{id}/trace", readers, this::trace),
                Route.delete("/v1/messages/{id}", readers, this::recall));
    }

    record AcceptedView(String id, int targeted, String expiresAt, boolean replayed) {}

    record ReachView(int targeted, int online) {}

    record NotificationView(
            @Nullable String title,
            @Nullable String body,
            @Nullable String url,
            @JsonRawValue @Nullable String extras) {}

    record CountsView(
            int targeted,
            int pending,
            int delivered,
            int opened,
            int expired,
            int recalled,
            int failed,
            @Nullable Integer written) {}

    record MessageView(
            String id,
            String state,
            @JsonRawValue String audience,
            @Nullable NotificationView notification,
            @JsonRawValue @Nullable String data,
            @JsonRawValue String options,
            String createdAt,
            String expiresAt,
            @Nullable String recalledAt,
            CountsView counts,
            @Nullable List<SettlementView> settlements) {}

    record SettlementView(
            String group,
            String state,
            @Nullable String winner,
            @Nullable String at,
            int presented) {}

    record MessageList(List<MessageView> items, @Nullable String nextCursor) {}

    record DeviceStateView(String deviceId, String state, String at, @Nullable String reason) {}

    record DeviceStateList(List<DeviceStateView> items, @Nullable String nextCursor) {}

    record TraceItem(String at, String node, String event, @Nullable String detail) {}

    record TraceView(List<TraceItem> items, boolean partial) {}

    private Answer publish(Request request) {
        Accepted.Stored stored =
                publishCalls
                        .store(
                                request.app(),
                                request.bytes(),
                                request.header(IDEMPOTENCY_KEY),
                                request.id())
                        .join();
        return Answer.json(
                202,
                new AcceptedView(
                        Long.toString(stored.id()),
                        stored.targeted(),
                        time(stored.expiresAt()),
                        stored.replayed()));
    }

    private Answer validate(Request request) {
        Publish publish =
                PublishBody.read(request.bytes(), request.header(IDEMPOTENCY_KEY), request.id());
        Publisher.Reach reach = publisher.validate(request.app().id(), publish);
        return Answer.json(200, new ReachView(reach.targeted(), reach.online()));
    }

    /** The app whose message the path names, if the caller may see it. */
    private long appOf(Request request, long messageId) {
        if (request.caller() instanceof Caller.ByApp byApp) {
            return byApp.app().id();
        }
        long developer = request.developer().id();
        return reporter.appOf(messageId)
                .flatMap(appId -> apps.find(() -> apps.ofDeveloper(developer, appId)))
                .map(App::id)
                .orElseThrow(Problem::notFound);
    }

    private Standing standing(Request request) {
        long id = request.pathId("id");
        return reporter.message(appOf(request, id), id).orElseThrow(Problem::notFound);
    }

    private Answer get(Request request) {
        return Answer.json(200, view(standing(request)));
    }

    private Answer list(Request request) {
        long appId =
                request.caller() instanceof Caller.ByApp byApp
                        ? byApp.app().id()
                        : appOfQuery(request);
        int limit = request.limit();
        List<Standing> found = reporter.newest(appId, request.cursor(Long.MAX_VALUE), limit + 1);
        List<Standing> page = found.subList(0, Math.min(limit, found.size()));
        String next =
                found.size() > limit
                        ? Long.toString(page.get(page.size() - 1).message().id())
                        : null;
        return Answer.json(200, new MessageList(page.stream().map(this::view).toList(), next));
    }

    private long appOfQuery(Request request) {
        String app = Checks.present(request.query("app"), "app");
        return Optional.of(app)
                .filter(text -> text.matches("\\d{1,18}"))
                .flatMap(text -> apps.ofDeveloper(request.developer().id(), Long.parseLong(text)))
                .map(App::id)
                .orElseThrow(Problem::notFound);
    }

    private Answer devices(Request request) {
        Standing message = standing(request);
        DeliveryState state = null;
        String word = request.query("state");
        if (word != null) {
            state =
                    DeliveryState.of(word)
                            .orElseThrow(() ->
                                    Problem.field(
                                            ErrorCode.INVALID_VALUE,
                                            "state",
                                            "state is queued, sent, delivered, expired,"
                                                    + " recalled, failed or settled_elsewhere."));
        }
        Reporter.DevicePage page =
                reporter.devices(
                        message,
                        state,
                        (int) Math.min(Integer.MAX_VALUE - 1, request.cursor(-1)),
                        request.limit());
        return Answer.json(
                200,
                new DeviceStateList(
                        page.items().stream()
                                .map(item ->
                                        new DeviceStateView(
                                                item.deviceId(),
                                                item.state().word(),
                                                time(item.at()),
                                                item.reason()))
                                .toList(),
                        page.next() == null ? null : Integer.toString(page.next())));
    }

    private Answer trace(Request request) {
        Standing message = standing(request);
        String deviceId = request.query("device");
        Device device =
                deviceId == null
                        ? null
                        : devices.byDeviceId(message.message().appId(), deviceId)
                                .orElseThrow(Problem::notFound);
        Reporter.Traced traced = reporter.trace(message, device);
        return Answer.json(
                200,
                new TraceView(
                        traced.items().stream()
                                .map(item ->
                                        new TraceItem(
                                                time(item.at()),
                                                item.node(),
                                                item.event(),
                                                item.detail()))
                                .toList(),
                        traced.partial()));
    }

    private Answer recall(Request request) {
        long id = request.pathId("id");
        long appId = appOf(request, id);
        if (request.caller() instanceof Caller.ByDeveloper) {
            audit.write(
                    new Deed(request.actor(), Action.MESSAGE_RECALLED, appId, Long.toString(id)));
        }
        return switch (store.recall(appId, id).join()) {
            case MessageStore.Recalled.Unknown unknown -> throw Problem.notFound();
            case MessageStore.Recalled.Now now -> Answer.json(202, view(standing(request)));
            case MessageStore.Recalled.Before before -> Answer.json(202, view(standing(request)));
        };
    }

    private MessageView view(Standing standing) {
        Push push = standing.message().published();
        Long recalledAt = standing.recalledAt();
        return new MessageView(
                Long.toString(standing.message().id()),
                reporter.stateOf(standing).word(),
                standing.audience(),
                push.hasNotification() ? view(push.getNotification()) : null,
                push.hasData() ? push.getData() : null,
                standing.options(),
                time(standing.message().createdAt()),
                time(standing.message().expiresAt()),
                recalledAt == null ? null : time(recalledAt),
                view(standing.counts(), standing.message().wantsAck()),
                settlements(standing));
    }

    private static @Nullable List<SettlementView> settlements(Standing standing) {
        return !standing.message().firstAckSettles()
                ? null
                : standing.settlements().stream()
                        .map(settlement ->
                                new SettlementView(
                                        settlement.group(),
                                        settlement.state().word(),
                                        settlement.winner(),
                                        settlement.at() == 0 ? null : time(settlement.at()),
                                        settlement.presented()))
                        .toList();
    }

    private static NotificationView view(Notification notification) {
        return new NotificationView(
                notification.hasTitle() ? notification.getTitle() : null,
                notification.hasBody() ? notification.getBody() : null,
                notification.hasUrl() ? notification.getUrl() : null,
                notification.hasExtras() ? notification.getExtras() : null);
    }

    private static CountsView view(Counts counts, boolean wantsAck) {
        return new CountsView(
                counts.targeted(),
                counts.pending(),
                counts.delivered(),
                counts.opened(),
                counts.expired(),
                counts.recalled(),
                counts.failed(),
                wantsAck ? null : counts.written());
    }

    static String time(long millis) {
        return Instant.ofEpochMilli(millis).toString();
    }
}
