package io.postrider.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.server.ManualClock;
import io.postrider.server.metrics.Metrics;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The writer among others. */
class PostgresWriterTest {
    @TempDir private Path folder;

    /** The longer others take, the more go together. */
    @Test
    void whatComesWhileAnotherNodeHasItsTurnGoesWithWhatWaitedForIt() throws Exception {
        ManualClock clock = new ManualClock();
        Metrics metrics = new Metrics();
        try (Database other = Postgres.database(folder, clock);
                Database own =
                        Database.open(
                                Postgres.address(folder),
                                Optional.empty(),
                                clock,
                                metrics,
                                UnaryOperator.identity())) {
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

    private static boolean isKeptOut(Database database) {
        return database.read(sql ->
                sql.number(
                        "SELECT count(*) FROM pg_stat_activity"
                                + " WHERE datname = current_database()"
                                + " AND wait_event_type = 'Lock'"))
                == 1;
    }
}
