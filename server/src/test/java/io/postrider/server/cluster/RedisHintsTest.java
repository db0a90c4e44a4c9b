package io.postrider.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.sentinel.api.StatefulRedisSentinelConnection;
import io.lettuce.core.sentinel.api.sync.RedisSentinelCommands;
import io.postrider.backends.Redis;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.embedded.RedisSentinel;

/** Over each kind of Redis that an address may name, all of them real. */
class RedisHintsTest {
    private static final int SLOTS = 16_384;
    private static final String MASTER = "postrider";
    private static final Duration FAILED_OVER = Duration.ofSeconds(40);

    @TempDir private Path folder;

    @Test
    void hintsComeOverOneRedis() {
        try (Redis redis = new Redis()) {
            assertThatHintsCome(redis.uri());
        }
    }

    @Test
    void hintsComeOverTheMasterThatASentinelNames() throws IOException {
        try (Redis redis = new Redis();
                Sentinel sentinel = new Sentinel(redis)) {
            assertThatHintsCome(sentinel.uri());
        }
    }

    /** Nobody closes the connections to a master that hangs, or whose machine is gone. */
    @Test
    void hintsComeOverTheReplicaThatTakesThePlaceOfAMasterThatHangs() throws Exception {
        try (Redis master = new Redis();
                Redis replica = new Redis("replicaof 127.0.0.1 " + master.port());
                Sentinel sentinel = new Sentinel(master)) {
            await().atMost(FAILED_OVER).until(sentinel::knowsAReplica);
            List<Long> heard = new CopyOnWriteArrayList<>();
            try (RedisHints from = hints(sentinel.uri(), id -> {});
                    RedisHints to = hints(sentinel.uri(), heard::add)) {
                await().until(() -> isConnected(from) && isConnected(to));
                master.signal("STOP");
                awaitHint(from, to, heard);
                assertThat(sentinel.masterPort()).isEqualTo(replica.port());
            } finally {
                master.signal("CONT");
            }
        }
    }

    /** A real one, which decides alone that a master is down, within a second. */
    private static final class Sentinel implements AutoCloseable {
        private final int port = Redis.freePort();
        private final RedisSentinel running;
        private final RedisClient client = RedisClient.create();

        Sentinel(Redis master) throws IOException {
            running =
                    RedisSentinel.newRedisSentinel()
                            .bind("127.0.0.1")
                            .port(port)
                            .masterName(MASTER)
                            .masterPort(master.port())
                            .quorumSize(1)
                            .downAfterMilliseconds(1_000)
                            .build();
            running.start();
        }

        String uri() {
            return "redis-sentinel://127.0.0.1:" + port + "/0#" + MASTER;
        }

        boolean knowsAReplica() {
            return ask(commands -> !commands.replicas(MASTER).isEmpty());
        }

        int masterPort() {
            return ask(commands ->
                    ((InetSocketAddress) commands.getMasterAddrByName(MASTER)).getPort());
        }

        private <T> T ask(Function<RedisSentinelCommands<String, String>, T> question) {
            try (StatefulRedisSentinelConnection<String, String> connection =
                    client.connectSentinel(RedisURI.create("127.0.0.1", port))) {
                return question.apply(connection.sync());
            }
        }

        @Override
        public void close() throws IOException {
            client.shutdown();
            running.stop();
        }
    }

    @Test
    void hintsComeOverACluster() {
        try (Redis redis =
                new Redis(
                        "cluster-enabled yes", "cluster-config-file nodes.conf", "dir " + folder)) {
            own(redis);
            assertThatHintsCome("redis-cluster://127.0.0.1:" + redis.port());
            assertThatHintsCome(
                    "redis-cluster://127.0.0.1:%d,127.0.0.1:%d"
                            .formatted(Redis.freePort(), redis.port()));
        }
    }

    @Test
    void aPasswordIsSent() throws IOException {
        try (Redis redis = new Redis("requirepass p@ss/word")) {
            assertThatHintsCome("redis://:p%40ss%2Fword@127.0.0.1:" + redis.port());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "redis",
                "http://:secret@a",
                "redis://:secret@a,b",
                "redis://:secret%zz@a",
                "redis://:secret@a:port",
                "redis-cluster://",
                "redis-cluster://:secret@a:port,b",
                "redis-cluster://:sec ret@a",
                "redis-sentinel://:secret@a"
            })
    void whatIsNoAddressIsRefusedAndNotQuoted(String uri) {
        assertThatThrownBy(() -> RedisAddress.of(uri))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("cluster is no address of a Redis")
                .hasMessageNotContaining("secret");
    }

    /** A cluster of one. */
    private static void own(Redis redis) {
        RedisClient client = RedisClient.create(redis.uri());
        try (StatefulRedisConnection<String, String> connection = client.connect()) {
            connection.sync().clusterAddSlots(IntStream.range(0, SLOTS).toArray());
            await().until(() -> connection.sync().clusterInfo().contains("cluster_state:ok"));
        } finally {
            client.shutdown();
        }
    }

    private static void assertThatHintsCome(String uri) {
        List<Long> heard = new CopyOnWriteArrayList<>();
        try (RedisHints from = hints(uri, id -> {});
                RedisHints to = hints(uri, heard::add)) {
            await().until(() -> isConnected(from) && isConnected(to));
            long last = awaitHint(from, to, heard);
            assertThat(heard).isSorted().allMatch(each -> each <= last);
        }
    }

    /** The first ones may be sent before the other has subscribed. Answers the last. */
    private static long awaitHint(RedisHints from, RedisHints to, List<Long> heard) {
        AtomicLong id = new AtomicLong();
        await().atMost(FAILED_OVER)
                .until(() -> {
                    from.keepConnected();
                    to.keepConnected();
                    from.committed(id.incrementAndGet());
                    return !heard.isEmpty();
                });
        return id.get();
    }

    @Test
    void aRedisThatHangsIsNotConnectedThoughItsConnectionsAre() throws Exception {
        try (Redis redis = new Redis();
                RedisHints hints = hints(redis.uri(), id -> {})) {
            await().until(() -> isConnected(hints));
            redis.signal("STOP");
            await().until(() -> !isConnected(hints));
            redis.signal("CONT");
            await().until(() -> isConnected(hints));
        }
    }

    private static RedisHints hints(String uri, LongConsumer heard) {
        return new RedisHints(RedisAddress.of(uri), "channel", heard, () -> {});
    }

    private static boolean isConnected(RedisHints hints) {
        hints.keepConnected();
        return hints.isConnected();
    }
}
