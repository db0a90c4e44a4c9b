package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.client.DeviceClient;
import io.postrider.client.DeviceObserver;
import io.postrider.client.PublishRequest;
import io.postrider.client.Published;
import io.postrider.client.Publisher;
import io.postrider.client.ReceivedMessage;
import io.postrider.client.Registrar;
import io.postrider.client.Registrar.Registered;
import io.postrider.client.Transport;
import io.postrider.server.TestApi.AppHandle;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The node dies again and again while publishers publish and devices receive: at the four points
 * where a crash could lose or double something, and at random moments. Publishers and devices write
 * down what they were told, and that decides.
 */
class CrashTest {
    private static final int ROUNDS = 20;
    private static final int DEVICES = 20;
    private static final int PUBLISHERS = 4;
    private static final String[] POINTS = {
        "before-commit", "after-commit", "before-send", "before-ack", "at-random"
    };

    @TempDir Path data;

    private final Map<Long, Set<String>> accepted = new ConcurrentHashMap<>();
    private final Map<Long, Set<String>> received = new ConcurrentHashMap<>();
    private final ConcurrentLinkedQueue<String> mistakes = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean publishing = new AtomicBoolean(true);

    @Test
    void g1g4g5NothingAcceptedIsLostAndNoDuplicateIsUnmarked() throws Exception {
        Random random = new Random(20_261_122);
        List<DeviceClient> clients = new ArrayList<>();
        try (NodeProcess node = new NodeProcess(data);
                ExecutorService publishers = Executors.newVirtualThreadPerTaskExecutor()) {
            node.start("never", 1);
            AppHandle app = new TestApi(node.http()).newApp();
            for (int i = 0; i < DEVICES; i++) {
                clients.add(connect(node, app, i));
            }
            List<Future<?>> publishingNow = new ArrayList<>();
            for (int i = 0; i < PUBLISHERS; i++) {
                Random own = new Random(random.nextLong());
                publishingNow.add(publishers.submit(() -> publish(node, app, own)));
            }
            for (int round = 0; round < ROUNDS; round++) {
                crash(node, POINTS[round % POINTS.length], random);
            }
            node.start("never", 1);
            publishing.set(false);
            for (Future<?> one : publishingNow) {
                one.get(2, TimeUnit.MINUTES);
            }
            await().atMost(Duration.ofMinutes(2)).untilAsserted(this::assertNothingIsLost);
            assertThat(mistakes).isEmpty();
            assertThat(accepted.size()).isGreaterThan(ROUNDS * 5);
            assertCountsAgree(app);
        } finally {
            clients.forEach(DeviceClient::close);
        }
    }

    private static void crash(NodeProcess node, String point, Random random)
            throws InterruptedException {
        node.kill();
        node.start(point, 5 + random.nextInt(40));
        if (point.equals("at-random")) {
            TimeUnit.MILLISECONDS.sleep(300 + random.nextInt(1_500));
            node.kill();
        } else {
            node.awaitDeath();
        }
    }

    private DeviceClient connect(NodeProcess node, AppHandle app, int index) throws IOException {
        String deviceId = "d" + index;
        Registered registered =
                Registrar.onServer(node.http(), app.appKey(), app.masterSecret())
                        .register(
                                new Registrar.Profile("iot")
                                        .deviceId(deviceId)
                                        .tags(index % 2 == 0 ? "even" : "odd"));
        DeviceClient client =
                DeviceClient.builder(
                                registered.gateways(),
                                registered.deviceToken(),
                                message -> receive(deviceId, message))
                        .transport(Transport.values()[index % Transport.values().length])
                        .observer(new Watching(deviceId))
                        .build();
        client.start();
        return client;
    }

    private void receive(String deviceId, ReceivedMessage message) {
        boolean first =
                received.computeIfAbsent(message.id(), id -> ConcurrentHashMap.newKeySet())
                        .add(deviceId);
        if (!first) {
            mistakes.add(deviceId + " was handed " + message.id() + " twice");
        }
    }

    private final class Watching implements DeviceObserver {
        private final String deviceId;

        Watching(String deviceId) {
            this.deviceId = deviceId;
        }

        @Override
        public void onDuplicate(long messageId, int attempt) {
            if (attempt < 2) {
                mistakes.add(deviceId + " was sent " + messageId + " again, unmarked");
            }
        }
    }

    private void publish(NodeProcess node, AppHandle app, Random random) {
        Publisher publisher =
                Publisher.of(node.http(), app.appKey(), app.masterSecret()).withAttempts(40);
        while (publishing.get()) {
            int one = random.nextInt(DEVICES);
            int kind = random.nextInt(3);
            PublishRequest request =
                    switch (kind) {
                        case 0 -> PublishRequest.toDevices("d" + one);
                        case 1 -> PublishRequest.toTags("even");
                        default -> PublishRequest.toAll();
                    };
            try {
                Published published = publisher.publish(request.title("crash"));
                Set<String> targets = ConcurrentHashMap.newKeySet();
                for (int i = 0; i < DEVICES; i++) {
                    if (kind == 2 || (kind == 1 && i % 2 == 0) || (kind == 0 && i == one)) {
                        targets.add("d" + i);
                    }
                }
                accepted.put(published.id(), targets);
                if (published.targeted() != targets.size()) {
                    mistakes.add(published + " should be for " + targets.size());
                }
                TimeUnit.MILLISECONDS.sleep(5);
            } catch (IOException e) {
                mistakes.add("publish: " + e.getMessage());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private void assertNothingIsLost() {
        accepted.forEach((id, targets) ->
                assertThat(received.getOrDefault(id, Set.of()))
                        .as("receivers of " + id)
                        .isEqualTo(targets));
    }

    private void assertCountsAgree(AppHandle app) {
        accepted.forEach((id, targets) ->
                await().atMost(Duration.ofSeconds(30))
                        .until(() -> app.count(Long.toString(id), "delivered") == targets.size()));
    }
}
