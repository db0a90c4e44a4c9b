package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.postrider.client.Gateway;
import io.postrider.client.GatewayPublisher;
import io.postrider.client.PostriderException;
import io.postrider.client.PublishRequest;
import io.postrider.client.Published;
import io.postrider.protocol.CloseCode;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.Publish;
import io.postrider.protocol.v1.Refused;
import io.postrider.protocol.v1.ServerFrame;
import io.postrider.protocol.v1.ServerFrame.FrameCase;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.TestApi.Reply;
import io.postrider.server.clock.Clock;
import io.postrider.server.delivery.MessageStore;
import io.postrider.server.metrics.Metrics;
import io.postrider.server.store.Database;
import io.postrider.server.store.SqlMessages;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** App servers that publish over the gateway. */
class AppServerTest {
    private static final String DEAD = "tcp://127.0.0.1:1";

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

    private WireDevice connected() {
        WireDevice wire = new WireDevice(tcp);
        wire.send(WireDevice.asAppServer(app.appKey(), app.masterSecret()));
        assertThat(wire.read().getFrameCase()).isEqualTo(FrameCase.READY);
        return wire;
    }

    private static ClientFrame publish(String ref, @Nullable String key, String message) {
        Publish.Builder publish = Publish.newBuilder().setRef(ref).setMessage(message);
        if (key != null) {
            publish.setIdempotencyKey(key);
        }
        return ClientFrame.newBuilder().setPublish(publish).build();
    }

