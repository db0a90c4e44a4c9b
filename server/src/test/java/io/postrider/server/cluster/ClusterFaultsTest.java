package io.postrider.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.backends.PostgresServer;
import io.postrider.backends.Redis;
import io.postrider.client.PublishRequest;
import io.postrider.client.Published;
import io.postrider.client.Publisher;
import io.postrider.client.Transport;
import io.postrider.server.TestApi;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.history.History;
import io.postrider.server.history.History.Verdict;
import io.postrider.server.history.RecordedDevice;
import java.io.IOException;
import java.io.UncheckedIOException;
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
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three nodes in processes of their own, a PostgreSQL and a Redis, while publishers publish at any
 * of the nodes and devices receive: nodes die, stand still and are replaced, and what they stand on
 * goes away. Publishers and devices write down what they were told, and that decides.
 */
class ClusterFaultsTest {
    private static final int NODES = 3;
    private static final int PUBLISHERS = 3;
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    @TempDir Path folder;

    private final History history = new History();
    private final Set<Long> accepted = ConcurrentHashMap.newKeySet();
    private final ConcurrentLinkedQueue<String> mistakes = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean publishing = new AtomicBoolean(true);
    private final AtomicLong keys = new AtomicLong();
    private final AtomicInteger answered = new AtomicInteger();
    private final List<ClusterNode> nodes = new ArrayList<>();
    private final List<RecordedDevice> devices = new ArrayList<>();
    private PostgresServer postgres;
    private Redis redis;

    @BeforeEach
    void start() {
        postgres = new PostgresServer(folder.resolve("postgres"));
        redis = new Redis();
        for (int i = 0; i < NODES; i++) {
            ClusterNode node =
                    new ClusterNode(
                            "n" + i,
                            folder,
                            Map.of(
                                    "POSTRIDER_STORE", postgres.address(),
                                    "POSTRIDER_CLUSTER", redis.uri()));
            nodes.add(node);
            node.start();
        }
    }

    @AfterEach
    void stop() {
        devices.forEach(RecordedDevice::close);
        nodes.forEach(ClusterNode::close);
        redis.close();
        postgres.close();
    }

    private interface Faults {
        void happen() throws InterruptedException;
    }

