package io.postrider.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.backends.PostgresServer;
import io.postrider.backends.Redis;
import io.postrider.client.Publisher;
import io.postrider.protocol.v1.ServerFrame;
import io.postrider.protocol.v1.ServerFrame.FrameCase;
import io.postrider.server.TestApi;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.WireDevice;
import io.postrider.server.faults.FaultProxy;
import io.postrider.server.history.RecordedTraffic;
import io.postrider.server.history.RecordedTraffic.Happening;
import io.postrider.server.history.RecordedTraffic.Sender;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Three nodes in processes of their own, a PostgreSQL and a Redis, while publishers publish at any
 * of the nodes and devices receive: nodes die, stand still and are replaced, and what they stand on
 * goes away. Publishers and devices write down what they were told, and that decides.
 */
class ClusterFaultsTest {
    private static final int NODES = 3;
    private static final int PUBLISHERS = 3;
    private static final Duration PAUSE = Duration.ofMillis(30);
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    /** How long a node that was killed may seem to run, if the others' store is not slow. */
    private static final Duration DETECTED = Duration.ofSeconds(15);

    @TempDir Path folder;

    private final List<ClusterNode> nodes = new ArrayList<>();
    private PostgresServer postgres;
    private Redis redis;

    /** Between the first node and what it stands on. */
    private FaultProxy toPostgres;

    private FaultProxy toRedis;

    @BeforeEach
    void start() throws IOException {
        postgres = new PostgresServer(folder.resolve("postgres"));
        redis = new Redis();
        toPostgres = new FaultProxy(postgres.address());
        toRedis = new FaultProxy(redis.uri());
        for (int i = 0; i < NODES; i++) {
            ClusterNode node =
                    new ClusterNode(
                            "n" + i,
                            folder,
                            Map.of(
                                    "POSTRIDER_STORE",
                                    i == 0
                                            ? toPostgres.address(postgres.address())
                                            : postgres.address(),
                                    "POSTRIDER_CLUSTER",
                                    i == 0 ? toRedis.address(redis.uri()) : redis.uri(),
                                    "POSTRIDER_CAPACITY",
                                    capacity(i)));
            nodes.add(node);
            node.start();
        }
    }

    @AfterEach
    void stop() throws IOException {
        nodes.forEach(ClusterNode::close);
        toPostgres.close();
        toRedis.close();
        redis.close();
        postgres.close();
    }

    /** Nearly all devices are at the first, whose end is the worst. */
    private static String capacity(int node) {
        return node == 0 ? "100000" : "1";
    }

    private void run(int deviceCount, Happening faults) throws Exception {
        AppHandle app = new TestApi(nodes.get(0).http()).newApp();
        await().until(() -> gateways(nodes.get(0)) == 2 * NODES);
        try (RecordedTraffic traffic = new RecordedTraffic(app, deviceCount)) {
            List<Sender> senders = new ArrayList<>();
            for (int i = 0; i < PUBLISHERS; i++) {
                senders.add(atAnyNode(app, new Random(i)));
            }
            traffic.publishDuring(
                    senders,
                    PAUSE,
                    during -> {
                        during.awaitAccepted(20);
                        faults.happen(during);
                        during.awaitAccepted(20);
                    });
            ClusterNode up =
                    nodes.stream().filter(ClusterFaultsTest::isUp).findFirst().orElseThrow();
            traffic.check(app.at(new TestApi(up.http())));
        }
    }

    /** Those that a device is told of, two for each node. */
    private static int gateways(ClusterNode at) {
        return new TestApi(at.http())
                .call("GET", "/v1/gateways?device=d", null, null)
                .json()
                .path("gateways")
                .size();
    }

