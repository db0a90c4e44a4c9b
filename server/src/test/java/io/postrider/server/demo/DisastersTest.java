package io.postrider.server.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.server.demo.Stage.Disaster;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class DisastersTest {
    private final ConcurrentLinkedQueue<String> seen = new ConcurrentLinkedQueue<>();
    private final CountDownLatch firstMayEnd = new CountDownLatch(1);

    private final Disasters disasters =
            new Disasters(
                    List.of(
                            new Disaster(
                                    "first",
                                    () -> {
                                        seen.add("first begins");
                                        await(firstMayEnd);
                                        seen.add("first ends");
                                    }),
                            new Disaster("second", () -> seen.add("second"))),
                    6);

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private Void publish(int index) throws InterruptedException {
        disasters.before(index);
        seen.add("publish " + index);
        return null;
    }

    @Test
    void publishesGoOnDuringADisasterAndTheNextOneWaitsForItsEnd() throws Exception {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            publish(0);
            publish(1);
            Future<Void> early = threads.submit(() -> publish(3));
            Future<Void> first = threads.submit(() -> publish(2));
            Future<Void> second = threads.submit(() -> publish(4));
            Future<Void> last = threads.submit(() -> publish(5));
            try {
                early.get();
                assertThat(seen).contains("publish 3").doesNotContain("first ends", "second");
            } finally {
                firstMayEnd.countDown();
            }
            first.get();
            second.get();
            last.get();
            assertThat(seen.stream().filter(each -> !each.startsWith("publish")).toList())
                    .containsExactly("first begins", "first ends", "second");
            assertThat(List.copyOf(seen).indexOf("publish 5"))
                    .isGreaterThan(List.copyOf(seen).indexOf("first ends"));
        }
    }
}
