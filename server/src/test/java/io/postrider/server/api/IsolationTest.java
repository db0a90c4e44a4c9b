package io.postrider.server.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.server.TestApi;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.TestApi.Reply;
import io.postrider.server.TestServer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * G13 on every route, with the list taken from the router: a route that this test does not know
 * fails it. What belongs to another answers exactly as what does not exist, to whoever asks.
 */
class IsolationTest {
    private static final String UNKNOWN_ID = "999999999999999999";
    private static final String UNKNOWN_DEVICE = "nobody";

    @TempDir Path data;

    private TestServer server;
    private AppHandle mine;
    private AppHandle theirs;
    private String theirMessage = "";
    private String theirTillToken = "";
    private String myToken = "";

    @BeforeEach
    void start() {
        server = TestServer.start(data);
        mine = server.app();
        theirs = server.app();
        theirs.register("their-device");
        myToken = mine.register("my-device");
        mine.register("my-other-device");
        theirMessage = theirs.publish("\"all\"");
        theirs.call("PUT", "/v1/groups/their-group/members/their-device", null).expect(204);
        theirTillToken =
                theirs.call("POST", "/v1/tills/tokens", "{\"group\":\"their-group\"}")
                        .expect(201)
                        .text("token");
    }

    @AfterEach
    void stop() {
        server.close();
    }

    /** What a route is sent, in the order of its path's names. */
    private record Probe(List<String> foreign, List<String> unknown, @Nullable String body) {}

    private Map<String, Probe> probes() {
        Probe app = new Probe(List.of(theirs.id()), List.of(UNKNOWN_ID), null);
        Probe message = new Probe(List.of(theirMessage), List.of(UNKNOWN_ID), null);
        Probe device = new Probe(List.of("their-device"), List.of(UNKNOWN_DEVICE), null);
        Probe group = new Probe(List.of("their-group"), List.of("unknown-group"), null);
        Probe member =
                new Probe(
                        List.of("their-group", "their-device"),
                        List.of("unknown-group", UNKNOWN_DEVICE),
                        null);
        Probe token = new Probe(List.of(), List.of(), "{\"token\":\"" + theirTillToken + "\"}");
        return Map.ofEntries(
                Map.entry("GET /v1/apps/{id}", app),
                Map.entry("PATCH /v1/apps/{id}", withBody(app, "{\"name\":\"mine now\"}")),
                Map.entry("DELETE /v1/apps/{id}", app),
                Map.entry("POST /v1/apps/{id}/secret", app),
                Map.entry("POST /v1/apps/{id}/device-tokens/revoke", app),
                Map.entry("GET /v1/devices/{deviceId}", device),
                Map.entry("PATCH /v1/devices/{deviceId}", withBody(device, "{\"tags\":[\"x\"]}")),
                Map.entry("DELETE /v1/devices/{deviceId}", device),
                Map.entry("POST /v1/devices/{deviceId}/token/revoke", device),
                Map.entry(
                        "POST /v1/devices/{deviceId}/acks",
                        withBody(device, "{\"ids\":[\"" + theirMessage + "\"]}")),
                Map.entry("GET /v1/groups/{group}", group),
                Map.entry("PUT /v1/groups/{group}/members/{deviceId}", member),
                Map.entry("DELETE /v1/groups/{group}/members/{deviceId}", member),
                Map.entry("POST /v1/tills/tokens/revoke", token),
                Map.entry("GET /v1/messages/{id}", message),
                Map.entry("GET /v1/messages/{id}/devices", message),
                Map.entry("GET /v1/messages/{id}/trace", message),
                Map.entry("DELETE /v1/messages/{id}", message));
    }

    private static Probe withBody(Probe probe, String body) {
        return new Probe(probe.foreign, probe.unknown, body);
    }

