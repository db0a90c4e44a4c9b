package io.postrider.bench.peer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** An app of a node, over REST; blocks. */
final class PostriderApi implements AutoCloseable {
    private final ObjectMapper json = new ObjectMapper();
    private final HttpClient http = HttpClient.newHttpClient();
    private final int port;
    private final String appKey;
    private final String masterSecret;

    /** Makes a developer and an app. */
    PostriderApi(int port) {
        this.port = port;
        // Others may use the same store.
        String name = "bench-" + ProcessHandle.current().pid();
        Map<String, String> developer =
                Map.of("name", name, "password", "a password of twenty letters");
        post("/v1/developers", null, developer);
        String login = post("/v1/logins", null, developer).path("token").asString();
        JsonNode app = post("/v1/apps", "Bearer " + login, Map.of("name", "bench"));
        appKey = app.path("appKey").asString();
        masterSecret = app.path("masterSecret").asString();
    }

    int port() {
        return port;
    }

    String appKey() {
        return appKey;
    }

    String masterSecret() {
        return masterSecret;
    }

    /** The header by which an app server proves who it is. */
    String basic() {
        byte[] credentials = (appKey + ":" + masterSecret).getBytes(StandardCharsets.UTF_8);
        return "Basic " + Base64.getEncoder().encodeToString(credentials);
    }

    /** Registers a device; answers its token. */
    String register(String deviceId) {
        Map<String, String> device =
                Map.of("appKey", appKey, "deviceId", deviceId, "platform", "iot");
        return post("/v1/devices", null, device).path("deviceToken").asString();
    }

    /** Puts a device into a group. */
    void join(String group, String deviceId) {
        send(
                request("/v1/groups/" + group + "/members/" + deviceId)
                        .header("Authorization", basic())
                        .PUT(HttpRequest.BodyPublishers.noBody()));
    }

    /** How long it takes to read the newest message, or what is below it. */
    double millisToRead(String below) {
        JsonNode newest = get("/v1/messages?limit=1").path("items").path(0);
        long began = System.nanoTime();
        get("/v1/messages/" + newest.path("id").asString() + below);
        return (System.nanoTime() - began) / 1e6;
    }

    private JsonNode get(String path) {
        return send(request(path).header("Authorization", basic()).GET());
    }

    private JsonNode post(String path, @Nullable String authorization, Object body) {
        HttpRequest.Builder request =
                request(path)
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(json.writeValueAsString(body)));
        if (authorization != null) {
            request.header("Authorization", authorization);
        }
        return send(request);
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
    }

    private JsonNode send(HttpRequest.Builder builder) {
        HttpRequest request = builder.build();
        try {
            HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() >= 300) {
                throw new IllegalStateException(request.uri() + " answered " + answer.body());
            }
            return answer.body().isEmpty() ? json.createObjectNode() : json.readTree(answer.body());
        } catch (IOException e) {
            throw new UncheckedIOException(request.uri().toString(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        http.close();
    }
}
