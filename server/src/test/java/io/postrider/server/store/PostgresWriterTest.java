package io.postrider.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.server.ManualClock;
import io.postrider.server.metrics.Metrics;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The writer among others. */
class PostgresWriterTest {
    @TempDir private Path folder;
    private final ManualClock clock = new ManualClock();

    private Database open(Metrics metrics) {
        return Database.open(
                Postgres.address(folder),
                Optional.empty(),
                clock,
                metrics,
                UnaryOperator.identity());
    }

    /** The longer others take, the more go together. */
    @Test
    void whatComesWhileAnotherNodeHasItsTurnGoesWithWhatWaitedForIt() throws Exception {
        Metrics metrics = new Metrics();
        try (Database other = Postgres.database(folder, clock);
                Database own = open(metrics)) {
            CountDownLatch free = new CountDownLatch(1);
            WriterTest.hold(other.writer(), free);
            CompletableFuture<Integer> waits = own.writer().submit(tx -> WriterTest.put(tx, "a"));
            await().until(() -> isKeptOut(own));
            CompletableFuture<Integer> comes = own.writer().submit(tx -> WriterTest.put(tx, "b"));
            double commits = WriterTest.commits(metrics);
            free.countDown();
            assertThat(waits.join() + comes.join()).isEqualTo(2);
            assertThat(WriterTest.commits(metrics) - commits).isEqualTo(1);
        }
    }

    @Test
    void afterItsTurnItLeavesTheTurnToOthersIfTheyHadOne() {
        try (Database other = Postgres.database(folder, clock);
                Database own = open(new Metrics())) {
            other.writer().submit(tx -> WriterTest.put(tx, "a")).join();
            long from = System.nanoTime();
            own.writer().submit(tx -> WriterTest.put(tx, "b")).join();
            own.writer().submit(tx -> WriterTest.put(tx, "c")).join();
            assertThat(System.nanoTime() - from).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(12));
        }
    }

    private static boolean isKeptOut(Database database) {
        return database.read(sql ->
                sql.number(
                        "SELECT count(*) FROM pg_stat_activity"
                                + " WHERE datname = current_database()"
                                + " AND wait_event_type = 'Lock'"))
                == 1;
    }
}
