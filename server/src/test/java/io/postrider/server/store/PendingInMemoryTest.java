package io.postrider.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.postrider.server.ManualClock;
import io.postrider.server.delivery.Mailboxes.Drained;
import io.postrider.server.delivery.Message;
import io.postrider.server.delivery.MessageStore.Intake;
import io.postrider.server.metrics.Metrics;
import io.postrider.server.store.Writer.Change;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PendingInMemoryTest {
    private static final int SQLITE_IOERR = 10;

    /** Few enough that nearly everything is moved to the table. */
    private static final int FEW = 8;

    @TempDir private Path folder;
    private final ManualClock clock = new ManualClock();
    private Database database;
    private Stores stores;
    private long app;
    private int number;
    private int other;

    /** The whole contract, with most of what is pending in the table. */
    @Nested
    class Moved extends StoreContract {
        @Override
        Stores open(Path path, ManualClock ofContract) {
            return SqliteStoreTest.stores(
                    PendingInMemoryTest.open(path, ofContract, UnaryOperator.identity(), 1),
                    ofContract);
        }
    }

    private static Database open(
            Path folder, ManualClock clock, UnaryOperator<Connection> around, int inMemory) {
        return Database.open(folder, clock, new Metrics(), around, inMemory);
    }

    @BeforeEach
    void open() {
        openWith(UnaryOperator.identity(), FEW);
        app = stores.newApp();
        number = stores.register(app, "d").number();
        other = stores.register(app, "other").number();
    }

    private void openWith(UnaryOperator<Connection> around, int inMemory) {
        database = open(folder, clock, around, inMemory);
        stores = SqliteStoreTest.stores(database, clock);
    }

    private void reopen(UnaryOperator<Connection> around) {
        reopen(around, FEW);
    }

    private void reopen(UnaryOperator<Connection> around, int inMemory) {
        stores.close();
        openWith(around, inMemory);
    }

    @AfterEach
    void close() {
        stores.close();
    }

    private long inTable() {
        return database.read(sql -> sql.number("SELECT count(*) FROM pending"));
    }

    private List<Long> publishMany(int count) {
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            ids.add(stores.publish(app, number));
        }
        return ids;
    }

    @Test
    void whatIsAcknowledgedSoonNeverReachesTheTable() {
        for (int i = 0; i < FEW; i++) {
            stores.ack(app, number, stores.publish(app, number, other));
            stores.ack(app, other, stores.messages().lastId());
        }
        assertThat(inTable()).isZero();
        assertThat(stores.pending(app, number)).isEmpty();
    }

    @Test
    void whatStaysIsMovedAndFoundAndLeavesTheTableWhenItEnds() {
        List<Long> ids = publishMany(3 * FEW);
        long few = stores.publish(app, number, other);
        await().until(() -> inTable() >= FEW);
        ids.add(few);
        assertThat(stores.pending(app, number)).isEqualTo(ids);
        assertThat(stores.pending(app, other)).containsExactly(few);
        reopen(UnaryOperator.identity());
        assertThat(stores.pending(app, number)).isEqualTo(ids);
        ids.forEach(id -> stores.ack(app, number, id));
        stores.messages().recall(app, few).join();
        assertThat(stores.pending(app, number)).isEmpty();
        assertThat(stores.pending(app, other)).isEmpty();
        assertThat(inTable()).isZero();
    }

    @Test
    void whatIsPurgedOrDeletedWithItsAppLeavesTheTable() {
        publishMany(3 * FEW);
        await().until(() -> inTable() > 0);
        clock.advance(Duration.ofDays(60));
        database.purge().run();
        assertThat(inTable()).isZero();
        publishMany(3 * FEW);
        await().until(() -> inTable() > 0);
        stores.apps().delete(app, Stores.DEED.of(app));
        await().until(() -> inTable() == 0);
    }

    @Test
    void aStartReadsOnlyWhatCameAfterTheLastMove() {
        CompletableFuture<?>[] acks =
                publishMany(100 * FEW).stream()
                        .map(id -> stores.ackLater(app, number, id, false))
                        .toArray(CompletableFuture[]::new);
        CompletableFuture.allOf(acks).join();
        publishMany(FEW);
        long movedTo = database.read(sql -> Sequences.last(sql, Sequences.PENDING));
        long after =
                database.read(
                        sql -> sql.number("SELECT count(*) FROM messages WHERE id > ?", movedTo));
        assertThat(after).isLessThan(10 * FEW);
    }

    @Test
    void rowsThatAMoveLeftWhenItWasCutShortAreGoneWithTheAck() {
        List<Long> ids = publishMany(2);
        assertThat(inTable()).isZero();
        database.writer()
                .await(tx ->
                        tx.sql.update(
                                "INSERT INTO pending SELECT app_id, number, id FROM messages"));
        reopen(UnaryOperator.identity());
        assertThat(stores.pending(app, number)).isEqualTo(ids);
        ids.forEach(id -> stores.ack(app, number, id));
        assertThat(stores.pending(app, number)).isEmpty();
    }

    @Test
    void g1WhatWasCommittedThoughTheDiskSaidOtherwiseIsFound() {
        AtomicBoolean fails = new AtomicBoolean();
        reopen(real -> failingAfterCommits(real, fails));
        fails.set(true);
        assertThatThrownBy(() -> stores.publish(app, number));
        fails.set(false);
        await().until(() -> stores.messages().intake() == Intake.OPEN);
        List<Long> ids = List.of(stores.messages().lastId(), stores.publish(app, number));
        assertThat(stores.pending(app, number)).isEqualTo(ids);
    }

    /** Commits, and says that the disk has failed. */
    private static Connection failingAfterCommits(Connection real, AtomicBoolean fails) {
        return (Connection)
                Proxy.newProxyInstance(
                        PendingInMemoryTest.class.getClassLoader(),
                        new Class<?>[] {Connection.class},
                        (proxy, method, args) -> {
                            try {
                                Object answer = method.invoke(real, args);
                                if (method.getName().equals("commit") && fails.get()) {
                                    throw new SQLException("on purpose", "", SQLITE_IOERR);
                                }
                                return answer;
                            } catch (InvocationTargetException e) {
                                throw e.getTargetException();
                            }
                        });
    }

    /** An index that is due to move what it holds, in moves that are the test's to run. */
    @Nested
    class DueToMove {
        private final List<Change> moves = new ArrayList<>();
        private PendingInMemory index;
        private List<Long> ids;

        @BeforeEach
        void fill() {
            reopen(UnaryOperator.identity(), PendingInMemory.MOST_IN_MEMORY);
            index =
                    new PendingInMemory(
                            FEW,
                            change -> {
                                moves.add(change);
                                return new CompletableFuture<>();
                            });
            ids = publishMany(FEW + 1);
            database.writer()
                    .await(tx -> {
                        ids.forEach(id -> index.add(tx, app, number, id));
                        index.stored(tx);
                        return ids;
                    });
        }

        private List<Long> recent() {
            return database.read(sql -> index.recent(sql, app, number, 0, 1_000).ids());
        }

        @Test
        void aMoveThatWasGivenUpDoesNothingWhenItsTurnComes() {
            for (int slice = 0; slice < 4; slice++) {
                database.writer().change(moves.get(slice)).join();
            }
            // The disk has failed meanwhile, and everything is read again.
            database.writer()
                    .await(tx -> {
                        index.load(tx.sql);
                        return ids;
                    });
            database.writer().change(moves.get(4)).join();
            assertThat(recent()).isEqualTo(ids);
            long movedTo = database.read(sql -> Sequences.last(sql, Sequences.PENDING));
            assertThat(movedTo).isZero();
        }

        @Test
        void whatEndsInTheCommitOfAMoveIsNotMoved() {
            database.writer()
                    .await(tx -> {
                        index.remove(tx, app, number, ids.get(0));
                        moves.get(0).run(tx);
                        index.remove(tx, app, number, ids.get(1));
                        return ids;
                    });
            database.writer().change(moves.get(1)).join();
            long oldest = database.read(sql -> sql.number("SELECT min(message_id) FROM pending"));
            assertThat(oldest).isEqualTo(ids.get(2));
            assertThat(recent()).isEqualTo(ids.subList(2, ids.size()));
        }

        @Test
        void nothingIsMovedOfAnAppThatGoesInTheSameCommit() {
            database.writer()
                    .await(tx -> {
                        index.forgetApp(tx, app);
                        moves.get(0).run(tx);
                        return ids;
                    });
            assertThat(inTable()).isZero();
            assertThat(recent()).isEmpty();
        }
    }

    @Test
    void aPageOfWhichNothingIsLeftIsNotTheLast() {
        List<Long> ids = publishMany(5);
        database.writer()
                .await(tx -> {
                    database.messageCache().remove(ids.get(0));
                    database.messageCache().remove(ids.get(1));
                    return tx.sql.update("DELETE FROM messages WHERE id <= ?", ids.get(1));
                });
        Drained first = stores.drain(app, number, 0, 2);
        assertThat(first.messages()).isEmpty();
        assertThat(first.more()).isTrue();
        Drained second = stores.drain(app, number, first.upTo(), 2);
        assertThat(second.messages().stream().map(Message::id).toList())
                .isEqualTo(ids.subList(2, 4));
    }

    @Test
    void g2AReaderBesideAMoveMissesNothing() throws ExecutionException, InterruptedException {
        CompletableFuture<Void> publishing =
                CompletableFuture.runAsync(() -> {
                    for (int i = 0; i < 300; i++) {
                        stores.messages().accept(Stores.message(app, number)).join();
                        stores.messages().accept(Stores.message(app, number, other)).join();
                    }
                });
        List<Drained> seen = new ArrayList<>();
        while (!publishing.isDone()) {
            seen.add(stores.drain(app, number, 0, 10_000));
        }
        publishing.get();
        List<Long> all = stores.pending(app, number);
        assertThat(all).hasSize(600);
        await().atMost(10, TimeUnit.SECONDS).until(() -> inTable() > 500);
        for (Drained drained : seen) {
            assertThat(drained.messages().stream().map(Message::id).toList())
                    .isEqualTo(all.stream().filter(id -> id <= drained.upTo()).toList());
        }
    }
}