    /** At any node, and at the next one under the same key where it is not known to be accepted. */
    private Sender atAnyNode(AppHandle app, Random random) {
        List<Publisher> publishers =
                nodes.stream()
                        .map(node ->
                                Publisher.of(node.http(), app.appKey(), app.masterSecret())
                                        .withAttempts(1))
                        .toList();
        return request -> {
            long giveUp = System.nanoTime() + PATIENCE.toNanos();
            for (int i = random.nextInt(NODES); ; i++) {
                try {
                    return publishers.get(i % NODES).publish(request);
                } catch (IOException e) {
                    if (System.nanoTime() > giveUp) {
                        throw e;
                    }
                    TimeUnit.MILLISECONDS.sleep(50);
                }
            }
        };
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

    /** Returns when the others name it to nobody any more. */
    private void killFirst(Duration within) throws InterruptedException {
        nodes.get(0).kill();
        await().atMost(within).until(() -> gateways(nodes.get(1)) == 2 * (NODES - 1));
    }

    @Test
    void g4g5g11NothingIsLostWhenANodeIsKilled() throws Exception {
        run(
                60,
                traffic -> {
                    killFirst(DETECTED);
                    traffic.awaitAccepted(100);
                });
    }

    @Test
    @Tag("long")
    void g4g5g11NothingIsLostWhenANodeWith1000DevicesIsKilled() throws Exception {
        run(
                1_000,
                traffic -> {
                    killFirst(DETECTED.multipliedBy(2));
                    traffic.awaitAccepted(100);
                    nodes.get(0).start();
                    traffic.awaitAccepted(20);
                });
    }

    @Test
    void g11ANodeThatStoodStillPresentsNothingThatOthersHave() throws Exception {
        run(
                60,
                traffic -> {
                    nodes.get(0).signal("STOP");
                    TimeUnit.SECONDS.sleep(14);
                    traffic.awaitAccepted(20);
                    nodes.get(0).signal("CONT");
                    awaitReady(nodes.get(0));
                });
    }

    @Test
    @Tag("long")
    void g11ANodeThatStoodStillForAMinutePresentsNothingThatOthersHave() throws Exception {
        run(
                200,
                traffic -> {
                    nodes.get(0).signal("STOP");
                    TimeUnit.SECONDS.sleep(60);
                    nodes.get(0).signal("CONT");
                    awaitReady(nodes.get(0));
                });
    }

    @Test
    @Tag("long")
    void g1g4NothingIsLostWhenPostgresIsCutOffAndComesBack() throws Exception {
        run(
                60,
                traffic -> {
                    postgres.stopImmediately();
                    TimeUnit.SECONDS.sleep(5);
                    postgres.start();
                    traffic.awaitAccepted(60);
                    postgres.stopImmediately();
                    TimeUnit.SECONDS.sleep(20);
                    postgres.start();
                    traffic.awaitAccepted(60);
                    postgres.stop();
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
                traffic -> {
                    redis.stop();
                    traffic.awaitAccepted(60);
                    redis.start();
                    traffic.awaitAccepted(60);
                    redis.signal("STOP");
                    traffic.awaitAccepted(60);
                    redis.signal("CONT");
                    traffic.awaitAccepted(60);
                });
    }

    @Test
    @Tag("long")
    void g4g11g12ANodeThatIsCutOffFromRedisOrPostgresLosesNothing() throws Exception {
        run(
                60,
                traffic -> {
                    toRedis.swallow(true);
                    traffic.awaitAccepted(100);
                    toRedis.swallow(false);
                    toRedis.reset();
                    traffic.awaitAccepted(20);
                    toPostgres.swallow(true);
                    await().atMost(DETECTED).until(() -> gateways(nodes.get(1)) == 2 * (NODES - 1));
                    traffic.awaitAccepted(60);
                    toPostgres.swallow(false);
                    toPostgres.reset();
                    awaitReady(nodes.get(0));
                });
    }

    @Test
    @Tag("long")
    void nothingIsLostOverSlowLinks() throws Exception {
        run(
                60,
                traffic -> {
                    toPostgres.delay(15, 15);
                    toRedis.delay(100, 100);
                    traffic.awaitAccepted(60);
                });
    }

    /**
     * The device's network was gone when it came back by another: both ends of its old connection
     * are still open. Its pings, which waited for the node, say that it lives.
     */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Tag("long")
    void g11TheOldConnectionAtANodeThatStoodStillIsToldNothing(boolean itSeemedDead)
            throws Exception {
        AppHandle app = new TestApi(nodes.get(0).http()).newApp();
        await().until(() -> gateways(nodes.get(1)) == 2 * NODES);
        AppHandle there = app.at(new TestApi(nodes.get(1).http()));
        String token = app.register("d");
        try (WireDevice old = WireDevice.connected(nodes.get(0).tcp(), token)) {
            nodes.get(0).signal("STOP");
            if (itSeemedDead) {
                await().atMost(DETECTED).until(() -> gateways(nodes.get(1)) == 2 * (NODES - 1));
            }
            try (WireDevice now = WireDevice.connected(nodes.get(1).tcp(), token)) {
                String first = there.publish("\"all\"");
                assertThat(now.readPush().getId()).isEqualTo(Long.parseLong(first));
                now.ack(Long.parseLong(first));
                old.ping();
                nodes.get(0).signal("CONT");
                CompletableFuture<List<ServerFrame>> told =
                        CompletableFuture.supplyAsync(old::readToEnd);
                await().until(() -> {
                    now.ping();
                    return told.isDone();
                });
                assertThat(told.join())
                        .extracting(ServerFrame::getFrameCase)
                        .doesNotContain(FrameCase.PUSH);
                String next = there.publish("\"all\"");
                assertThat(now.readUntil(FrameCase.PUSH).getPush().getId())
                        .isEqualTo(Long.parseLong(next));
            }
        }
    }

    @Test
    @Tag("long")
    void nothingIsLostWhenEachNodeIsReplacedInTurn() throws Exception {
        run(
                60,
                traffic -> {
                    for (ClusterNode node : nodes) {
                        assertThat(node.stop()).isZero();
                        traffic.awaitAccepted(20);
                        node.start();
                        traffic.awaitAccepted(20);
                    }
                });
    }
}
