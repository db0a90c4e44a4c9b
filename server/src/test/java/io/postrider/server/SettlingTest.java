package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.client.DeviceClient;
import io.postrider.client.DeviceObserver;
import io.postrider.client.DeviceState;
import io.postrider.client.MessageListener;
import io.postrider.client.PublishRequest;
import io.postrider.client.Publisher;
import io.postrider.client.ReceivedMessage;
import io.postrider.client.Registrar;
import io.postrider.client.Registrar.Profile;
import io.postrider.client.Registrar.Registered;
import io.postrider.client.Transport;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.delivery.AckBatch;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.MessageStore;
import io.postrider.server.history.Settling;
import io.postrider.server.history.Settling.Verdict;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The devices of one group race to acknowledge, over several event loops, while connections break
 * and the node dies: each message has one winner, and every device that had it before it is told.
 */
class SettlingTest {
    private static final int DEVICES = 64;
    private static final int PUBLISHERS = 4;

    @TempDir Path data;

    private final Settling settling = new Settling();
    private final List<DeviceClient> devices = new ArrayList<>();
    private final Set<Long> accepted = ConcurrentHashMap.newKeySet();

    private void start(AppHandle app, int count) throws IOException {
        for (int i = 0; i < count; i++) {
            String name = "d" + i;
            Registered registered =
                    Registrar.onServer(app.api().base, app.appKey(), app.masterSecret())
                            .register(new Profile("iot").deviceId(name));
            app.call("PUT", "/v1/groups/shop/members/" + name, null).expect(204);
            DeviceClient device =
                    DeviceClient.builder(
                                    registered.gateways(), registered.deviceToken(), listener(name))
                            .transport(i % 2 == 0 ? Transport.TCP : Transport.WEBSOCKET)
                            .observer(observer(name))
                            .build();
            devices.add(device);
            device.start();
        }
    }

    private MessageListener listener(String name) {
        return new MessageListener() {
            @Override
            public void onMessage(ReceivedMessage message) {
                settling.presented(name, message.id());
            }

            @Override
            public void onSettled(long messageId) {
                settling.told(name, messageId, "settled");
            }
        };
    }

    private DeviceObserver observer(String name) {
        return new DeviceObserver() {
            @Override
            public void onAckAnswered(long messageId, String outcome) {
                settling.told(name, messageId, outcome);
            }
        };
    }

    private void publish(String http, AppHandle app, int messages) {
        Publisher publisher = Publisher.of(http, app.appKey(), app.masterSecret()).withAttempts(60);
        for (int i = 0; i < messages; i++) {
            try {
                long id =
                        publisher
                                .publish(
                                        PublishRequest.toGroups("shop")
                                                .firstAckSettles()
                                                .ttlSeconds(86_400)
                                                .title("order"))
                                .id();
                settling.accepted(id);
                accepted.add(id);
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private Map<Long, String> winners(AppHandle app) {
        Map<Long, String> winners = new HashMap<>();
        for (long id : accepted) {
            winners.put(
                    id,
                    app.call("GET", "/v1/messages/" + id, null)
                            .json()
                            .path("settlements")
                            .path(0)
                            .path("winner")
                            .asString(""));
        }
        return winners;
    }

    @Test
    void g7ExactlyOneWinsThroughDisconnectsAndCrashes() throws Exception {
        race(1_000, 3);
    }

    @Test
    @Tag("long")
    void g7ExactlyOneWinsEachOf10000Messages() throws Exception {
        race(10_000, 20);
    }

    private void race(int messages, int crashes) throws Exception {
        Random random = new Random(20_261_122);
        try (CrashingNode node = new CrashingNode(data);
                ExecutorService publishers = Executors.newVirtualThreadPerTaskExecutor()) {
            node.start("never", 1);
            AppHandle app = new TestApi(node.http()).newApp();
            start(app, DEVICES);
            List<Future<?>> publishing = new ArrayList<>();
            for (int i = 0; i < PUBLISHERS; i++) {
                publishing.add(
                        publishers.submit(() -> publish(node.http(), app, messages / PUBLISHERS)));
            }
            for (int crash = 1; crash <= crashes; crash++) {
                int until = messages * crash / (crashes + 1);
                await().atMost(Duration.ofMinutes(5)).until(() -> accepted.size() >= until);
                for (int i = 0; i < DEVICES / 4; i++) {
                    devices.get(random.nextInt(DEVICES)).dropConnection();
                }
                node.kill();
                node.start("never", 1);
            }
            for (Future<?> one : publishing) {
                one.get(10, TimeUnit.MINUTES);
            }
            await().atMost(Duration.ofMinutes(2))
                    .pollInterval(Duration.ofMillis(500))
                    .until(() -> settling.undecided() == 0 && settling.untold() == 0);
            assertThat(settling.check(winners(app))).isEqualTo(Verdict.SOUND);
            assertThat(settling.size()).isGreaterThan(messages * 2);
        } finally {
            devices.forEach(DeviceClient::close);
        }
    }

    /** Looks whether a message is settled, and settles it a little later. */
    private static MessageStore checkThenAct(MessageStore real) {
        Map<Long, Integer> winners = new ConcurrentHashMap<>();
        return StoreVariant.of(
                real,
                "acknowledge",
                arguments -> {
                    AckBatch acks = (AckBatch) arguments[0];
                    List<AckOutcome> outcomes = new ArrayList<>();
                    List<AckBatch.Ack> settles = new ArrayList<>();
                    for (int i = 0; i < acks.size(); i++) {
                        AckBatch.Ack ack = acks.get(i);
                        Integer winner = winners.get(ack.messageId());
                        boolean won = winner == null || winner == ack.number();
                        outcomes.add(won ? AckOutcome.WON : AckOutcome.ALREADY_SETTLED);
                        if (won) {
                            settles.add(ack);
                        }
                    }
                    return ((CompletableFuture<?>) real.acknowledge(acks))
                            .thenApply(recorded -> {
                                settles.forEach(ack -> winners.put(ack.messageId(), ack.number()));
                                return outcomes;
                            });
                });
    }

    private Verdict inOneProcess(UnaryOperator<MessageStore> store) throws IOException {
        try (TestServer server = TestServer.start(data, seams -> seams.messages(store))) {
            AppHandle app = server.app();
            start(app, 8);
            await().until(() ->
                    devices.stream().allMatch(device -> device.state() == DeviceState.READY));
            publish(server.node.http(), app, 100);
            await().until(() -> settling.undecided() == 0 && settling.untold() == 0);
            return settling.check(winners(app));
        } finally {
            devices.forEach(DeviceClient::close);
        }
    }

    @Test
    void theRealStorePassesTheChecker() throws Exception {
        assertThat(inOneProcess(real -> real)).isEqualTo(Verdict.SOUND);
    }

    @Test
    void aStoreThatChecksAndThenActsIsFound() throws Exception {
        assertThat(inOneProcess(SettlingTest::checkThenAct).wonTwice()).isPositive();
    }
}
