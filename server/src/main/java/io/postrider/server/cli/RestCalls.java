package io.postrider.server.cli;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** Calls of the REST interface, JSON there and back. Thread-safe. */
public final class RestCalls {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient http =
            HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(Duration.ofSeconds(5))
                    .build();
    private final String server;

    /**
     * @param server such as {@code http://127.0.0.1:8080}
     */
    public RestCalls(String server) {
        this.server = server;
    }

    public static String basic(String user, String password) {
        String pair = user + ":" + password;
        return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Calls, and answers what a 2xx carried.
     *
     * @throws CliException if the server cannot be reached, or refuses
     */
    public JsonNode call(
            String method,
            String path,
            @Nullable String authorization,
            @Nullable Map<String, Object> body) {
        HttpRequest.Builder request;
        try {
            request =
                    HttpRequest.newBuilder(URI.create(server + path))
                            .timeout(Duration.ofSeconds(20));
        } catch (IllegalArgumentException e) {
            throw new CliException(server + " is no address; write it as http://127.0.0.1:8080");
        }
        if (authorization != null) {
            request.header("Authorization", authorization);
        }
        if (body == null) {
            request.method(method, BodyPublishers.noBody());
        } else {
            request.header("Content-Type", "application/json");
            request.method(method, BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body)));
        }
        return answer(request.build());
    }

    private JsonNode answer(HttpRequest request) {
        HttpResponse<String> response;
        try {
            response = http.send(request, BodyHandlers.ofString());
        } catch (ConnectException e) {
            throw new CliException(
                    "nothing answers at " + server + "; start a node with: ./postrider serve");
        } catch (IOException e) {
            throw new CliException(server + " gave no answer: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("interrupted");
        }
        JsonNode json =
                response.body().startsWith("{")
                        ? JSON.readTree(response.body())
                        : JSON.createObjectNode();
        if (response.statusCode() >= 300) {
            throw new CliException(
                    json.path("title").asString("HTTP " + response.statusCode())
                            + ": "
                            + json.path("detail").asString(""),
                    response.statusCode());
        }
        return json;
    }
}
