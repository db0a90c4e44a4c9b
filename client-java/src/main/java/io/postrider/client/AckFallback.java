package io.postrider.client;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.postrider.client.Acks.Overdue;
import io.postrider.client.Registrar.Registered;
import java.io.IOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Acks over HTTP, for when the connection does not get them through. */
final class AckFallback {
    private final Rest rest;
    private final String path;

    AckFallback(Registered registered) {
        this.rest = registered.rest;
        this.path = "/v1/devices/" + Rest.segment(registered.deviceId()) + "/acks";
    }

    /**
     * Tells the server; blocks for at most 10 seconds.
     *
     * @return the outcome of each id that the server answered
     */
    Map<Long, String> post(Overdue overdue, String token) throws IOException {
        String body =
                Rest.json(out -> {
                    write("ids", overdue.ids, out);
                    write("opened", overdue.opened, out);
                });
        Rest.Answer answer = rest.post(path, "Bearer " + token, Collections.emptyMap(), body);
        if (answer.status != 200) {
            throw answer.refusal();
        }
        return outcomes(answer.text);
    }

    private static void write(String name, List<Long> ids, JsonGenerator out) throws IOException {
        out.writeArrayFieldStart(name);
        for (long id : ids) {
            out.writeString(Long.toString(id));
        }
        out.writeEndArray();
    }

    private static Map<Long, String> outcomes(String answer) throws IOException {
        Map<Long, String> outcomes = new LinkedHashMap<>();
        try (JsonParser in = Rest.JSON.createParser(answer)) {
            long id = 0;
            for (JsonToken token = in.nextToken(); token != null; token = in.nextToken()) {
                if (token == JsonToken.VALUE_STRING && "id".equals(in.currentName())) {
                    id = Long.parseLong(in.getText());
                } else if (token == JsonToken.VALUE_STRING && "outcome".equals(in.currentName())) {
                    outcomes.put(id, in.getText());
                }
            }
        }
        return outcomes;
    }
}