    @Test
    void manyPublishesAreOnTheirWayAtOnceAndStoredInTheirOrder() {
        int many = 1_500;
        try (WireDevice wire = connected()) {
            for (int i = 0; i < many; i++) {
                wire.send(publish("r" + i, null, "{\"audience\":\"all\",\"data\":" + i + "}"));
            }
            long last = 0;
            for (int i = 0; i < many; i++) {
                ServerFrame answer = wire.read();
                assertThat(answer.getAccepted().getRef()).isEqualTo("r" + i);
                assertThat(answer.getAccepted().getId()).isGreaterThan(last);
                last = answer.getAccepted().getId();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"audience\":\"all\"}",
                "{\"audience\":\"all\",\"data\":1,\"colour\":2}",
                "{\"audience\":{\"tags\":[]},\"data\":1}",
                "{\"audience\":\"all\",\"data\":1,\"options\":{\"ttlSeconds\":-1}}",
                "{\"audience\":\"all\",\"data\":1,\"data\":1}",
                "not json",
                "",
            })
    void refusalsAreThoseOfRest(String message) {
        try (WireDevice wire = connected()) {
            wire.send(publish("x", null, message));
            Refused refused = wire.read().getRefused();
            Reply rest = app.call("POST", "/v1/messages", message);
            assertThat(refused.getStatus()).isEqualTo(rest.status());
            assertThat(refused.getCode()).isEqualTo(rest.code());
            assertThat(refused.getField()).isEqualTo(rest.text("field"));
            assertThat(refused.getDetail()).isEqualTo(rest.text("detail"));
        }
    }

    @Test
    void g3AKeyIsOneMessageWhicheverPortItComesFrom() {
        String message = "{\"audience\":\"all\",\"data\":1}";
        String id =
                app.call("POST", "/v1/messages", message, "Idempotency-Key", "k")
                        .expect(202)
                        .text("id");
        try (WireDevice wire = connected()) {
            wire.send(publish("1", "k", message));
            ServerFrame replay = wire.read();
            assertThat(replay.getAccepted().getReplayed()).isTrue();
            assertThat(Long.toString(replay.getAccepted().getId())).isEqualTo(id);
            wire.send(publish("2", "k", "{\"audience\":\"all\",\"data\":2}"));
            assertThat(wire.read().getRefused().getCode()).isEqualTo("idempotency.other_body");
        }
    }

    @Test
    void aMessageOverTheLimitIsRefusedAsOverRest() {
        String large = "{\"audience\":\"all\",\"data\":\"" + "x".repeat(64 * 1024) + "\"}";
        try (WireDevice wire = connected()) {
            wire.send(publish("1", null, large));
            assertThat(wire.read().getRefused().getCode()).isEqualTo("request.too_large");
            wire.send(publish("2", null, "{\"audience\":\"all\",\"data\":1}"));
            assertThat(wire.read().getAccepted().getRef()).isEqualTo("2");
        }
    }

    @Test
    void g13CredentialsOfAnotherAppOrNoneAreRefusedAlike() {
        AppHandle other = server.app();
        List<List<String>> wrong =
                List.of(
                        List.of(app.appKey(), "wrong"),
                        List.of("unknown", app.masterSecret()),
                        List.of(app.appKey(), other.masterSecret()),
                        List.of("", ""));
        List<ServerFrame> answers = new ArrayList<>();
        for (List<String> pair : wrong) {
            try (WireDevice wire = new WireDevice(tcp)) {
                wire.send(WireDevice.asAppServer(pair.get(0), pair.get(1)));
                answers.add(wire.read());
                assertThat(wire.readClose()).isEqualTo(CloseCode.CREDENTIALS_REFUSED.number());
            }
        }
        assertThat(answers).allMatch(answers.get(0)::equals);
    }

    @Test
    void devicesDoNotPublishAndAppServersDoNotAck() {
        try (WireDevice device = WireDevice.connected(tcp, app.register("d"))) {
            device.send(publish("1", null, "{\"audience\":\"all\",\"data\":1}"));
            assertThat(device.readClose()).isEqualTo(CloseCode.OUT_OF_ORDER.number());
        }
        String id = app.publish("{\"devices\":[\"d\"]}");
        try (WireDevice wire = connected()) {
            wire.ack(Long.parseLong(id));
            assertThat(wire.readClose()).isEqualTo(CloseCode.OUT_OF_ORDER.number());
        }
        assertThat(app.count(id, "delivered")).isZero();
        assertThat(app.call("GET", "/v1/messages", null).json().path("items")).hasSize(1);
    }

    @Test
    void aNewMasterSecretClosesWhatTheOldOneOpenedAndNothingElse() {
        AppHandle other = server.app();
        try (WireDevice old = connected();
                WireDevice device = WireDevice.connected(tcp, app.register("d"));
                WireDevice others = new WireDevice(tcp)) {
            others.send(WireDevice.asAppServer(other.appKey(), other.masterSecret()));
            assertThat(others.read().getFrameCase()).isEqualTo(FrameCase.READY);
            server.api
                    .call("POST", "/v1/apps/" + app.id() + "/secret", app.developer(), null)
                    .expect(200);
            assertThat(old.readClose()).isEqualTo(CloseCode.CREDENTIALS_REFUSED.number());
            assertThat(device.readAllNow()).isEmpty();
            assertThat(others.readAllNow()).isEmpty();
        }
    }

    @Test
    void aStoppingServerAnswersWhatItTookAndSaysWhenToComeBack() throws Exception {
        try (WireDevice wire = connected()) {
            for (int i = 0; i < 100; i++) {
                wire.send(publish("r" + i, null, "{\"audience\":\"all\",\"data\":" + i + "}"));
            }
            assertThat(wire.read().getAccepted().getRef()).isEqualTo("r0");
            Thread stopping = Thread.startVirtualThread(server::close);
            int answered = 1;
            ServerFrame frame = wire.read();
            boolean goAway = false;
            while (frame.getFrameCase() != FrameCase.CLOSE) {
                answered += frame.hasAccepted() ? 1 : 0;
                goAway |= frame.hasGoaway();
                frame = wire.read();
            }
            assertThat(frame.getClose().getCode()).isEqualTo(CloseCode.SHUTDOWN.number());
            assertThat(goAway).isTrue();
            wire.disconnect();
            stopping.join();
            try (TestServer again = TestServer.start(data)) {
                AppHandle same =
                        new AppHandle(
                                again.api,
                                app.developer(),
                                app.id(),
                                app.appKey(),
                                app.masterSecret());
                assertThat(same.call("GET", "/v1/messages?limit=500", null).json().path("items"))
                        .as("stored and answered are the same")
                        .hasSize(answered);
            }
            server = TestServer.start(data);
        }
    }

    @Test
    void whatADeletedAppPublishesIsNotStored() {
        app.register("d");
        try (WireDevice wire = connected()) {
            for (int i = 0; i < 200; i++) {
                wire.send(publish("r" + i, null, "{\"audience\":\"all\",\"data\":" + i + "}"));
            }
            server.api.call("DELETE", "/v1/apps/" + app.id(), app.developer(), null).expect(204);
            assertThat(wire.readUntil(FrameCase.CLOSE).getClose().getCode())
                    .isEqualTo(CloseCode.CREDENTIALS_REFUSED.number());
        }
        server.close();
        try (Database database = Database.open(data, server.clock, new Metrics())) {
            MessageStore store = new SqlMessages(database, Clock.system(), 0);
            assertThat(store.committedAfter(0, 1_000).arrivals()).isEmpty();
        }
        server = TestServer.start(data);
    }

    @Test
    void thePublisherOfTheSdkGoesToTheNextGatewayWhereOneIsDead() throws Exception {
        app.register("d");
        try (GatewayPublisher publisher =
                GatewayPublisher.of(
                        List.of(Gateway.of(DEAD), Gateway.of(tcp)),
                        app.appKey(),
                        app.masterSecret())) {
            assertThat(publisher.publish(PublishRequest.toAll().title("t")).targeted()).isOne();
        }
    }

    @Test
    void aPublishThatReachesNobodyIsGivenUp() {
        try (GatewayPublisher publisher =
                GatewayPublisher.of(Gateway.of(DEAD), app.appKey(), app.masterSecret())
                        .withAttempts(2)) {
            assertThatThrownBy(() -> publisher.publish(PublishRequest.toAll().title("t")))
                    .isInstanceOf(PostriderException.class)
                    .hasMessageContaining("the connection ended");
        }
    }

    @Test
    void onePublishThatIsTooLargeFailsAlone() throws Exception {
        try (GatewayPublisher publisher =
                GatewayPublisher.of(Gateway.of(tcp), app.appKey(), app.masterSecret())) {
            CompletableFuture<Published> before =
                    publisher.publishLater(PublishRequest.toAll().title("before"));
            CompletableFuture<Published> large =
                    publisher.publishLater(PublishRequest.toAll().title("x".repeat(70_000)));
            CompletableFuture<Published> after =
                    publisher.publishLater(PublishRequest.toAll().title("after"));
            assertThat(after.get().id()).isGreaterThan(before.get().id());
            assertThatThrownBy(large::get).hasMessageContaining("64 KiB");
        }
    }

    @Test
    void g11AnAppServerThatIsSilentIsDropped() {
        try (WireDevice wire = connected()) {
            server.clock.advance(Duration.ofSeconds(46));
            assertThat(wire.readClose()).isEqualTo(CloseCode.HEARTBEAT_MISSED.number());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ws", "tcp"})
    void thePublisherOfTheSdkUsesIt(String transport) throws Exception {
        try (GatewayPublisher publisher =
                GatewayPublisher.of(
                        Gateway.of(app.gateway(transport)), app.appKey(), app.masterSecret())) {
            app.register("d");
            List<CompletableFuture<Published>> answers = new ArrayList<>();
            for (int i = 0; i < 1_200; i++) {
                answers.add(publisher.publishLater(PublishRequest.toDevices("d").title("t" + i)));
            }
            long last = 0;
            for (CompletableFuture<Published> answer : answers) {
                assertThat(answer.get().id()).isGreaterThan(last);
                last = answer.get().id();
            }
            PublishRequest twice = PublishRequest.toAll().title("x").idempotencyKey("k");
            long id = publisher.publish(twice).id();
            assertThat(publisher.publish(twice))
                    .satisfies(replay -> assertThat(replay.id()).isEqualTo(id))
                    .satisfies(replay -> assertThat(replay.replayed()).isTrue());
            assertThatThrownBy(() -> publisher.publish(PublishRequest.toAll()))
                    .isInstanceOfSatisfying(
                            PostriderException.class,
                            refused -> assertThat(refused.code()).isEqualTo("message.empty"));
        }
    }

    @Test
    void thePublisherWaitsForItsQuotaAndLosesNothing(@TempDir Path other) throws Exception {
        try (TestServer slow = TestServer.start(other, Map.of("quota-publishes-per-second", "3"))) {
            AppHandle own = slow.app();
            Reply last = own.call("POST", "/v1/messages", "{\"audience\":\"all\",\"data\":1}");
            while (last.status() == 202) {
                last = own.call("POST", "/v1/messages", "{\"audience\":\"all\",\"data\":1}");
            }
            try (GatewayPublisher publisher =
                    GatewayPublisher.of(
                            Gateway.of(own.gateway("tcp")), own.appKey(), own.masterSecret())) {
                List<CompletableFuture<Published>> answers = new ArrayList<>();
                for (int i = 0; i < 6; i++) {
                    answers.add(publisher.publishLater(PublishRequest.toAll().title("t" + i)));
                }
                for (CompletableFuture<Published> answer : answers) {
                    answer.get();
                }
                assertThat(answers.stream().map(answer -> answer.join().id()).distinct())
                        .hasSize(answers.size());
            }
        }
    }
}
