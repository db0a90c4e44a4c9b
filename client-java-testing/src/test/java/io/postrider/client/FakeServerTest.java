package io.postrider.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.postrider.client.Registrar.Profile;
import io.postrider.client.Registrar.Registered;
import io.postrider.client.testing.FakeServer;
import io.postrider.protocol.CloseCode;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The SDK against a server that does what the test says, as users of the SDK would test theirs. */
class FakeServerTest {
    private static final Duration SOON = Duration.ofSeconds(10);

    @TempDir Path folder;

    private FakeServer server;
    private Registered device;
    private final List<Long> handed = new CopyOnWriteArrayList<>();
    private final List<Long> duplicates = new CopyOnWriteArrayList<>();
    private final List<DeviceState> states = new CopyOnWriteArrayList<>();

    @BeforeEach
    void start() throws IOException {
        server = FakeServer.start();
        device = Registrar.onDevice(server.url(), "key").register(new Profile("iot"));
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    private DeviceClientBuilder client() {
        return DeviceClient.builder(device, message -> handed.add(message.id()))
                .observer(
                        new DeviceObserver() {
                            @Override
                            public void onDuplicate(long messageId, int attempt) {
                                duplicates.add(messageId);
                            }

                            @Override
                            public void onState(DeviceState state) {
                                states.add(state);
                            }
                        });
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void itPushesUntilTheDeviceAcks(Transport transport) throws Exception {
        long id = server.push("Hello", "world");
        try (DeviceClient client = client().transport(transport).build()) {
            client.start();
            server.awaitAck(id, SOON);
            server.dropConnections();
            server.awaitConnections(0, SOON);
            server.awaitConnections(1, SOON);
            long next = server.push("Hello", "again");
            server.awaitAck(next, SOON);
            assertThat(handed).containsExactly(id, next);
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void acksThatNobodyAnswersAreSentThriceAndThenGoOverHttp(Transport transport) throws Exception {
        server.answerAcks(false);
        DeviceClientBuilder impatient = client().transport(transport);
        impatient.ackTimeoutMillis = 100;
        try (DeviceClient client = impatient.build()) {
            client.start();
            long id = server.push("Hello", "world");
            server.awaitAck(id, SOON);
            assertThat(server.ackedOverHttp()).containsExactly(id);
            assertThat(server.ackFrames()).isEqualTo(Acks.SENDS);
        }
    }

    @Test
    void acksReachTheServerOverHttpWhileThereIsNoConnection() throws Exception {
        server.answerAcks(false);
        DeviceClientBuilder impatient = client();
        impatient.ackTimeoutMillis = 100;
        try (DeviceClient client = impatient.build()) {
            client.start();
            server.awaitConnections(1, SOON);
            client.networkChanged(false);
            server.awaitConnections(0, SOON);
            client.opened(77);
            server.awaitAck(77, SOON);
            assertThat(server.connections()).isZero();
        }
    }

    @Test
    void g5WhatWasAcknowledgedIsNotHandedAgainAfterARestart() throws Exception {
        File memory = folder.resolve("acked").toFile();
        server.answerAcks(false);
        long id;
        try (DeviceClient client = client().memory(memory).build()) {
            client.start();
            id = server.push("Hello", "world");
            await().until(() -> server.ackFrames() == 1);
        }
        server.answerAcks(true);
        try (DeviceClient client = client().memory(memory).build()) {
            client.start();
            server.awaitAck(id, SOON);
            assertThat(handed).containsExactly(id);
            assertThat(duplicates).containsExactly(id);
        }
    }

    @Test
    void withoutAMemoryItIsHandedAgain() throws Exception {
        server.answerAcks(false);
        long id;
        try (DeviceClient client = client().build()) {
            client.start();
            id = server.push("Hello", "world");
            await().until(() -> server.ackFrames() == 1);
        }
        server.answerAcks(true);
        try (DeviceClient client = client().build()) {
            client.start();
            server.awaitAck(id, SOON);
            assertThat(handed).containsExactly(id, id);
        }
    }

    @Test
    void aMemoryIsForOneClientAtATime() {
        File memory = folder.resolve("acked").toFile();
        DeviceClient first = client().memory(memory).build();
        assertThatThrownBy(() -> client().memory(memory).build())
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("another client");
        first.close();
        client().memory(memory).build().close();
    }

    @Test
    void theFileHoldsTheNewestIdsAndStaysSmall() throws IOException {
        File path = folder.resolve("ids").toFile();
        try (IdFile file = new IdFile(path, 8)) {
            for (long id = 1; id <= 21; id++) {
                file.add(id);
            }
        }
        assertThat(path).hasSize(8 * 16);
        try (IdFile file = new IdFile(path, 8)) {
            assertThat(file.ids()).containsExactly(14L, 15L, 16L, 17L, 18L, 19L, 20L, 21L);
            file.add(22);
        }
        try (IdFile file = new IdFile(path, 8)) {
            assertThat(file.ids()).containsExactly(15L, 16L, 17L, 18L, 19L, 20L, 21L, 22L);
        }
    }

    @Test
    void aSlotThatWasHalfWrittenCostsThatSlotOnly() throws IOException {
        File path = folder.resolve("ids").toFile();
        try (IdFile file = new IdFile(path, 8)) {
            for (long id = 1; id <= 8; id++) {
                file.add(id);
            }
        }
        try (RandomAccessFile torn = new RandomAccessFile(path, "rw")) {
            torn.seek(3 * 16 + 5);
            torn.write(0x55);
        }
        try (IdFile file = new IdFile(path, 8)) {
            assertThat(file.ids()).containsExactly(1L, 2L, 3L, 5L, 6L, 7L, 8L);
        }
        Files.write(path.toPath(), "no such file, but some text".getBytes(StandardCharsets.UTF_8));
        try (IdFile file = new IdFile(path, 8)) {
            assertThat(file.ids()).isEmpty();
        }
    }

    @Test
    void recallsSettlingGoawaysAndRefusedTokensCanBePlayed() throws Exception {
        List<Long> recalled = new CopyOnWriteArrayList<>();
        List<Long> settled = new CopyOnWriteArrayList<>();
        MessageListener listener =
                new MessageListener() {
                    @Override
                    public void onMessage(ReceivedMessage message) {
                        handed.add(message.id());
                    }

                    @Override
                    public void onRecall(long messageId) {
                        recalled.add(messageId);
                    }

                    @Override
                    public void onSettled(long messageId) {
                        settled.add(messageId);
                    }
                };
        try (DeviceClient client = DeviceClient.builder(device, listener).build()) {
            client.start();
            server.awaitConnections(1, SOON);
            long id = server.push("Hello", "world");
            server.awaitAck(id, SOON);
            server.recall(id);
            await().until(() -> recalled.contains(id));
            server.settle(id + 1);
            await().until(() -> settled.contains(id + 1));
            server.goAway(Duration.ofMillis(1), Duration.ofMillis(1));
            server.closeConnections(CloseCode.SHUTDOWN);
            server.awaitConnections(0, SOON);
            server.awaitConnections(1, SOON);
            server.refuseTokens(true);
            server.dropConnections();
            await().until(() -> client.state() == DeviceState.STOPPED);
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void whoFindsNoneOfItsGatewaysAsksForOthers(Transport transport) throws Exception {
        List<Gateway> gone =
                Arrays.asList(
                        Gateway.of("tcp://127.0.0.1:1"), Gateway.of("ws://127.0.0.1:1/gateway"));
        Registered before =
                new Registered(device.rest, device.deviceId(), device.deviceToken(), gone);
        DeviceClientBuilder eager =
                DeviceClient.builder(before, message -> handed.add(message.id()));
        eager.backoff = new Backoff(bound -> 20);
        try (DeviceClient client = eager.transport(transport).build()) {
            client.start();
            server.awaitConnections(1, SOON);
        }
    }

    @Test
    void publishesCanBeAcceptedAndRefused() throws Exception {
        Publisher publisher = Publisher.of(server.url(), "key", "secret").withAttempts(1);
        publisher.publish(PublishRequest.toAll().title("x"));
        assertThat(server.published()).singleElement().asString().contains("\"title\":\"x\"");
        server.answerPublishes(429);
        assertThatThrownBy(() -> publisher.publish(PublishRequest.toAll().title("y")))
                .isInstanceOf(PostriderException.class)
                .hasMessageContaining("429");
    }
}
