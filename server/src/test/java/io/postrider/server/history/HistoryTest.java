package io.postrider.server.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.client.PublishRequest;
import io.postrider.client.Published;
import io.postrider.client.Publisher;
import io.postrider.client.Transport;
import io.postrider.server.Postrider.Seams;
import io.postrider.server.StoreVariant;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.TestServer;
import io.postrider.server.delivery.Accepted;
import io.postrider.server.delivery.AckBatch;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.Arrival;
import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.MessageStore;
import io.postrider.server.delivery.NewMessage;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.delivery.WakeUps;
import io.postrider.server.history.History.Verdict;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The checker sees what it is for: a sound server passes, and each broken one does not. */
class HistoryTest {
    private static final int MESSAGES = 60;

    @TempDir Path data;

    private final History history = new History();

    /** Publishes to three devices, each of which loses its connection half-way. */
    private Verdict run(UnaryOperator<Seams> change) throws Exception {
        List<RecordedDevice> devices = new ArrayList<>();
        Map<Long, Integer> stored = new HashMap<>();
        try (TestServer server = TestServer.start(data, change)) {
            AppHandle app = server.app();
            Set<String> names = Set.of("a", "b", "c");
            for (String name : names) {
                devices.add(
                        RecordedDevice.start(
                                app, name, Transport.TCP, history, UnaryOperator.identity()));
            }
            Publisher publisher =
                    Publisher.of(server.node.http(), app.appKey(), app.masterSecret());
            for (int i = 0; i < MESSAGES; i++) {
                String key = "key-" + i;
                history.asked(key, app.id(), names);
                Published published = publisher.publish(PublishRequest.toAll().title(key));
                history.accepted(key, published.id(), published.expiresAt().toEpochMilli());
                if (i == MESSAGES / 2) {
                    awaitAllPresented();
                    devices.forEach(RecordedDevice::drop);
                }
            }
            awaitAllPresented();
            // Whatever is confirmed by now must be in the counts that come next.
            devices.forEach(RecordedDevice::close);
            app.call("GET", "/v1/messages?limit=500", null)
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

    /** Or for so long that a sound server would have presented all. */
    private void awaitAllPresented() {
        try {
            await().atMost(Duration.ofSeconds(5)).until(() -> history.missing() == 0);
        } catch (ConditionTimeoutException notAll) {
            assertThat(history.missing()).isPositive();
        }
    }

    @Test
    void aSoundServerPasses() throws Exception {
        assertThat(run(seams -> seams)).isEqualTo(Verdict.CLEAN);
        assertThat(history.size()).isGreaterThan(5 * MESSAGES);
    }

    /** Answers now and then before anything is committed, and then nothing ever is. */
    private static MessageStore answersBeforeCommit(MessageStore real) {
        AtomicInteger count = new AtomicInteger();
        return StoreVariant.of(
                real,
                "accept",
                arguments ->
                        count.incrementAndGet() % 10 == 0
                                ? CompletableFuture.completedFuture(
                                        new Accepted.Stored(
                                                count.get(),
                                                3,
                                                System.currentTimeMillis() + 60_000,
                                                false))
                                : real.accept((NewMessage) arguments[0]));
    }

    @Test
    void aStoreThatAnswersBeforeItCommitsIsFound() throws Exception {
        Verdict verdict = run(seams -> seams.messages(HistoryTest::answersBeforeCommit));
        assertThat(verdict.phantom()).isEqualTo(MESSAGES / 10);
        assertThat(verdict.lost()).isEqualTo(3 * MESSAGES / 10);
    }

    /** Says that acks are recorded, and forgets them. */
    private static MessageStore forgetsAcks(MessageStore real) {
        return StoreVariant.of(
                real,
                "acknowledge",
                arguments ->
                        CompletableFuture.completedFuture(
                                Collections.nCopies(
                                        ((AckBatch) arguments[0]).size(), AckOutcome.RECORDED)));
    }

    @Test
    void aStoreThatForgetsAcksIsFound() throws Exception {
        Verdict verdict = run(seams -> seams.messages(HistoryTest::forgetsAcks));
        assertThat(verdict.forgotten()).isPositive();
        assertThat(verdict.lost()).isZero();
    }

    /** Keeps every tenth message from the sessions, and says that there was none. */
    private record Skips(WakeUps real, AtomicInteger count) implements WakeUps {
        @Override
        public void committed(
                long afterId, long upTo, List<Arrival> arrivals, List<Change> changes) {
            List<Arrival> left = new ArrayList<>(arrivals);
            left.removeIf(arrival -> count.incrementAndGet() % 10 == 0 && left.size() > 1);
            if (left.size() == arrivals.size() && count.get() % 10 == 5) {
                Arrival only = left.get(0);
                left.set(0, new Arrival(only.message(), Recipients.of()));
            }
            real.committed(afterId, upTo, left, changes);
        }

        @Override
        public void changed(Change change) {
            real.changed(change);
        }
    }

    @Test
    void aSessionThatSkipsIsFound() throws Exception {
        Verdict verdict = run(seams -> seams.wakeUps(real -> new Skips(real, new AtomicInteger())));
        assertThat(verdict.lost() + verdict.inversions()).isPositive();
    }

    @Test
    void eachMistakeIsCountedOnceAndUnderItsName() {
        History made = new History();
        made.asked("k1", "app", Set.of("a"));
        made.asked("k2", "app", Set.of("a"));
        made.asked("k3", "other", Set.of("a", "z"));
        made.accepted("k1", 1, 100);
        made.accepted("k2", 2, 100);
        made.accepted("k3", 3, 100);
        made.presented("app", "a", 2, "k2", 0, 50);
        made.presented("app", "a", 1, "k1", 0, 50);
        made.presented("app", "a", 1, null, 0, 50);
        made.confirmed("a", 2);
        made.presented("app", "a", 2, null, 2, 50);
        made.presented("app", "a", 3, "k3", 0, 101);
        made.presented("app", "b", 9, "k9", 0, 50);
        assertThat(made.check(Map.of(1L, 1, 2L, 0)))
                .isEqualTo(new Verdict(1, 1, 1, 1, 1, 1, 1, 1, 1));
    }
}
