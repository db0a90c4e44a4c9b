package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.client.PublishRequest;
import io.postrider.client.Published;
import io.postrider.client.Publisher;
import io.postrider.client.Transport;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.history.History;
import io.postrider.server.history.History.Verdict;
import io.postrider.server.history.RecordedDevice;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The node dies again and again while publishers publish and devices receive: at the four points
 * where a crash could lose or double something, and at random moments. Publishers and devices write
 * down what they were told, and that decides.
 */
class CrashTest {
    private static final int DEVICES = 20;
    private static final int PUBLISHERS = 4;
    private static final String[] POINTS = {
        "before-commit", "after-commit", "before-send", "before-ack", "at-random"
    };

    @TempDir Path data;

    private final History history = new History();
    private final Set<Long> accepted = ConcurrentHashMap.newKeySet();
    private final ConcurrentLinkedQueue<String> mistakes = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean publishing = new AtomicBoolean(true);
    private final AtomicLong keys = new AtomicLong();

    @Test
    void g1g4g5NothingAcceptedIsLostAndNoDuplicateIsUnmarked() throws Exception {
        crash(20);
    }

    @Test
    @Tag("long")
    void g1g4g5NothingAcceptedIsLostIn200Crashes() throws Exception {
        crash(200);
    }

    private void crash(int rounds) throws Exception {
        Random random = new Random(20_261_122);
        List<RecordedDevice> devices = new ArrayList<>();
        try (CrashingNode node = new CrashingNode(data);
                ExecutorService publishers = Executors.newVirtualThreadPerTaskExecutor()) {
            node.start("never", 1);
            AppHandle app = new TestApi(node.http()).newApp();
            for (int i = 0; i < DEVICES; i++) {
                devices.add(
                        RecordedDevice.start(
                                app,
                                "d" + i,
                                Transport.values()[i % Transport.values().length],
                                history,
                                UnaryOperator.identity(),
                                i % 2 == 0 ? "even" : "odd"));
            }
            List<Future<?>> publishingNow = new ArrayList<>();
            for (int i = 0; i < PUBLISHERS; i++) {
                Random own = new Random(random.nextLong());
                publishingNow.add(publishers.submit(() -> publish(node, app, own)));
            }
            try {
                for (int round = 0; round < rounds; round++) {
                    crash(node, POINTS[round % POINTS.length], random);
                }
                node.start("never", 1);
            } finally {
                // Their executor waits for them.
                publishing.set(false);
            }
            for (Future<?> one : publishingNow) {
                one.get(2, TimeUnit.MINUTES);
            }
            await().atMost(Duration.ofMinutes(2))
                    .pollInterval(Duration.ofMillis(500))
                    .until(() -> history.missing() == 0);
            assertThat(mistakes).isEmpty();
            assertThat(accepted).hasSizeGreaterThan(rounds * 5);
            assertThat(history.check(stored(app))).isEqualTo(Verdict.CLEAN);
        } finally {
            devices.forEach(RecordedDevice::close);
        }
    }

    private static void crash(CrashingNode node, String point, Random random)
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

    /** Publishes to one, to those with a tag, and to all, until told to stop. */
    private void publish(CrashingNode node, AppHandle app, Random random) {
        Publisher publisher =
                Publisher.of(node.http(), app.appKey(), app.masterSecret()).withAttempts(60);
        while (publishing.get()) {
            int one = random.nextInt(DEVICES);
            int kind = random.nextInt(3);
            PublishRequest request =
                    switch (kind) {
                        case 0 -> PublishRequest.toDevices("d" + one);
                        case 1 -> PublishRequest.toTags("even");
                        default -> PublishRequest.toAll();
                    };
            Set<String> targets = new TreeSet<>();
            for (int i = 0; i < DEVICES; i++) {
                if (kind == 2 || (kind == 1 && i % 2 == 0) || (kind == 0 && i == one)) {
                    targets.add("d" + i);
                }
            }
            String key = "crash-" + keys.incrementAndGet();
            history.asked(key, app.id(), targets);
            try {
                Published published = publisher.publish(request.title(key));
                history.accepted(key, published.id(), published.expiresAt().toEpochMilli());
                accepted.add(published.id());
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

    /** How many each message counts as delivered, once every one that is for some has them all. */
    private Map<Long, Integer> stored(AppHandle app) {
        Map<Long, Integer> stored = new HashMap<>();
        for (long id : accepted) {
            String message = Long.toString(id);
            await().atMost(Duration.ofSeconds(30))
                    .pollDelay(Duration.ZERO)
                    .until(() -> app.count(message, "delivered") == app.count(message, "targeted"));
            stored.put(id, app.count(message, "delivered"));
        }
        return stored;
    }
}
