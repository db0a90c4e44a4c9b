package io.postrider.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.postrider.server.ManualClock;
import io.postrider.server.delivery.Accepted;
import io.postrider.server.delivery.MessageStore.Intake;
import io.postrider.server.delivery.NewMessage;
import io.postrider.server.delivery.NewMessage.Target;
import io.postrider.server.delivery.StoreUnavailable;
import io.postrider.server.identity.DeviceFilter;
import io.postrider.server.metrics.Metrics;
import io.postrider.server.publish.Audience;
import io.postrider.server.publish.AudienceIndex;
import io.postrider.server.publish.AudienceIndex.Resolved;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
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

    /** As in a storm of devices that come back, while others register. */
    @Test
    void thoseWhoReadHoldUpNobodyWhoWrites() throws Exception {
        try (Stores other = Postgres.stores(folder, clock, Stores.NOBODY);
                Stores own = Postgres.stores(folder, clock, Stores.NOBODY)) {
            long app = own.newApp();
            own.register(app, "a");
            AudienceIndex index = new AudienceIndex(own.audience(), own.devices(), own.groups());
            Audience all = new Audience(null, new DeviceFilter(null, null, null, null, null, null));
            Target.Devices known = devices(index.resolve(app, all), index, app, all);
            other.register(app, "b");
            Thread resolves;
            try (BusyReaders _ = new BusyReaders(own.database())) {
                resolves = Thread.ofPlatform().start(() -> index.resolveAnew(app, all));
                await().until(() -> resolves.getState() == Thread.State.TIMED_WAITING);
                NewMessage message =
                        new NewMessage(
                                app,
                                known,
                                "{}",
                                "{}",
                                60_000,
                                true,
                                false,
                                new byte[0],
                                null,
                                "test");
                assertThat(own.messages().accept(message).get(3, TimeUnit.SECONDS))
                        .isInstanceOfSatisfying(
                                Accepted.Stored.class,
                                stored -> assertThat(stored.targeted()).isEqualTo(2));
            }
            resolves.join();
        }
    }

    /** As a standby that was failed over to too early. */
    @Test
    void aDatabaseThatCanBeReadAndNotWrittenDoesNotWork() {
        AtomicInteger connections = new AtomicInteger();
        UnaryOperator<Connection> counting =
                connection -> {
                    connections.incrementAndGet();
                    return connection;
                };
        try (Database own =
                Database.open(
                        Postgres.address(folder),
                        Optional.empty(),
                        clock,
                        new Metrics(),
                        counting)) {
            Writer writer = own.writer();
            Postgres.alter(folder, "SET default_transaction_read_only = on");
            Postgres.endConnections(folder);
            assertThatThrownBy(() -> writer.await(tx -> WriterTest.put(tx, "a")))
                    .isInstanceOf(StoreUnavailable.class);
            int before = connections.get();
            await().until(() -> {
                assertThat(writer.intake()).isEqualTo(Intake.BROKEN);
                return connections.get() >= before + 3;
            });
            assertThat(writer.intake()).isEqualTo(Intake.BROKEN);
            Postgres.alter(folder, "RESET default_transaction_read_only");
            await().until(() -> writer.intake() == Intake.OPEN);
            assertThat(writer.<Integer>await(tx -> WriterTest.put(tx, "b"))).isEqualTo(1);
        }
    }

    private static Target.Devices devices(
            Resolved resolved, AudienceIndex index, long app, Audience audience) {
        return new Target.Devices(
                resolved.recipients(),
                resolved.logEnd(),
                resolved.namesUsers(),
                end -> devices(index.resolveAsOf(app, audience, end), index, app, audience));
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
