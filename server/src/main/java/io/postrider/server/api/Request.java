package io.postrider.server.api;

import io.javalin.http.Context;
import io.postrider.server.clock.Clock;
import io.postrider.server.identity.App;
import io.postrider.server.identity.AuditLog.Actor;
import io.postrider.server.identity.Developer;
import io.postrider.server.identity.Device;
import io.postrider.server.identity.DeviceStore;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** One request: what routes need of it, checked. */
final class Request {
    private static final int MOST_BODY_OF_ANYONE = 8 * 1024;
    private static final int FIRST_BUFFER = 2 * 1024;
    private static final long ANYONES_MILLIS = 10_000;
    private static final long MOST_MILLIS = 30_000;
    private static final int MOST_DROPPED = 8 << 20;
    private static final int DEFAULT_PAGE = 50;
    private static final int MOST_PER_PAGE = 500;

    private final Context context;
    private final Caller caller;
    private final String id;
    private final Proxies proxies;
    private final Clock clock;

    Request(Context context, Caller caller, String id, Proxies proxies, Clock clock) {
        this.clock = clock;
        this.context = context;
        this.caller = caller;
        this.id = id;
        this.proxies = proxies;
    }

    /** The name of this request in the answer, the trace and the log. */
    String id() {
        return id;
    }

    Caller caller() {
        return caller;
    }

    App app() {
        if (caller instanceof Caller.ByApp byApp) {
            return byApp.app();
        }
        throw Problem.unauthorized();
    }

    Developer developer() {
        if (caller instanceof Caller.ByDeveloper byDeveloper) {
            return byDeveloper.developer();
        }
        throw Problem.unauthorized();
    }

    /** Where it comes from, as far as that can be believed. */
    String address() {
        return proxies.clientAddress(context);
    }

    /** Whether the client speaks TLS, to us or to a proxy that we trust. */
    boolean isEncrypted() {
        return proxies.isEncrypted(context);
    }

    /** Who does something, for the audit log. */
    Actor actor() {
        long developer = caller instanceof Caller.ByDeveloper by ? by.developer().id() : 0;
        return new Actor(developer, address(), id);
    }

    String path(String name) {
        return context.pathParam(name);
    }

    /** The device of the path, as far as the caller may see it. */
    Device device(DeviceStore devices) {
        String deviceId = path("deviceId");
        return switch (caller) {
            case Caller.ByApp byApp ->
                    devices.byDeviceId(byApp.app().id(), deviceId).orElseThrow(Problem::notFound);
            case Caller.ByDevice self -> itself(self, devices);
            case Caller.Anyone anyone -> throw Problem.unauthorized();
            case Caller.ByDeveloper developer -> throw Problem.unauthorized();
        };
    }

    /** This node may not have heard yet that a token is void; the store knows. */
    private Device itself(Caller.ByDevice self, DeviceStore devices) {
        Device device =
                devices.byNumber(self.app().id(), self.number())
                        .filter(known -> known.tokenGeneration() == self.tokenGeneration())
                        .orElseThrow(Problem::unauthorized);
        if (!device.deviceId().equals(path("deviceId"))) {
            throw Problem.notFound();
        }
        return device;
    }

