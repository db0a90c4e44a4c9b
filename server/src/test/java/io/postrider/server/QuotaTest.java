package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.protocol.CloseCode;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.TestApi.Reply;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What one app may take, and that it takes nothing from another (G10, G13). */
class QuotaTest {
    private static final String MESSAGE = "{\"audience\":\"all\",\"data\":1}";

    @TempDir Path data;

    private static Reply publish(AppHandle app) {
        return app.call("POST", "/v1/messages", MESSAGE);
    }

    private static void assertExceeded(Reply reply, int limit) {
        assertThat(reply.expect(429).code()).isEqualTo("quota.exceeded");
        assertThat(reply.json().path("limit").asInt()).isEqualTo(limit);
        assertThat(reply.response().headers().firstValue("Retry-After").orElseThrow())
                .matches("[1-9]\\d*");
    }

    @Test
    void anAppPublishesSoManyASecond() {
        try (TestServer server =
                TestServer.start(data, Map.of("quota-publishes-per-second", "5"))) {
            AppHandle app = server.app();
            AppHandle other = server.app();
            Reply reply = publish(app);
            while (reply.status() == 202) {
                reply = publish(app);
            }
            assertExceeded(reply, 5);
            publish(other).expect(202);
            server.clock.advance(Duration.ofSeconds(1));
            publish(app).expect(202);
        }
    }

    @Test
    void anAppKeepsSoManyMessages() {
        try (TestServer server = TestServer.start(data, Map.of("quota-stored-messages", "3"))) {
            AppHandle app = server.app();
            AppHandle other = server.app();
            for (int i = 0; i < 3; i++) {
                app.call("POST", "/v1/messages", MESSAGE, "Idempotency-Key", "k" + i).expect(202);
            }
            assertExceeded(publish(app), 3);
            app.call("POST", "/v1/messages", MESSAGE, "Idempotency-Key", "k0").expect(202);
            publish(other).expect(202);
        }
        try (TestServer server = TestServer.start(data, Map.of("quota-stored-messages", "3"))) {
            AppHandle app = server.app();
            publish(app).expect(202);
        }
    }

    @Test
    void theCountOfStoredMessagesSurvivesARestart() {
        AppHandle app;
        try (TestServer server = TestServer.start(data, Map.of())) {
            app = server.app();
            publish(app).expect(202);
            publish(app).expect(202);
        }
        try (TestServer server = TestServer.start(data, Map.of("quota-stored-messages", "2"))) {
            AppHandle again =
                    new AppHandle(
                            server.api,
                            app.developer(),
                            app.id(),
                            app.appKey(),
                            app.masterSecret());
            assertExceeded(publish(again), 2);
        }
    }

    @Test
    void anAppHasSoManyConnections() {
        try (TestServer server = TestServer.start(data, Map.of("quota-connections", "2"))) {
            AppHandle app = server.app();
            AppHandle other = server.app();
            String tcp = app.gateway("tcp");
            String first = app.register("a");
            try (WireDevice a = WireDevice.connected(tcp, first);
                    WireDevice b = WireDevice.connected(tcp, app.register("b"));
                    WireDevice o = WireDevice.connected(tcp, other.register("a"));
                    WireDevice c = new WireDevice(tcp)) {
                String third = app.register("c");
                c.connect(third);
                assertThat(c.readClose()).isEqualTo(CloseCode.QUOTA_EXCEEDED.number());
                assertThat(CloseCode.reconnects(CloseCode.QUOTA_EXCEEDED.number())).isTrue();
                // A device that is here already may come again: it takes its own place.
                try (WireDevice again = WireDevice.connected(tcp, first)) {
                    assertThat(a.readClose()).isEqualTo(CloseCode.TAKEN_OVER.number());
                    assertThat(b.readAllNow()).isEmpty();
                    assertThat(o.readAllNow()).isEmpty();
                    b.disconnect();
                    await().until(() -> connects(tcp, third));
                    assertThat(again.readAllNow()).isEmpty();
                }
            }
        }
    }

    @Test
    void connectionsOfAppServersCountToo() {
        try (TestServer server = TestServer.start(data, Map.of("quota-connections", "1"))) {
            AppHandle app = server.app();
            String tcp = app.gateway("tcp");
            ClientFrame connect = WireDevice.asAppServer(app.appKey(), app.masterSecret());
            try (WireDevice first = new WireDevice(tcp);
                    WireDevice second = new WireDevice(tcp);
                    WireDevice device = new WireDevice(tcp)) {
                first.send(connect);
                assertThat(first.read().hasReady()).isTrue();
                second.send(connect);
                assertThat(second.readClose()).isEqualTo(CloseCode.QUOTA_EXCEEDED.number());
                device.connect(app.register("d"));
                assertThat(device.readClose()).isEqualTo(CloseCode.QUOTA_EXCEEDED.number());
                first.disconnect();
                String token = app.register("e");
                await().until(() -> connects(tcp, token));
            }
        }
    }

    private static boolean connects(String tcp, String token) {
        try (WireDevice device = new WireDevice(tcp)) {
            device.connect(token);
            return device.read().hasReady();
        }
    }
}
