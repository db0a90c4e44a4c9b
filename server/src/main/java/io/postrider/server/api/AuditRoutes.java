package io.postrider.server.api;

import io.postrider.server.identity.AuditLog;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What a developer did, for that developer to see. */
final class AuditRoutes {
    private final AuditLog audit;

    AuditRoutes(AuditLog audit) {
        this.audit = audit;
    }

    List<Route> routes() {
        return List.of(Route.get("/v1/audit", Access.DEVELOPER, this::list));
    }

    record EntryView(
            String id,
            String at,
            String action,
            @Nullable String app,
            String detail,
            String address,
            String requestId) {}

    record EntryList(List<EntryView> items, @Nullable String nextCursor) {}

    private Answer list(Request request) {
        int limit = request.limit();
        List<AuditLog.Entry> found =
                audit.ofDeveloper(
                        request.developer().id(), request.cursor(Long.MAX_VALUE), limit + 1);
        List<AuditLog.Entry> page = found.subList(0, Math.min(limit, found.size()));
        String next = found.size() > limit ? Long.toString(page.get(page.size() - 1).id()) : null;
        return Answer.json(200, new EntryList(page.stream().map(AuditRoutes::view).toList(), next));
    }

    private static EntryView view(AuditLog.Entry entry) {
        return new EntryView(
                Long.toString(entry.id()),
                Instant.ofEpochMilli(entry.at()).toString(),
                entry.action().name().toLowerCase(Locale.ROOT),
                entry.appId() == null ? null : Long.toString(entry.appId()),
                entry.detail(),
                entry.address(),
                entry.requestId());
    }
}
