package io.postrider.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.backends.Redis;
import io.postrider.client.PublishRequest;
import io.postrider.client.Published;
import io.postrider.client.Publisher;
import io.postrider.client.Transport;
import io.postrider.server.StoreVariant;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.TestServer;
import io.postrider.server.clock.Clock;
import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.Change.Displaced;
import io.postrider.server.delivery.Committed;
import io.postrider.server.delivery.MessageStore;
import io.postrider.server.history.History;
import io.postrider.server.history.History.Verdict;
import io.postrider.server.history.RecordedDevice;
import io.postrider.server.store.Postgres;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two nodes whose clocks are ten minutes apart, each of which commits to the same mailboxes in
 * turn, while a device comes to the other node before the first has let it go. A sound cluster
 * passes the checker of histories; one without fencing, or that follows the store by a node's
 * clock, does not.
 */
class ClusterHistoryTest {
    private static final int MESSAGES = 60;
    private static final long AHEAD_MILLIS = Duration.ofMinutes(5).toMillis();
    private static final int ID_SEQUENCE_BITS = 22;

    @TempDir Path folder;

    private final History history = new History();

    /** A machine's clock that is wrong, until the store says what time it is. */
    private static final class WrongClock implements Clock {
        private final Clock system = Clock.system();
        private volatile long added;

        WrongClock(long added) {
            this.added = added;
        }

        @Override
        public long millis() {
            return system.millis() + added;
        }

        @Override
        public long ticks() {
            return system.ticks();
        }

        @Override
        public void notBefore(long millis) {}

        @Override
        public long adopt(long millis) {
            added = millis - system.millis();
            return millis;
        }
    }

    private TestServer node(
            String name, long ahead, UnaryOperator<MessageStore> store, Redis redis) {
        return TestServer.startWith(
                folder.resolve(name),
                Map.of("store", Postgres.address(folder), "cluster", redis.uri(), "node", name),
                seams -> seams.clock(new WrongClock(ahead)).messages(store));
    }

    private Verdict run(UnaryOperator<MessageStore> store) throws Exception {
        List<RecordedDevice> devices = new ArrayList<>();
        Map<Long, Integer> stored = new HashMap<>();
        try (Redis redis = new Redis();
                TestServer one = node("one", AHEAD_MILLIS, store, redis);
                TestServer other = node("other", -AHEAD_MILLIS, store, redis)) {
            AppHandle app = one.app();
            Set<String> names = Set.of("a", "b", "c");
            for (String name : names) {
                devices.add(device(app, name, one));
            }
            for (int i = 0; i < MESSAGES; i++) {
                if (i == MESSAGES / 2) {
                    awaitAllPresented();
                    devices.add(device(app, "a", other));
                }
                TestServer at = i % 2 == 0 ? one : other;
                String key = "key-" + i;
                history.asked(key, app.id(), names);
                Published published =
                        Publisher.of(at.node.http(), app.appKey(), app.masterSecret())
                                .publish(PublishRequest.toAll().title(key));
                history.accepted(key, published.id(), published.expiresAt().toEpochMilli());
            }
            awaitAllPresented();
            // Whatever is confirmed by now must be in the counts that come next.
            devices.forEach(RecordedDevice::close);
            app.at(other.api)
                    .call("GET", "/v1/messages?limit=500", null)
                    .json()
                    .path("items")
                    .forEach(item ->
                            stored.put(
                                    Long.parseLong(item.path("id").asString()),
                                    item.path("counts").path("delivered").asInt()));
        } finally {
            devices.forEach(RecordedDevice::close);
        }
        return history.check(stored);
    }

    private RecordedDevice device(AppHandle app, String name, TestServer at) throws Exception {
        String tcp = "tcp://" + at.node.gateway();
        return RecordedDevice.start(app, name, Transport.TCP, history, any -> tcp);
    }

    /** Or for so long that a sound cluster would have presented all. */
    private void awaitAllPresented() {
        try {
            await().atMost(Duration.ofSeconds(12)).until(() -> history.missing() == 0);
        } catch (ConditionTimeoutException notAll) {
            assertThat(history.missing()).isPositive();
        }
    }

    @Test
    void g5g6g11ASoundClusterPasses() throws Exception {
        assertThat(run(real -> real)).isEqualTo(Verdict.CLEAN);
        assertThat(history.size()).isGreaterThan(5 * MESSAGES);
    }

    /** No session hears that it is displaced. */
    private static MessageStore withoutFencing(MessageStore real) {
        return StoreVariant.of(
                real,
                "committedAfter",
                arguments -> {
                    Committed page = real.committedAfter((long) arguments[0], (int) arguments[1]);
                    List<Change> others =
                            page.changes().stream()
                                    .filter(change -> !(change instanceof Displaced))
                                    .toList();
                    return new Committed(page.arrivals(), others, page.upTo(), page.more());
                });
    }

    @Test
    void aClusterWithoutFencingIsFound() throws Exception {
        assertThat(run(ClusterHistoryTest::withoutFencing).unmarked()).isPositive();
    }

    /** Asks for what came after a time that is its own, and not the store's. */
    private static MessageStore byTheNodesClock(MessageStore real) {
        return StoreVariant.of(
                real,
                "committedAfter",
                arguments ->
                        real.committedAfter(
                                (long) arguments[0] + (AHEAD_MILLIS << ID_SEQUENCE_BITS),
                                (int) arguments[1]));
    }

    @Test
    void aCursorByANodesClockIsFound() throws Exception {
        assertThat(run(ClusterHistoryTest::byTheNodesClock).lost()).isPositive();
    }
}
