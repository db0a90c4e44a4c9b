package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.postrider.client.DeviceClient;
import io.postrider.client.DeviceClientBuilder;
import io.postrider.client.DeviceObserver;
import io.postrider.client.DeviceState;
import io.postrider.client.Gateway;
import io.postrider.client.PostriderException;
import io.postrider.client.PublishRequest;
import io.postrider.client.Published;
import io.postrider.client.Publisher;
import io.postrider.client.ReceivedMessage;
import io.postrider.client.Registrar;
import io.postrider.client.Registrar.Registered;
import io.postrider.client.Threads;
import io.postrider.client.Transport;
import io.postrider.server.TestApi.AppHandle;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The SDK against a real node, over every transport. */
class SdkTest {
    @TempDir Path data;

    private final ConcurrentLinkedQueue<ReceivedMessage> got = new ConcurrentLinkedQueue<>();
    private final List<String> seen = Collections.synchronizedList(new ArrayList<>());
    private TestServer server;
    private AppHandle app;
    private Publisher publisher;

    private final DeviceObserver observer =
            new DeviceObserver() {
                @Override
                public void onState(DeviceState state) {
                    seen.add("state " + state);
                }

                @Override
                public void onDropped(Gateway gateway, int closeCode, String reason) {
                    seen.add("dropped " + closeCode);
                }

                @Override
                public void onRetry(int attempt, long delayMillis, Gateway gateway) {
                    seen.add("retry " + attempt);
                }

                @Override
                public void onTokenRenewed(String token) {
                    seen.add("token");
                }

                @Override
                public void onDuplicate(long messageId, int attempt) {
                    seen.add("duplicate attempt " + attempt);
                }

                @Override
                public void onListenerFailed(long messageId, Throwable failure) {
                    seen.add("failed " + failure.getMessage());
                }

                @Override
                public void onAckAnswered(long messageId, String outcome) {
                    seen.add("ack " + outcome);
                }
            };

