package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.protocol.v1.Push;
import io.postrider.protocol.v1.ServerFrame.FrameCase;
import io.postrider.server.TestApi.AppHandle;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A message's way from publish to ack, over real sockets. */
class DeliveryTest {
    @TempDir Path data;

    private TestServer server;
    private AppHandle app;
    private String tcp;

    @BeforeEach
    void start() {
        server = TestServer.start(data);
        app = server.app();
        tcp = app.gateway("tcp");
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void aMessageReachesAConnectedDeviceAndItsAckIsCounted() {
        try (WireDevice device = WireDevice.connected(tcp, app.register("d1"))) {
            String id = app.publish("{\"devices\":[\"d1\"]}");
            Push push = device.readPush();
            assertThat(Long.toString(push.getId())).isEqualTo(id);
            assertThat(push.getNotification().getTitle()).isEqualTo("hello");
            assertThat(push.getAttempt()).isZero();
            assertThat(app.count(id, "pending")).isEqualTo(1);
            assertThat(app.states(id)).containsExactly("d1=sent");

            device.ack(push.getId());
            assertThat(device.readUntil(FrameCase.ACKED).getAcked().getResultsList())
                    .singleElement()
                    .satisfies(result -> assertThat(result.getId()).isEqualTo(push.getId()));
            assertThat(app.count(id, "delivered")).isEqualTo(1);
            assertThat(app.states(id)).containsExactly("d1=delivered");
        }
    }

    @Test
    void aDeviceThatWasAwayGetsWhatIsPendingInOrder() {
        String token = app.register("d1");
        List<String> ids =
                List.of(
                        app.publish("{\"devices\":[\"d1\"]}"),
                        app.publish("\"all\""),
                        app.publish("{\"devices\":[\"d1\"]}"));
        try (WireDevice device = WireDevice.connected(tcp, token)) {
            for (String id : ids) {
                assertThat(Long.toString(device.readPush().getId())).isEqualTo(id);
            }
        }
    }

    @Test
    void aMessageToManyIsCountedDeviceByDevice() {
        for (int i = 0; i < 40; i++) {
            app.register("d" + i, i % 2 == 0 ? ",\"tags\":[\"even\"]" : "");
        }
        String id = app.publish("{\"tags\":[\"even\"]}");
        assertThat(app.count(id, "targeted")).isEqualTo(20);
        try (WireDevice device = WireDevice.connected(tcp, app.register("d4"))) {
            Push push = device.readPush();
            device.ack(push.getId());
            device.readUntil(FrameCase.ACKED);
            assertThat(app.count(id, "delivered")).isEqualTo(1);
            assertThat(app.count(id, "pending")).isEqualTo(19);
            assertThat(app.states(id)).contains("d4=delivered", "d6=queued").hasSize(20);
        }
        app.call("DELETE", "/v1/messages/" + id, null).expect(202);
        assertThat(app.count(id, "recalled")).isEqualTo(19);
    }

    @Test
    void aDeviceIsSeenOnlineWhileItIs() {
        WireDevice device = WireDevice.connected(tcp, app.register("d1"));
        assertThat(isOnline()).isTrue();
        device.close();
        await().until(() -> !isOnline());
    }

    private boolean isOnline() {
        return app.call("GET", "/v1/devices/d1", null).json().path("online").asBoolean();
    }
}