    /** Routes that name nothing that could be another's. */
    private static final List<String> WITHOUT_IDS =
            List.of(
                    "POST /v1/developers",
                    "POST /v1/logins",
                    "GET /v1/audit",
                    "POST /v1/apps",
                    "GET /v1/apps",
                    "POST /v1/devices",
                    "GET /v1/devices",
                    "PUT /v1/groups/{group}",
                    "POST /v1/tills/tokens",
                    "POST /v1/messages",
                    "POST /v1/messages/batch",
                    "POST /v1/messages/validate",
                    "GET /v1/messages",
                    "GET /v1/gateways",
                    "GET /v1/nodes",
                    "GET /healthz",
                    "GET /readyz",
                    "GET /metrics",
                    "GET /openapi.yaml");

    private List<Route> routes() {
        return server.node.routes();
    }

    private static String name(Route route) {
        return route.method().name() + " " + route.path();
    }

    @Test
    void everyRouteOfTheRouterIsKnownHere() {
        TreeSet<String> known = new TreeSet<>(WITHOUT_IDS);
        known.addAll(probes().keySet());
        TreeSet<String> real = new TreeSet<>();
        routes().forEach(route -> real.add(name(route)));
        assertThat(known).isEqualTo(real);
    }

    @TestFactory
    Stream<DynamicTest> aForeignIdAnswersLikeAnUnknownOneAndChangesNothing() {
        return routes().stream()
                .filter(route -> probes().containsKey(name(route)))
                .map(route -> DynamicTest.dynamicTest(name(route), () -> foreignIsUnknown(route)));
    }

    private void foreignIsUnknown(Route route) {
        Probe probe = Objects.requireNonNull(probes().get(name(route)));
        for (String caller : callers(route.access())) {
            Reply foreign = call(route, probe.foreign, caller, probe.body);
            Reply unknown = call(route, probe.unknown, caller, probe.body);
            assertThat(foreign.status()).isEqualTo(404);
            assertThat(comparable(foreign)).isEqualTo(comparable(unknown));
        }
        assertThat(theirs.count(theirMessage, "pending")).isEqualTo(1);
        assertThat(
                        theirs.call("GET", "/v1/devices/their-device", null)
                                .expect(200)
                                .json()
                                .path("tags"))
                .isEmpty();
        assertThat(
                        theirs.call("GET", "/v1/groups/their-group", null)
                                .expect(200)
                                .json()
                                .path("devices"))
                .hasSize(1);
    }

    /** Everyone who may call a route and owns nothing of theirs. */
    private List<String> callers(Access access) {
        String device = "Bearer " + myToken;
        return switch (access) {
            case PUBLIC, PUBLIC_OR_PROVED -> List.of();
            case DEVELOPER -> List.of(mine.developer());
            case APP -> List.of(mine.credentials());
            case APP_OR_DEVELOPER -> List.of(mine.credentials(), mine.developer());
            case APP_OR_DEVICE -> List.of(mine.credentials(), device);
            case DEVICE -> List.of(device);
        };
    }

    private Reply call(
            Route route, List<String> ids, @Nullable String caller, @Nullable String body) {
        String path = route.path();
        for (String id : ids) {
            path = path.replaceFirst("\\{[^}]+}", id);
        }
        return server.api.call(route.method().name(), path, caller, body);
    }

    private static String comparable(Reply reply) {
        return reply.response().body().replaceAll("\"requestId\":\"[^\"]*\"", "");
    }

    @TestFactory
    Stream<DynamicTest> everyRouteButThePublicOnesAsksForProof() {
        return routes().stream()
                .filter(route -> !route.access().name().startsWith("PUBLIC"))
                .map(route -> DynamicTest.dynamicTest(name(route), () -> asksForProof(route)));
    }

    private void asksForProof(Route route) {
        String body = route.method().name().matches("POST|PATCH|PUT") ? "{}" : null;
        String reference = null;
        for (String wrong : wrongCredentials(route.access())) {
            Reply reply = call(route, List.of("1", "1"), wrong.isEmpty() ? null : wrong, body);
            assertThat(reply.status()).as(wrong).isEqualTo(401);
            reference = reference == null ? comparable(reply) : reference;
            assertThat(comparable(reply)).as("every 401 is the same").isEqualTo(reference);
        }
    }

