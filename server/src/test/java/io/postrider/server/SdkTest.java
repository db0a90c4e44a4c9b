package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.postrider.client.DeviceClient;
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
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
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

    private DeviceClient.Builder device(Transport transport) throws IOException {
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