    private void run(int deviceCount, Faults faults) throws Exception {
        AppHandle app = new TestApi(nodes.get(0).http()).newApp();
        await().until(() -> gateways(app) == 2 * NODES);
        for (int i = 0; i < deviceCount; i++) {
            devices.add(
                    RecordedDevice.start(
                            app,
                            "d" + i,
                            Transport.values()[i % Transport.values().length],
                            history,
                            UnaryOperator.identity(),
                            i % 2 == 0 ? "even" : "odd"));
        }
        try (ExecutorService publishers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> publishingNow = new ArrayList<>();
            for (int i = 0; i < PUBLISHERS; i++) {
                Random own = new Random(i);
                publishingNow.add(publishers.submit(() -> publish(deviceCount, app, own)));
            }
            try {
                awaitAnswers(20);
                faults.happen();
                awaitAnswers(20);
            } finally {
                // Their executor waits for them.
                publishing.set(false);
            }
            for (Future<?> one : publishingNow) {
                one.get(2, TimeUnit.MINUTES);
            }
        }
        await().atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofMillis(500))
                .until(() -> history.missing() == 0);
        assertThat(mistakes).isEmpty();
        assertThat(history.check(stored(app))).isEqualTo(Verdict.CLEAN);
    }

    private static int gateways(AppHandle app) {
        return app.api()
                .call("GET", "/v1/gateways?device=d", null, null)
                .json()
                .path("gateways")
                .size();
    }

    /** So many publishes were answered from now on, whichever node took them. */
    private void awaitAnswers(int more) {
        int from = answered.get();
        await().atMost(Duration.ofMinutes(1)).until(() -> answered.get() >= from + more);
    }

    /** Publishes to one, to those with a tag, and to all, at one node after the other. */
    private void publish(int deviceCount, AppHandle app, Random random) {
        List<Publisher> publishers =
                nodes.stream()
                        .map(node ->
                                Publisher.of(node.http(), app.appKey(), app.masterSecret())
                                        .withAttempts(1))
                        .toList();
        while (publishing.get()) {
            int one = random.nextInt(deviceCount);
            int kind = random.nextInt(3);
            PublishRequest request =
                    switch (kind) {
                        case 0 -> PublishRequest.toDevices("d" + one);
                        case 1 -> PublishRequest.toTags("even");
                        default -> PublishRequest.toAll();
                    };
            Set<String> targets = new TreeSet<>();
            for (int i = 0; i < deviceCount; i++) {
                if (kind == 2 || (kind == 1 && i % 2 == 0) || (kind == 0 && i == one)) {
                    targets.add("d" + i);
                }
            }
            String key = "fault-" + keys.incrementAndGet();
            history.asked(key, app.id(), targets);
            try {
                Published published =
                        untilAccepted(publishers, request.title(key).idempotencyKey(key), random);
                history.accepted(key, published.id(), published.expiresAt().toEpochMilli());
                accepted.add(published.id());
                answered.incrementAndGet();
                if (published.targeted() != targets.size()) {
                    mistakes.add(published + " should be for " + targets.size());
                }
                TimeUnit.MILLISECONDS.sleep(30);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    /** At any node, and at the next one under the same key where it is not known to be accepted. */
    private static Published untilAccepted(
            List<Publisher> publishers, PublishRequest request, Random random)
            throws InterruptedException {
        long giveUp = System.nanoTime() + PATIENCE.toNanos();
        for (int i = random.nextInt(NODES); ; i++) {
            try {
                return publishers.get(i % NODES).publish(request);
            } catch (IOException e) {
                if (System.nanoTime() > giveUp) {
                    throw new UncheckedIOException(e);
                }
                TimeUnit.MILLISECONDS.sleep(50);
            }
        }
    }

    /** How many each message counts as delivered, once every one that is for some has them all. */
    private Map<Long, Integer> stored(AppHandle app) {
        AppHandle anywhere = app;
        for (ClusterNode node : nodes) {
            anywhere =
                    new AppHandle(
                            new TestApi(node.http()),
                            app.developer(),
                            app.id(),
                            app.appKey(),
                            app.masterSecret());
            if (isUp(node)) {
                break;
            }
        }
        AppHandle at = anywhere;
        Map<Long, Integer> stored = new HashMap<>();
        for (long id : accepted) {
            String message = Long.toString(id);
            await().atMost(Duration.ofSeconds(30))
                    .pollDelay(Duration.ZERO)
                    .until(() -> at.count(message, "delivered") == at.count(message, "targeted"));
            stored.put(id, at.count(message, "delivered"));
        }
        return stored;
    }

    private static boolean isUp(ClusterNode node) {
        try {
            return new TestApi(node.http()).call("GET", "/readyz", null, null).status() == 200;
        } catch (RuntimeException gone) {
            return false;
        }
    }

    private void awaitReady(ClusterNode node) {
        await().atMost(Duration.ofSeconds(40)).until(() -> isUp(node));
    }

    @Test
    void g4g5g11NothingIsLostWhenANodeIsKilled() throws Exception {
        run(
                60,
                () -> {
                    nodes.get(0).kill();
                    awaitAnswers(100);
                });
    }

    @Test
    @Tag("long")
    void g4g5g11NothingIsLostWhenANodeWith1000DevicesIsKilled() throws Exception {
        run(
                1_000,
                () -> {
                    nodes.get(0).kill();
                    awaitAnswers(100);
                    nodes.get(0).start();
                    awaitAnswers(20);
                });
    }

    @Test
    void g11ANodeThatStoodStillPresentsNothingThatOthersHave() throws Exception {
        run(
                60,
                () -> {
                    nodes.get(1).signal("STOP");
                    TimeUnit.SECONDS.sleep(14);
                    awaitAnswers(20);
                    nodes.get(1).signal("CONT");
                    awaitReady(nodes.get(1));
                });
    }

    @Test
    @Tag("long")
    void g11ANodeThatStoodStillForAMinutePresentsNothingThatOthersHave() throws Exception {
        run(
                200,
                () -> {
                    nodes.get(1).signal("STOP");
                    TimeUnit.SECONDS.sleep(60);
                    nodes.get(1).signal("CONT");
                    awaitReady(nodes.get(1));
                });
    }

    @Test
    @Tag("long")
    void g1g4NothingIsLostWhenPostgresIsCutOffAndComesBack() throws Exception {
        run(
                60,
                () -> {
                    postgres.stopImmediately();
                    TimeUnit.SECONDS.sleep(5);
                    postgres.start();
                    awaitAnswers(60);
                    postgres.stopImmediately();
                    TimeUnit.SECONDS.sleep(20);
                    postgres.start();
                    for (ClusterNode node : nodes) {
                        awaitReady(node);
                    }
                });
    }

    @Test
    @Tag("long")
    void g12RedisThatStopsForgetsOrHangsCostsTimeOnly() throws Exception {
        run(
                60,
                () -> {
                    redis.stop();
                    awaitAnswers(60);
                    redis.start();
                    awaitAnswers(60);
                    redis.signal("STOP");
                    awaitAnswers(60);
                    redis.signal("CONT");
                    awaitAnswers(60);
                });
    }

    @Test
    @Tag("long")
    void nothingIsLostWhenEachNodeIsReplacedInTurn() throws Exception {
        run(
                60,
                () -> {
                    for (ClusterNode node : nodes) {
                        assertThat(node.stop()).isZero();
                        awaitAnswers(20);
                        node.start();
                        awaitAnswers(20);
                    }
                });
    }
}