    private List<String> wrongCredentials(Access access) {
        List<String> wrong =
                new ArrayList<>(
                        List.of(
                                "",
                                "Basic !!!",
                                "Basic ",
                                "Bearer nonsense",
                                "Bearer dt_nonsense",
                                "Digest x",
                                TestApi.basic(mine.appKey(), "wrong"),
                                TestApi.basic("unknown", mine.masterSecret()),
                                TestApi.basic(mine.appKey(), theirs.masterSecret())));
        if (access == Access.APP || access == Access.APP_OR_DEVICE) {
            wrong.add(mine.developer());
        }
        if (access == Access.DEVELOPER || access == Access.DEVICE) {
            wrong.add(mine.credentials());
        }
        if (access != Access.APP_OR_DEVICE && access != Access.DEVICE) {
            wrong.add("Bearer " + myToken);
        }
        return wrong;
    }

    @Test
    void aDeviceSeesItselfOnly() {
        String self = "Bearer " + myToken;
        server.api.call("GET", "/v1/devices/my-device", self, null).expect(200);
        server.api.call("GET", "/v1/devices/my-other-device", self, null).expect(404);
        server.api.call("DELETE", "/v1/devices/my-other-device", self, null).expect(404);
        server.api.call("DELETE", "/v1/devices/my-device", self, null).expect(204);
        server.api.call("GET", "/v1/devices/my-device", self, null).expect(401);
    }

    @Test
    void listsHoldOnlyWhatIsOnesOwn() {
        assertThat(mine.call("GET", "/v1/messages", null).json().path("items")).isEmpty();
        assertThat(mine.call("GET", "/v1/devices", null).json().path("items")).hasSize(2);
        assertThat(server.api.call("GET", "/v1/apps", mine.developer(), null).json().path("items"))
                .hasSize(1);
        server.api
                .call("GET", "/v1/messages?app=" + theirs.id(), mine.developer(), null)
                .expect(404);
        assertThat(
                        server.api
                                .call(
                                        "GET",
                                        "/v1/messages?app=" + theirs.id(),
                                        theirs.developer(),
                                        null)
                                .expect(200)
                                .json()
                                .path("items"))
                .hasSize(1);
    }

    @Test
    void namingAnothersDevicesOrUsersReachesNobody() {
        theirs.register("theirs-2", ",\"user\":\"anna\"");
        String id = mine.publish("{\"devices\":[\"their-device\"]}");
        assertThat(mine.count(id, "targeted")).isZero();
        assertThat(mine.count(mine.publish("{\"users\":[\"anna\"]}"), "targeted")).isZero();
    }

    @Test
    void aGroupOfTheSameNameIsAnother() {
        mine.call("PUT", "/v1/groups/their-group", "{\"devices\":[\"my-device\"]}").expect(200);
        Reply foreign =
                mine.call("PUT", "/v1/groups/mine", "{\"devices\":[\"their-device\"]}").expect(400);
        assertThat(foreign.code()).isEqualTo("device.unknown");
        String any = ",\"options\":{\"delivery\":\"any\"}";
        String id = mine.publish("{\"groups\":[\"their-group\"]}", any);
        assertThat(mine.states(id)).containsExactly("my-device=queued");
        String each = mine.publish("{\"groups\":[\"their-group\"]}");
        assertThat(mine.states(each)).containsExactly("my-device=queued");
        mine.call("POST", "/v1/tills/tokens/revoke", "{\"group\":\"their-group\"}").expect(404);
        theirs.call("POST", "/v1/tills/tokens/revoke", "{\"token\":\"" + theirTillToken + "\"}")
                .expect(204);
    }

    @Test
    void anotherAppsCredentialsDoNotRegisterDevicesHere() {
        mine.call(
                        "POST",
                        "/v1/devices",
                        "{\"appKey\":\""
                                + theirs.appKey()
                                + "\",\"platform\":\"web\",\"deviceId\":\"their-device\"}")
                .expect(401);
    }
}
