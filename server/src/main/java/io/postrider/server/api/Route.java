package io.postrider.server.api;

import io.javalin.http.HandlerType;

/** One call of the contract. Tests take the list of them to ask each for its isolation. */
public record Route(HandlerType method, String path, Access access, Handling handling) {
    /** Answers a request whose caller has been proved. */
    interface Handling {
        Answer handle(Request request);
    }

    static Route get(String path, Access access, Handling handling) {
        return new Route(HandlerType.GET, path, access, handling);
    }

    static Route post(String path, Access access, Handling handling) {
        return new Route(HandlerType.POST, path, access, handling);
    }

    /** Whether a path is one of this route's. */
    boolean matches(String other) {
        return other.matches(path.replaceAll("\\{[^}]+}", "[^/]+"));
    }

    /** Whether it changes something that is stored. */
    boolean changes() {
        return !method.equals(HandlerType.GET) && !path.endsWith("/validate");
    }

    /** Whether pages of other origins may call it: registering a device, and nothing else. */
    boolean isForPages() {
        return method.equals(HandlerType.POST) && path.equals("/v1/devices");
    }

    static Route put(String path, Access access, Handling handling) {
        return new Route(HandlerType.PUT, path, access, handling);
    }

    static Route patch(String path, Access access, Handling handling) {
        return new Route(HandlerType.PATCH, path, access, handling);
    }

    static Route delete(String path, Access access, Handling handling) {
        return new Route(HandlerType.DELETE, path, access, handling);
    }
}