    @BeforeEach
    void start() {
        server = TestServer.start(data);
        app = server.app();
        publisher = Publisher.of(server.node.http(), app.appKey(), app.masterSecret());
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Registered register(String deviceId) throws IOException {
        return Registrar.onServer(server.node.http(), app.appKey(), app.masterSecret())
                .register(new Registrar.Profile("android").deviceId(deviceId));
    }

    private DeviceClientBuilder device(Transport transport) throws IOException {
        Registered device = register("d");
        return DeviceClient.builder(device.gateways(), device.deviceToken(), got::add)
                .transport(transport)
                .observer(observer);
    }

    private static void awaitReady(DeviceClient client) {
        await().until(() -> client.state() == DeviceState.READY);
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void aMessageArrivesToTheLetterAndItsAckIsCounted(Transport transport) throws Exception {
        try (DeviceClient client = device(transport).build()) {
            client.start();
            awaitReady(client);
            String raw = "{ \"n\":1.10, \"big\": 9007199254740993,\"s\":\"ü\\u0000\" }";
            Published published =
                    publisher.publish(
                            PublishRequest.toDevices("d")
                                    .title("Grüße 你好")
                                    .body("b")
                                    .url("https://example.org/")
                                    .extrasJson("{\"k\":[1, 2]}")
                                    .dataJson(raw));
            assertThat(published.targeted()).isEqualTo(1);
            await().until(() -> seen.contains("ack recorded"));
            ReceivedMessage message = got.remove();
            assertThat(message.id()).isEqualTo(published.id());
            assertThat(message.title()).isEqualTo("Grüße 你好");
            assertThat(message.body()).isEqualTo("b");
            assertThat(message.url()).isEqualTo("https://example.org/");
            assertThat(message.extras()).isEqualTo("{\"k\":[1, 2]}");
            assertThat(message.data()).isEqualTo(raw);
            assertThat(message.attempt()).isEqualTo(1);
            assertThat(message.wantsAck()).isTrue();
            assertThat(message.expiresAt()).isEqualTo(published.expiresAt());
            assertThat(app.count(Long.toString(published.id()), "delivered")).isEqualTo(1);
        }
    }

    @Test
    void aPublisherGoesOnAtAnotherNodeAndStaysThere() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        try (ServerSocket ill = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread.startVirtualThread(() -> hangUp(ill, asked));
            Publisher either =
                    Publisher.of(
                                    "http://127.0.0.1:" + ill.getLocalPort(),
                                    app.appKey(),
                                    app.masterSecret())
                            .orAt(server.node.http());
            assertThat(either.publish(PublishRequest.toAll().title("1")).replayed()).isFalse();
            int before = asked.get();
            assertThat(before).isPositive();
            assertThat(either.publish(PublishRequest.toAll().title("2")).replayed()).isFalse();
            assertThat(asked).hasValue(before);
        }
    }

    private static void hangUp(ServerSocket on, AtomicInteger asked) {
        try {
            while (true) {
                on.accept().close();
                asked.incrementAndGet();
            }
        } catch (IOException closed) {
            // The test has ended.
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void aLostConnectionComesBackAndNothingIsHandedTwice(Transport transport) throws Exception {
        try (DeviceClient client = device(transport).manualAcks().build()) {
            client.start();
            awaitReady(client);
            Published first = publisher.publish(PublishRequest.toAll().title("1"));
            await().until(() -> got.size() == 1);
            client.dropConnection();
            await().until(() -> seen.contains("duplicate attempt 2"));
            assertThat(got).hasSize(1);
            client.acknowledge(first.id());
            await().until(() -> seen.contains("ack recorded"));
            assertThat(seen).contains("retry 1");
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void anAckThatWasNotConfirmedIsRepeatedOnTheNextConnection(Transport transport)
            throws Exception {
        try (DeviceClient client = device(transport).manualAcks().build()) {
            client.start();
            awaitReady(client);
            Published published = publisher.publish(PublishRequest.toAll().title("1"));
            await().until(() -> got.size() == 1);
            client.networkChanged(false);
            assertThat(client.state()).isEqualTo(DeviceState.OFFLINE);
            client.acknowledge(published.id());
            client.networkChanged(true);
            await().until(() -> seen.contains("ack recorded"));
            assertThat(app.count(Long.toString(published.id()), "delivered")).isEqualTo(1);
        }
    }

    @Test
    void whatTheListenerRefusesIsNotAckedAndComesAgain() throws Exception {
        AtomicInteger calls = new AtomicInteger();
        Registered registered = register("d");
        try (DeviceClient client =
                DeviceClient.builder(
                                registered.gateways(),
                                registered.deviceToken(),
                                message -> {
                                    if (calls.incrementAndGet() == 1) {
                                        throw new IllegalStateException("not now");
                                    }
                                })
                        .observer(observer)
                        .build()) {
            client.start();
            awaitReady(client);
            Published published = publisher.publish(PublishRequest.toAll().title("1"));
            await().until(() -> seen.contains("failed not now"));
            assertThat(app.count(Long.toString(published.id()), "pending")).isEqualTo(1);
            client.dropConnection();
            await().until(() -> seen.contains("ack recorded"));
            assertThat(calls).hasValue(2);
        }
    }

    @Test
    void aStoppingServerIsLeftAndFoundAgain() throws Exception {
        try (DeviceClient client = device(Transport.TCP).build()) {
            client.start();
            awaitReady(client);
            server.close();
            await().until(() -> seen.contains("dropped 4000"));
            assertThat(client.state()).isNotEqualTo(DeviceState.STOPPED);
        }
        start();
    }

    @Test
    void aNewerConnectionStopsTheOlderForGood() throws Exception {
        try (DeviceClient older = device(Transport.TCP).build();
                DeviceClient newer = device(Transport.WEBSOCKET).build()) {
            older.start();
            awaitReady(older);
            newer.start();
            await().until(() -> older.state() == DeviceState.STOPPED);
            assertThat(seen).contains("dropped 4503");
            awaitReady(newer);
        }
    }

    @Test
    void aRefusedTokenIsReplacedBySource() throws Exception {
        Registered registered = register("d");
        try (DeviceClient client =
                DeviceClient.builder(registered.gateways(), "dt_old", got::add)
                        .observer(observer)
                        .tokenSource(() -> register("d").deviceToken())
                        .build()) {
            client.start();
            awaitReady(client);
            assertThat(seen).contains("dropped 4200", "token");
        }
    }

    @Test
    void withoutATokenSourceARefusedTokenStopsTheClient() throws Exception {
        Registered registered = register("d");
        try (DeviceClient client =
                DeviceClient.builder(registered.gateways(), "dt_old", got::add).build()) {
            client.start();
            await().until(() -> client.state() == DeviceState.STOPPED);
        }
    }

    @Test
    void itFailsOverAlongTheGateways() throws Exception {
        Registered registered = register("d");
        List<Gateway> gateways = new ArrayList<>();
        gateways.add(Gateway.of("tcp://127.0.0.1:1"));
        gateways.addAll(registered.gateways());
        try (DeviceClient client =
                DeviceClient.builder(gateways, registered.deviceToken(), got::add)
                        .transport(Transport.TCP)
                        .build()) {
            client.start();
            awaitReady(client);
        }
    }

    @Test
    void whereADeviceConnectsCanBeAskedWithoutRegistering() throws Exception {
        Registered registered = register("d & e");
        Registrar device = Registrar.onDevice(server.node.http(), app.appKey());
        assertThat(device.gateways("d & e")).isEqualTo(registered.gateways());
        assertThatThrownBy(() -> device.gateways(""))
                .isInstanceOf(PostriderException.class)
                .hasMessageContaining("400");
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void aConnectionTakesOneThreadOfTheCallers(Transport transport) throws Exception {
        AtomicInteger made = new AtomicInteger();
        Threads threads =
                Threads.of(task -> {
                    made.incrementAndGet();
                    return new Thread(task);
                });
        try (DeviceClient client = device(transport).threads(threads).build()) {
            client.start();
            awaitReady(client);
            publisher.publish(PublishRequest.toAll().title("1"));
            await().until(() -> got.size() == 1);
            assertThat(made).hasValue(1);
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void whatTheListenerTookBeforeItClosedTheClientIsAcked(Transport transport) throws Exception {
        Registered registered = register("d");
        List<DeviceClient> self = new ArrayList<>();
        DeviceClient client =
                DeviceClient.builder(
                                registered.gateways(),
                                registered.deviceToken(),
                                message -> self.get(0).close())
                        .transport(transport)
                        .build();
        self.add(client);
        client.start();
        awaitReady(client);
        Published published = publisher.publish(PublishRequest.toAll().title("1"));
        await().until(() -> app.count(Long.toString(published.id()), "delivered") == 1);
        assertThat(client.state()).isEqualTo(DeviceState.STOPPED);
    }

    @Test
    void openedIsKeptWhileThereIsNoConnection() throws Exception {
        try (DeviceClient client = device(Transport.WEBSOCKET).build()) {
            client.start();
            awaitReady(client);
            Published published = publisher.publish(PublishRequest.toAll().title("1"));
            await().until(() -> seen.contains("ack recorded"));
            client.networkChanged(false);
            client.opened(published.id());
            client.networkChanged(true);
            await().until(() -> app.count(Long.toString(published.id()), "opened") == 1);
        }
    }

    @Test
    void aGatewayThatNeverSaysReadyIsGivenUp() throws Exception {
        List<Gateway> gateways = new ArrayList<>();
        try (ServerSocket mute = new ServerSocket(0)) {
            Thread.ofVirtual().start(() -> upgradeAndSayNothing(mute));
            gateways.add(Gateway.of("ws://127.0.0.1:" + mute.getLocalPort() + "/gateway"));
            try (DeviceClient client =
                    DeviceClient.builder(gateways, "dt_x", got::add).observer(observer).build()) {
                client.start();
                await().atMost(Duration.ofSeconds(30)).until(() -> seen.contains("retry 1"));
            }
        }
    }

    private void upgradeAndSayNothing(ServerSocket mute) {
        try (Socket socket = mute.accept()) {
            BufferedReader in =
                    new BufferedReader(
                            new InputStreamReader(
                                    socket.getInputStream(), StandardCharsets.US_ASCII));
            String key = "";
            for (String line = in.readLine(); !line.isEmpty(); line = in.readLine()) {
                if (line.startsWith("Sec-WebSocket-Key: ")) {
                    key = line.substring(19);
                }
            }
            byte[] digest =
                    MessageDigest.getInstance("SHA-1")
                            .digest(
                                    (key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
                                            .getBytes(StandardCharsets.US_ASCII));
            String answer =
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                            + "Connection: Upgrade\r\nSec-WebSocket-Accept: "
                            + Base64.getEncoder().encodeToString(digest)
                            + "\r\nSec-WebSocket-Protocol: postrider.v1.proto\r\n\r\n";
            socket.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
            while (in.read() >= 0) {
                seen.add("mute heard something");
            }
        } catch (IOException | GeneralSecurityException ended) {
            // The client has given up, as it should.
        }
    }

    @Test
    void whateverCanBePublishedCanBeReadInEveryEncoding() throws Exception {
        for (Transport transport : Transport.values()) {
            got.clear();
            try (DeviceClient client = device(transport).build()) {
                client.start();
                awaitReady(client);
                String data =
                        "{\""
                                + "k".repeat(30_000)
                                + "\":"
                                + "[".repeat(60)
                                + "]".repeat(60)
                                + ",\"n\":"
                                + "1".repeat(900)
                                + "}";
                publisher.publish(PublishRequest.toAll().dataJson(data));
                await().until(() -> got.size() == 1);
                assertThat(got.remove().data()).isEqualTo(data);
            }
        }
    }

    @Test
    void refusalsCarryTheirCodeAndAreNotRepeated() {
        assertThatThrownBy(() -> publisher.publish(PublishRequest.toAll()))
                .isInstanceOfSatisfying(
                        PostriderException.class,
                        refusal -> {
                            assertThat(refusal.status()).isEqualTo(400);
                            assertThat(refusal.code()).isEqualTo("message.empty");
                            assertThat(refusal.certainlyRefused()).isTrue();
                        });
    }

    @Test
    void aRepeatedPublishIsOneMessage() throws Exception {
        Published first =
                publisher.publish(PublishRequest.toAll().title("1").idempotencyKey("key"));
        Published again =
                publisher.publish(PublishRequest.toAll().title("1").idempotencyKey("key"));
        assertThat(again.id()).isEqualTo(first.id());
        assertThat(again.replayed()).isTrue();
    }
}
