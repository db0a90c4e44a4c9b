package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.client.Gateway;
import io.postrider.client.GatewayPublisher;
import io.postrider.client.PostriderException;
import io.postrider.client.PublishRequest;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.TestApi.Reply;
import io.postrider.server.delivery.MessageStore.Intake;
import java.nio.file.Path;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** More to do than the store can (G10): new work is refused early, what was accepted goes on. */
class OverloadTest {
    private static final String MESSAGE = "{\"audience\":\"all\",\"data\":1}";

    @TempDir Path data;

    private volatile Intake intake = Intake.OPEN;

    @Test
    void g10NewWorkIsRefusedBeforeItIsDurableAndOldWorkGoesOn() throws Exception {
        try (TestServer server =
                TestServer.start(
                        data,
                        seams ->
                                seams.messages(real ->
                                        StoreVariant.of(real, "intake", arguments -> intake)))) {
            AppHandle app = server.app();
            String tcp = app.gateway("tcp");
            String token = app.register("d");
            String id = app.publish("{\"devices\":[\"d\"]}");
            intake = Intake.CONGESTED;

            assertRefused(app.call("POST", "/v1/messages", MESSAGE));
            assertRefused(
                    app.call(
                            "POST",
                            "/v1/devices",
                            "{\"appKey\":\"" + app.appKey() + "\",\"platform\":\"iot\"}"));
            try (GatewayPublisher publisher =
                    GatewayPublisher.of(Gateway.of(tcp), app.appKey(), app.masterSecret())
                            .withAttempts(1)) {
                Assertions.assertThatThrownBy(
                                () -> publisher.publish(PublishRequest.toAll().title("x")))
                        .isInstanceOfSatisfying(
                                PostriderException.class,
                                refused -> assertThat(refused.code()).isEqualTo("overloaded"));
            }
            // A known device comes back, gets what is pending, and its ack counts.
            try (WireDevice device = WireDevice.connected(tcp, token)) {
                assertThat(Long.toString(device.readPush().getId())).isEqualTo(id);
                device.ack(Long.parseLong(id));
                assertThat(device.read().hasAcked()).isTrue();
            }
            app.call("GET", "/v1/messages/" + id, null).expect(200);
            server.api.call("GET", "/readyz", null, null).expect(200);

            intake = Intake.OPEN;
            app.call("POST", "/v1/messages", MESSAGE).expect(202);
            assertThat(app.call("GET", "/v1/messages", null).json().path("items")).hasSize(2);
        }
    }

    private static void assertRefused(Reply reply) {
        assertThat(reply.expect(503).code()).isEqualTo("overloaded");
        assertThat(reply.response().headers().firstValue("Retry-After")).isPresent();
    }
}
