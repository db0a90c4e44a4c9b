package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** REST by the JDK's client. Every answer is held against the contract. */
public final class TestApi {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final AtomicLong NAMES = new AtomicLong(System.nanoTime());

    public final String base;
    private final HttpClient http;

    public TestApi(String base) {
        this(base, HttpClient.newBuilder());
    }

    /** Over TLS, with a trust of the test's own. */
    public TestApi(String base, SSLContext trust) {
        this(base, HttpClient.newBuilder().sslContext(trust));
    }

    private TestApi(String base, HttpClient.Builder http) {
        this.base = base;
        this.http = http.version(HttpClient.Version.HTTP_1_1).build();
    }

    /** An answer that satisfies the contract. */
    public record Reply(HttpResponse<String> response, JsonNode json) {
        public int status() {
            return response.statusCode();
        }

        public String text(String field) {
            return json.path(field).asString();
        }

        public String code() {
            return text("code");
        }

        public Reply expect(int status) {
            assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
            return this;
        }
    }

    public static String basic(String user, String password) {
        return "Basic "
                + Base64.getEncoder()
                        .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
    }

    public static String bearer(String token) {
        return "Bearer " + token;
    }

    public Reply call(
            String method,
            String path,
            @Nullable String authorization,
            @Nullable String body,
            String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + path));
        request.method(
                method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (body != null) {
            request.header("Content-Type", "application/json");
        }
        if (authorization != null) {
            request.header("Authorization", authorization);
        }
        for (int i = 0; i < headers.length; i += 2) {
            request.header(headers[i], headers[i + 1]);
        }
        try {
            HttpResponse<String> response = http.send(request.build(), BodyHandlers.ofString());
            Contract.check(method, path, response);
            String type = response.headers().firstValue("Content-Type").orElse("");
            JsonNode json =
                    type.contains("json") && !response.body().isEmpty()
                            ? JSON.readTree(response.body())
                            : JSON.createObjectNode();
            return new Reply(response, json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** A logged-in developer, as an Authorization header. */
    public String newDeveloper() {
        String credentials =
                "{\"name\":\"dev-" + NAMES.incrementAndGet() + "\",\"password\":\"correct horse\"}";
        call("POST", "/v1/developers", null, credentials).expect(201);
        return bearer(call("POST", "/v1/logins", null, credentials).expect(201).text("token"));
    }

    public AppHandle newApp() {
        return newApp(newDeveloper());
    }

    public AppHandle newApp(String developer) {
        Reply reply = call("POST", "/v1/apps", developer, "{\"name\":\"test\"}").expect(201);
        return new AppHandle(
                this,
                developer,
                reply.text("id"),
                reply.text("appKey"),
                reply.text("masterSecret"));
    }

    /** One app, and what its server does with it. */
    public record AppHandle(
            TestApi api, String developer, String id, String appKey, String masterSecret) {

        /** The same app at another node. */
        public AppHandle at(TestApi node) {
            return new AppHandle(node, developer, id, appKey, masterSecret);
        }

        public String credentials() {
            return basic(appKey, masterSecret);
        }

        public Reply call(String method, String path, @Nullable String body, String... headers) {
            return api.call(method, path, credentials(), body, headers);
        }

        /** Registers a device with the app's credentials; answers its token. */
        public String register(String deviceId, String more) {
            return call(
                            "POST",
                            "/v1/devices",
                            "{\"appKey\":\""
                                    + appKey
                                    + "\",\"platform\":\"android\",\"deviceId\":\""
                                    + deviceId
                                    + "\""
                                    + more
                                    + "}")
                    .text("deviceToken");
        }

        public String register(String deviceId) {
            return register(deviceId, "");
        }

        /** Publishes; answers the message's id. */
        public String publish(String audience, String more) {
            return call(
                            "POST",
                            "/v1/messages",
                            "{\"audience\":"
                                    + audience
                                    + ",\"notification\":{\"title\":\"hello\"}"
                                    + more
                                    + "}")
                    .expect(202)
                    .text("id");
        }

        public String publish(String audience) {
            return publish(audience, "");
        }

        public JsonNode counts(String messageId) {
            return call("GET", "/v1/messages/" + messageId, null).expect(200).json().path("counts");
        }

        public int count(String messageId, String name) {
            return counts(messageId).path(name).asInt(-1);
        }

        /** {@code deviceId=state} of a message's devices, in order. */
        public List<String> states(String messageId) {
            List<String> states = new ArrayList<>();
            call("GET", "/v1/messages/" + messageId + "/devices?limit=500", null)
                    .expect(200)
                    .json()
                    .path("items")
                    .forEach(item ->
                            states.add(
                                    item.path("deviceId").asString()
                                            + "="
                                            + item.path("state").asString()));
            return states;
        }

        /** The gateway's address of a transport, as a registration answers it. */
        public String gateway(String transport) {
            JsonNode registered =
                    call(
                                    "POST",
                                    "/v1/devices",
                                    "{\"appKey\":\"" + appKey + "\",\"platform\":\"iot\"}")
                            .expect(201)
                            .json();
            call("DELETE", "/v1/devices/" + registered.path("deviceId").asString(), null)
                    .expect(204);
            for (JsonNode gateway : registered.path("gateways")) {
                if (gateway.path("transport").asString().equals(transport)) {
                    return gateway.path("address").asString();
                }
            }
            throw new AssertionError("no gateway speaks " + transport);
        }
    }
}
