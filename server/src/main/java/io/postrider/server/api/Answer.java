package io.postrider.server.api;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/** What a route answers. */
record Answer(int status, String contentType, byte[] body, Map<String, String> headers) {
    static Answer json(int status, Object body) {
        return new Answer(status, "application/json", Json.write(body), Map.of());
    }

    static Answer text(String contentType, String body) {
        return new Answer(200, contentType, body.getBytes(StandardCharsets.UTF_8), Map.of());
    }

    static Answer empty() {
        return new Answer(204, "application/json", new byte[0], Map.of());
    }

    Answer withHeader(String name, String value) {
        return new Answer(status, contentType, body, Map.of(name, value));
    }
}
