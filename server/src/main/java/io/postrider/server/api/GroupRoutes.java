package io.postrider.server.api;

import io.postrider.server.identity.GroupStore;
import io.postrider.server.identity.GroupStore.Member;
import io.postrider.server.identity.GroupStore.Members;
import io.postrider.server.identity.GroupStore.Replaced;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Groups: live sets of devices and users. */
final class GroupRoutes {
    private static final int MOST_MEMBERS = 1_000;
    private static final char DEVICE = 'd';
    private static final char USER = 'u';

    private final GroupStore groups;

    GroupRoutes(GroupStore groups) {
        this.groups = groups;
    }

    List<Route> routes() {
        return List.of(
                Route.put("/v1/groups/{group}/members/{deviceId}", Access.APP, this::add),
                Route.delete("/v1/groups/{group}/members/{deviceId}", Access.APP, this::remove),
                Route.put("/v1/groups/{group}", Access.APP, this::replace),
                Route.get("/v1/groups/{group}", Access.APP, this::get));
    }

    record MembersBody(@Nullable List<String> devices, @Nullable List<String> users) {}

    record MembersView(
            String group, List<String> devices, List<String> users, @Nullable String nextCursor) {}

    private static String group(Request request) {
        return Checks.name(request.path("group"), "group", Checks.MOST_NAME);
    }

    private Answer add(Request request) {
        if (!groups.add(request.app().id(), group(request), request.path("deviceId"))) {
            throw Problem.notFound();
        }
        return Answer.empty();
    }

    private Answer remove(Request request) {
        if (!groups.remove(request.app().id(), group(request), request.path("deviceId"))) {
            throw Problem.notFound();
        }
        return Answer.empty();
    }

    private Answer replace(Request request) {
        MembersBody body = request.body(MembersBody.class);
        if (body.devices() == null && body.users() == null) {
            throw Problem.field(
                    ErrorCode.MISSING_VALUE,
                    "devices",
                    "Name devices, users, or both; an empty list empties the group.");
        }
        Replaced replaced =
                groups.replace(
                        request.app().id(),
                        group(request),
                        names(body.devices(), "devices"),
                        names(body.users(), "users"));
        return switch (replaced) {
            case Replaced.Done done -> get(request);
            case Replaced.NoDevice unknown ->
                    throw Problem.field(
                            ErrorCode.DEVICE_UNKNOWN,
                            "devices",
                            "The app has no device " + unknown.deviceId() + ".");
        };
    }

    private static Set<String> names(@Nullable List<String> given, String field) {
        if (given == null) {
            return Set.of();
        }
        if (given.size() > MOST_MEMBERS) {
            throw Problem.limit(
                    ErrorCode.INVALID_VALUE,
                    field,
                    MOST_MEMBERS,
                    "At most 1000 at once; more are added one by one.");
        }
        Set<String> names = new LinkedHashSet<>();
        for (String name : given) {
            names.add(Checks.name(Checks.present(name, field), field, Checks.MOST_NAME));
        }
        return names;
    }

    private Answer get(Request request) {
        String group = group(request);
        Members members =
                groups.members(request.app().id(), group, after(request), request.limit())
                        .orElseThrow(Problem::notFound);
        return Answer.json(
                200,
                new MembersView(group, members.devices(), members.users(), cursor(members.next())));
    }

    private static @Nullable Member after(Request request) {
        String cursor = request.query("cursor");
        if (cursor == null) {
            return null;
        }
        try {
            String text = new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.UTF_8);
            if (!text.isEmpty() && (text.charAt(0) == DEVICE || text.charAt(0) == USER)) {
                return new Member(text.charAt(0) == USER, text.substring(1));
            }
        } catch (IllegalArgumentException e) {
            throw noCursor();
        }
        throw noCursor();
    }

    private static Problem noCursor() {
        return Problem.field(
                ErrorCode.CURSOR_INVALID, "cursor", "Send a nextCursor as it was answered.");
    }

    private static @Nullable String cursor(@Nullable Member next) {
        if (next == null) {
            return null;
        }
        String text = (next.isUser() ? USER : DEVICE) + next.name();
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
