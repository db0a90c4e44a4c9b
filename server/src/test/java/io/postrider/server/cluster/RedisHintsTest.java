package io.postrider.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.postrider.backends.Redis;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
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

    @TempDir private Path folder;

    @Test
    void hintsComeOverOneRedis() {
        try (Redis redis = new Redis()) {
            assertThatHintsCome(redis.uri());
        }
    }

    @Test
    void hintsComeOverTheMasterThatASentinelNames() throws IOException {
        try (Redis redis = new Redis()) {
            int port = Redis.freePort();
            RedisSentinel sentinel =
                    RedisSentinel.newRedisSentinel()
                            .bind("127.0.0.1")
                            .port(port)
                            .masterName("postrider")
                            .masterPort(redis.port())
                            .quorumSize(1)
                            .build();
            sentinel.start();
            try {
                assertThatHintsCome("redis-sentinel://127.0.0.1:" + port + "/0#postrider");
            } finally {
                sentinel.stop();
            }
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
            AtomicLong id = new AtomicLong();
            // The first ones may be sent before the other has subscribed.
            await().until(() -> {
                from.committed(id.incrementAndGet());
                return !heard.isEmpty();
            });
            assertThat(heard).isSorted().allMatch(each -> each <= id.get());
        }
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