    /** A path's id; what is none answers like an unknown one. */
    long pathId(String name) {
        String text = path(name);
        if (!text.matches("\\d{1,19}")) {
            throw Problem.notFound();
        }
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw Problem.notFound();
        }
    }

    @Nullable String query(String name) {
        return context.queryParam(name);
    }

    @Nullable String header(String name) {
        return context.header(name);
    }

    byte[] bytes() {
        return bytes(caller instanceof Caller.Anyone ? MOST_BODY_OF_ANYONE : Api.MOST_BODY);
    }

    private byte[] bytes(int most) {
        if (!isJson(context.contentType())) {
            throw Problem.of(
                    ErrorCode.NOT_JSON, "Send JSON in UTF-8, with Content-Type: application/json.");
        }
        String encoding = header("Content-Encoding");
        if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
            throw Problem.of(ErrorCode.NOT_JSON, "Send the JSON as it is, not compressed.");
        }
        String transfer = header("Transfer-Encoding");
        if (transfer != null && !transfer.strip().equalsIgnoreCase("chunked")) {
            throw Problem.of(
                    ErrorCode.REQUEST_MALFORMED, "The only Transfer-Encoding here is chunked.");
        }
        long announced = context.req().getContentLengthLong();
        if (announced > most) {
            drop(announced);
            throw Problem.bodyTooLarge(most);
        }
        byte[] body = readUpTo(most + 1);
        if (body.length > most) {
            throw Problem.bodyTooLarge(most);
        }
        return body;
    }

    /**
     * A client that is still sending when we close may never see why. Nobody's is not waited for,
     * nor one who asks before he sends.
     */
    private void drop(long length) {
        if (caller instanceof Caller.Anyone || header("Expect") != null || length > MOST_DROPPED) {
            return;
        }
        long deadline = clock.ticks() + MOST_MILLIS;
        byte[] dropped = new byte[FIRST_BUFFER];
        try {
            InputStream in = context.req().getInputStream();
            for (long all = 0; all < length && clock.ticks() < deadline; ) {
                int more = in.read(dropped);
                all = more < 0 ? length : all + more;
            }
        } catch (IOException cutOff) {
            // Then he does not wait for the answer either.
        }
    }

    /** Reads a body that comes in time, as a whole: a byte now and then does not prolong it. */
    private byte[] readUpTo(int length) {
        long deadline =
                clock.ticks() + (caller instanceof Caller.Anyone ? ANYONES_MILLIS : MOST_MILLIS);
        byte[] body = new byte[Math.min(length, FIRST_BUFFER)];
        int read = 0;
        try {
            InputStream in = context.req().getInputStream();
            for (int more = 0; more >= 0 && read < length; read += Math.max(0, more)) {
                if (clock.ticks() > deadline) {
                    throw Problem.of(ErrorCode.REQUEST_TIMEOUT, "Send the whole request at once.");
                }
                if (read == body.length) {
                    body = Arrays.copyOf(body, Math.min(length, 2 * body.length));
                }
                more = in.read(body, read, body.length - read);
            }
        } catch (IOException cutOff) {
            throw Problem.of(ErrorCode.REQUEST_MALFORMED, "The body did not come whole.");
        }
        return Arrays.copyOf(body, read);
    }

    private static boolean isJson(@Nullable String contentType) {
        if (contentType == null) {
            return false;
        }
        String[] parts = contentType.toLowerCase(Locale.ROOT).split(";", -1);
        boolean utf8 = true;
        for (int i = 1; i < parts.length; i++) {
            String parameter = parts[i].strip().replace("\"", "");
            utf8 &= !parameter.startsWith("charset=") || parameter.equals("charset=utf-8");
        }
        return utf8 && parts[0].strip().equals("application/json");
    }

    <T> T body(Class<T> type) {
        return Json.read(bytes(), type);
    }

    /** A body that may be longer than others. */
    <T> T body(Class<T> type, int mostBytes) {
        return Json.read(bytes(mostBytes), type);
    }

    int limit() {
        String text = query("limit");
        if (text == null) {
            return DEFAULT_PAGE;
        }
        if (!text.matches("[1-9]\\d{0,9}")) {
            throw Problem.field(
                    ErrorCode.INVALID_VALUE, "limit", "limit is a number from 1 to 500.");
        }
        long limit = Long.parseLong(text);
        if (limit > MOST_PER_PAGE) {
            throw Problem.limit(
                    ErrorCode.PAGE_TOO_LARGE,
                    "limit",
                    MOST_PER_PAGE,
                    "A page has at most " + MOST_PER_PAGE + " items.");
        }
        return (int) limit;
    }

    /** The cursor of a list, or what stands for its beginning. */
    long cursor(long beginning) {
        String text = query("cursor");
        if (text == null) {
            return beginning;
        }
        if (!text.matches("\\d{1,18}|[1-8]\\d{18}")) {
            throw Problem.field(
                    ErrorCode.CURSOR_INVALID, "cursor", "Send a nextCursor as it was answered.");
        }
        return Long.parseLong(text);
    }
}
