package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.protocol.CloseCode;
import io.postrider.server.TestApi.AppHandle;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokens that are void reach nothing any more, and what was opened with them is closed. */
class RevocationTest {
    @TempDir Path data;

    private static final String REVOKE = "/v1/devices/d/token/revoke";

    @Test
    void aRevokedTokenIsVoidEverywhereAndItsSocketClosesWithin5Seconds() {
        try (TestServer server = TestServer.start(data)) {
            AppHandle app = server.app();
            String tcp = app.gateway("tcp");
            String token = app.register("d");
            String self = TestApi.bearer(token);
            try (WireDevice live = WireDevice.connected(tcp, token);
                    WireDevice other = WireDevice.connected(tcp, app.register("e"))) {
                long began = System.nanoTime();
                app.call("POST", REVOKE, null).expect(204);
                assertThat(live.readClose()).isEqualTo(CloseCode.TOKEN_REFUSED.number());
                assertThat(Duration.ofNanos(System.nanoTime() - began))
                        .isLessThan(Duration.ofSeconds(5));
                assertThat(other.readAllNow()).isEmpty();
            }
            server.api.call("GET", "/v1/devices/d", self, null).expect(401);
            String registration =
                    "{\"appKey\":\"" + app.appKey() + "\",\"platform\":\"iot\",\"deviceId\":\"d\"}";
            server.api.call("POST", "/v1/devices", self, registration).expect(401);
            assertThatRefused(tcp, token);
            try (WireDevice again = WireDevice.connected(tcp, app.register("d"))) {
                assertThat(again.readAllNow()).isEmpty();
            }
        }
    }

    private static void assertThatRefused(String tcp, String token) {
        try (WireDevice replay = new WireDevice(tcp)) {
            replay.connect(token);
            assertThat(replay.read().getError().getCode()).isEqualTo("token_refused");
            assertThat(replay.readClose()).isEqualTo(CloseCode.TOKEN_REFUSED.number());
        }
    }

    /** Only the store knows: a node hears of it later, if at all. */
    @Test
    void aDeletedDevicesTokenIsVoidForItsRoutesToo() {
        try (TestServer server = TestServer.start(data)) {
            AppHandle app = server.app();
            String self = TestApi.bearer(app.register("d"));
            server.api.call("GET", "/v1/devices/other", self, null).expect(404);
            app.call("DELETE", "/v1/devices/d", null).expect(204);
            server.api.call("GET", "/v1/devices/d", self, null).expect(401);
            server.api
                    .call("POST", "/v1/devices/d/acks", self, "{\"messageIds\":[\"1\"]}")
                    .expect(401);
        }
    }

    @Test
    void aRevocationSurvivesARestart() {
        String token;
        AppHandle app;
        try (TestServer server = TestServer.start(data)) {
            app = server.app();
            token = app.register("d");
            app.call("POST", REVOKE, null).expect(204);
        }
        try (TestServer server = TestServer.start(data)) {
            server.api.call("GET", "/v1/devices/d", TestApi.bearer(token), null).expect(401);
            assertThatRefused("tcp://" + server.node.gateway(), token);
        }
    }

    @Test
    void revokingAllTokensOfAnAppClosesItsSocketsAndNobodyElses() {
        try (TestServer server = TestServer.start(data)) {
            AppHandle app = server.app();
            AppHandle other = server.app();
            String tcp = app.gateway("tcp");
            String token = app.register("d");
            try (WireDevice live = WireDevice.connected(tcp, token);
                    WireDevice others = WireDevice.connected(tcp, other.register("d"))) {
                server.api
                        .call(
                                "POST",
                                "/v1/apps/" + app.id() + "/device-tokens/revoke",
                                app.developer(),
                                null)
                        .expect(204);
                assertThat(live.readClose()).isEqualTo(CloseCode.TOKEN_REFUSED.number());
                assertThat(others.readAllNow()).isEmpty();
            }
            assertThatRefused(tcp, token);
        }
    }

    @Test
    void anAckOfARevokedTokenCountsForNothing() {
        try (TestServer server = TestServer.start(data)) {
            AppHandle app = server.app();
            String token = app.register("d");
            String id = app.publish("{\"devices\":[\"d\"]}");
            app.call("POST", REVOKE, null).expect(204);
            server.api
                    .call(
                            "POST",
                            "/v1/devices/d/acks",
                            TestApi.bearer(token),
                            "{\"ids\":[\"" + id + "\"]}")
                    .expect(401);
            assertThat(app.count(id, "pending")).isEqualTo(1);
            String fresh = app.register("d");
            server.api
                    .call(
                            "POST",
                            "/v1/devices/d/acks",
                            TestApi.bearer(fresh),
                            "{\"ids\":[\"" + id + "\",\"7\"]}")
                    .expect(200);
            assertThat(app.count(id, "delivered")).isEqualTo(1);
        }
    }

    @Test
    void g13AckOverHttpIsForTheDeviceItselfAndSaysHowEachWasTaken() {
        try (TestServer server = TestServer.start(data)) {
            AppHandle app = server.app();
            String token = app.register("d");
            app.register("e");
            String mine = app.publish("{\"devices\":[\"d\"]}");
            String theirs = app.publish("{\"devices\":[\"e\"]}");
            String acks =
                    "{\"ids\":[\"" + mine + "\",\"" + theirs + "\"],\"opened\":[\"" + mine + "\"]}";
            assertThat(
                            server.api
                                    .call("POST", "/v1/devices/d/acks", TestApi.bearer(token), acks)
                                    .expect(200)
                                    .json()
                                    .path("results")
                                    .toString())
                    .isEqualTo(
                            "[{\"id\":\""
                                    + mine
                                    + "\",\"outcome\":\"recorded\"},{\"id\":\""
                                    + theirs
                                    + "\",\"outcome\":\"unknown\"},{\"id\":\""
                                    + mine
                                    + "\",\"outcome\":\"recorded\"}]");
            assertThat(app.count(mine, "opened")).isEqualTo(1);
            assertThat(app.count(theirs, "pending")).isEqualTo(1);
            server.api.call("POST", "/v1/devices/e/acks", TestApi.bearer(token), acks).expect(404);
            for (String bad :
                    new String[] {
                        "{}",
                        "{\"ids\":[]}",
                        "{\"ids\":[\"x\"]}",
                        "{\"ids\":[null]}",
                        "{\"ids\":[7]}",
                        "{\"ids\":[\"99999999999999999999\"]}"
                    }) {
                server.api
                        .call("POST", "/v1/devices/d/acks", TestApi.bearer(token), bad)
                        .expect(400);
            }
        }
    }
}
