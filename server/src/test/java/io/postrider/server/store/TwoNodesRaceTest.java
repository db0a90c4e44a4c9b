package io.postrider.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.postrider.server.ManualClock;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.identity.DeviceFilter;
import io.postrider.server.metrics.Metrics;
import io.postrider.server.publish.Reports.Counts;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two nodes that do everything at once, judged by what each caller was answered. */
class TwoNodesRaceTest {
    private static final int DEVICES = 40;
    private static final int TILLS = 6;
    private static final int CALLERS = 6;
    private static final int CALLS = 120;

    /** A busy machine runs one node after the other, and some go well by chance. */
    private static final int MOST_RACES = 10;

    private static final DeviceFilter EVERYONE =
            new DeviceFilter(null, null, null, null, null, null);

    @TempDir private Path folder;
    private final ManualClock clock = new ManualClock();

    @Test
    void g6G7G8EachMessageEndsOnceForEachDeviceWhicheverNodeIsAsked() throws Exception {
        race(UnaryOperator.identity());
    }

    @Test
    void theRaceIsLostWhenNodesDoNotKeepEachOtherOut() {
        assertThatThrownBy(
                        () -> {
                            for (int i = 0; i < MOST_RACES; i++) {
                                race(TwoNodesRaceTest::withoutLock);
                            }
                        })
                .isInstanceOfAny(Exception.class, AssertionError.class);
    }

    /** Reads the row of message ids as if nobody else wrote. */
    private static Connection withoutLock(Connection real) {
        return (Connection)
                Proxy.newProxyInstance(
                        TwoNodesRaceTest.class.getClassLoader(),
                        new Class<?>[] {Connection.class},
                        (proxy, method, args) -> {
                            try {
                                if (method.getName().equals("prepareStatement")) {
                                    args[0] = ((String) args[0]).replace(" FOR UPDATE", "");
                                }
                                return method.invoke(real, args);
                            } catch (InvocationTargetException e) {
                                throw e.getTargetException();
                            }
                        });
    }

    private Stores node(UnaryOperator<Connection> around) {
        return SqliteStoreTest.stores(
                Database.open(
                        Postgres.address(folder), Optional.empty(), clock, new Metrics(), around),
                clock);
    }

    private void race(UnaryOperator<Connection> around) throws Exception {
        try (Stores one = node(around);
                Stores other = node(around);
                ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            History history = new History(one);
            List<Future<?>> ends = new ArrayList<>();
            long seed = ThreadLocalRandom.current().nextLong();
            for (int i = 0; i < CALLERS; i++) {
                Stores node = i % 2 == 0 ? one : other;
                Random random = new Random(seed + i);
                ends.add(callers.submit(() -> history.calls(node, random)));
            }
            AtomicBoolean ended = new AtomicBoolean();
            Future<List<Long>> followed = callers.submit(() -> follow(other, ended));
            try {
                for (Future<?> end : ends) {
                    end.get();
                }
            } finally {
                ended.set(true);
            }
            assertThat(followed.get())
                    .as("what a cursor found meanwhile")
                    .isSorted()
                    .containsExactlyInAnyOrderElementsOf(history.messages);
            history.judge(one);
            history.judge(other);
        }
    }

    /** As the sweep does, all the time. */
    private static List<Long> follow(Stores node, AtomicBoolean ended) {
        List<Long> found = new ArrayList<>();
        boolean last = false;
        while (!last) {
            last = ended.get();
            node.messages()
                    .committedAfter(found.isEmpty() ? 0 : found.getLast(), 1_000)
                    .arrivals()
                    .forEach(arrival -> found.add(arrival.message().id()));
        }
        return found;
    }

    private record Ack(long id, int number, AckOutcome outcome) {}

    private static final class History {
        private final long app;
        private final List<Long> messages = Collections.synchronizedList(new ArrayList<>());
        private final Map<Long, Boolean> toGroup = new ConcurrentHashMap<>();
        private final ConcurrentLinkedQueue<Ack> acks = new ConcurrentLinkedQueue<>();

        History(Stores stores) {
            this.app = stores.newApp();
            for (int i = 0; i < DEVICES; i++) {
                stores.register(app, "d" + i);
            }
            for (int i = 0; i < TILLS; i++) {
                stores.groups().add(app, "shop", "d" + i);
            }
        }

        void calls(Stores node, Random random) {
            for (int i = 0; i < CALLS; i++) {
                switch (random.nextInt(12)) {
                    case 0, 1 -> publish(node, IntStream.of(random.nextInt(DEVICES)).toArray());
                    case 2 -> publish(node, random.ints(3, 0, DEVICES).distinct().toArray());
                    case 3 -> publish(node, IntStream.range(0, DEVICES).toArray());
                    case 4 -> publishToShop(node);
                    case 5 -> recall(node, random);
                    case 6 -> {
                        if (random.nextInt(5) == 0) {
                            node.devices()
                                    .delete(app, "d" + (TILLS + random.nextInt(DEVICES - TILLS)));
                        }
                    }
                    default -> acknowledge(node, random);
                }
            }
        }

        private void publish(Stores node, int[] numbers) {
            messages.add(node.publish(app, numbers));
        }

        private void publishToShop(Stores node) {
            long id = node.accept(Stores.toGroups(app, EVERYONE, "shop")).id();
            toGroup.put(id, true);
            messages.add(id);
        }

        private long any(Random random) {
            int count = messages.size();
            // Mostly the newest, which others ask for at the same time.
            return count == 0
                    ? 1
                    : messages.get(Math.max(0, count - 1 - random.nextInt(Math.min(count, 6))));
        }

        private void recall(Stores node, Random random) {
            node.messages().recall(app, any(random)).join();
        }

        private void acknowledge(Stores node, Random random) {
            long id = any(random);
            int number = random.nextInt(toGroup.containsKey(id) ? TILLS : DEVICES);
            acks.add(new Ack(id, number, node.ack(app, number, id)));
        }

        void judge(Stores node) {
            assertThat(messages).doesNotHaveDuplicates();
            for (long id : messages) {
                Counts counts = node.counts(app, id);
                assertThat(
                                counts.pending()
                                        + counts.delivered()
                                        + counts.expired()
                                        + counts.recalled()
                                        + counts.failed())
                        .as("ends of %d: %s", id, counts)
                        .isEqualTo(counts.targeted());
                List<Integer> recorded =
                        numbers(id, AckOutcome.RECORDED).stream().distinct().toList();
                List<Integer> won = numbers(id, AckOutcome.WON).stream().distinct().toList();
                assertThat(won).as("winners of %d", id).hasSizeLessThanOrEqualTo(1);
                assertThat(counts.delivered())
                        .as("delivered of %d", id)
                        .isEqualTo(recorded.size() + won.size());
            }
        }

        private List<Integer> numbers(long id, AckOutcome outcome) {
            return acks.stream()
                    .filter(ack -> ack.id == id && ack.outcome == outcome)
                    .map(Ack::number)
                    .toList();
        }
    }
}
