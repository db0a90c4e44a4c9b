package io.postrider.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.postrider.server.ManualClock;
import io.postrider.server.delivery.Accepted;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.Mailboxes;
import io.postrider.server.delivery.Message;
import io.postrider.server.delivery.MessageStore.Intake;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.delivery.StoreUnavailable;
import io.postrider.server.metrics.Metrics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PostgresStoreTest extends StoreContract {
    private static final String DAYS =
            "SELECT count(*) FROM pg_inherits WHERE inhparent = 'messages'::regclass";

    private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(10);

    @TempDir private Path other;
    private Database database;
    private Stores own;
    private long app;

    @Override
    Stores open(Path folder, ManualClock clock) {
        return Postgres.stores(folder, clock, Stores.NOBODY);
    }

    @BeforeEach
    void openOwn() {
        own = open(other, clock);
        database = own.database();
        app = own.newApp();
    }

    @AfterEach
    void closeOwn() {
        own.close();
    }

    private long count(String from) {
        return database.read(sql -> sql.number("SELECT count(*) FROM " + from));
    }

    @Test
    void g1EachCommitIsFlushed() {
        String level =
                database.writer()
                        .await(tx ->
                                tx.sql
                                        .first("SHOW synchronous_commit", row -> row.getString(1))
                                        .orElseThrow());
        assertThat(level).isEqualTo("on");
    }

    @Test
    void readersSeeOneMomentAndCannotWrite() {
        database.read(sql -> {
            assertThat(sql.number("SELECT count(*) FROM messages")).isZero();
            own.register(app, "d");
            own.publish(app, 0);
            assertThat(sql.number("SELECT count(*) FROM messages")).isZero();
            return app;
        });
        assertThatThrownBy(() -> database.read(sql -> sql.update("DELETE FROM messages")))
                .isInstanceOf(StoreUnavailable.class);
        assertThat(count("messages")).isEqualTo(1);
    }

    /** As a newer version's scripts would, that only add. */
    private void addToTheSchema(int version) {
        database.writer()
                .change(tx -> {
                    for (String table : List.of("messages", "devices", "sessions", "pending")) {
                        tx.sql.run(
                                "ALTER TABLE " + table + " ADD COLUMN added" + version + " TEXT");
                    }
                    tx.sql.run(
                            ("INSERT INTO flyway_schema_history (installed_rank, version,"
                                            + " description, type, script, checksum, installed_by,"
                                            + " installed_on, execution_time, success) VALUES (%1$d,"
                                            + " '%1$d', 'added', 'SQL', 'V%1$d__added.sql', 1, 'me',"
                                            + " now(), 1, true)")
                                    .formatted(version));
                })
                .join();
    }

    private void mayRunBeside(int version, String oldest) {
        database.writer()
                .change(tx ->
                        tx.sql.update(
                                "INSERT INTO meta (name, value) VALUES (?, ?)"
                                        + " ON CONFLICT (name) DO UPDATE SET value = ?",
                                "runs_beside_" + version,
                                oldest,
                                oldest))
                .join();
    }

    private void worksWith(Stores stores, int device) {
        long id = stores.publish(app, device);
        assertThat(stores.ack(app, device, id)).isEqualTo(AckOutcome.RECORDED);
    }

    @Test
    void aNodeRunsOnWhileANewerVersionAddsToTheSchema() {
        int device = own.register(app, "d").number();
        worksWith(own, device);
        addToTheSchema(99);
        worksWith(own, device);
        assertThat(count("messages")).isEqualTo(2);
    }

    @Test
    void aNodeStartsOnANewerSchemaOnlyIfAllOfItSaysSo() {
        int device = own.register(app, "d").number();
        addToTheSchema(99);
        assertThatThrownBy(() -> open(other, clock)).hasMessageContaining("newer Postrider");
        mayRunBeside(99, "99");
        assertThatThrownBy(() -> open(other, clock)).hasMessageContaining("newer Postrider");
        mayRunBeside(99, "7.1");
        try (Stores older = open(other, clock)) {
            worksWith(older, device);
        }
        addToTheSchema(100);
        assertThatThrownBy(() -> open(other, clock)).hasMessageContaining("newer Postrider");
    }

    @Test
    void aDayOfMessagesGoesWholeWhenNoAppKeepsIt() {
        int[] numbers = IntStream.range(0, 20).toArray();
        for (int number : numbers) {
            own.register(app, "d" + number);
        }
        own.publish(app, 0);
        own.publish(app, 0, 1);
        long many = own.publish(app, numbers);
        own.ack(app, 3, many);
        own.groups().add(app, "shop", "d0");
        clock.advance(Duration.ofDays(20));
        long kept = own.publish(app, 0);
        database.purge().run();
        assertThat(days()).isEqualTo(3);
        clock.advance(Duration.ofDays(15));
        database.purge().run();
        assertThat(days()).isEqualTo(3);
        assertThat(count("messages")).isEqualTo(1);
        for (String table : List.of("deliveries", "message_sets", "set_ends", "settlements")) {
            assertThat(count(table)).as(table).isZero();
        }
        assertThat(count("pending")).isEqualTo(1);
        assertThat(database.<Long>read(sql -> sql.number("SELECT message_id FROM pending")))
                .isEqualTo(kept);
    }

    /** With those that are made ahead. */
    private long days() {
        return database.read(sql -> sql.number(DAYS));
    }

    @Test
    void g4WhoFeedsSessionsDoesNotWaitForReadersAndOthersAreToldToComeBack() throws Exception {
        own.register(app, "d");
        long id = own.publish(app, 0);
        SqlApps apps = new SqlApps(database);
        try (BusyReaders _ = new BusyReaders(database)) {
            assertThat(own.messages().lastId()).isEqualTo(id);
            assertThat(own.messages().committedAfter(0, 10).arrivals()).hasSize(1);
            assertThat(apps.byId(app)).isPresent();
            assertThatThrownBy(() -> own.pending(app, 0)).isInstanceOf(StoreUnavailable.class);
        }
        assertThat(own.pending(app, 0)).containsExactly(id);
    }

    /**
     * Begun again, it would seem to have been presented what it was not, and be one more to write.
     */
    @Test
    void aSessionThatHasBegunWaitsForAReader() throws Exception {
        int number = own.register(app, "d").number();
        int before = own.begin(app, number).generation();
        CompletableFuture<Mailboxes.Start> start;
        try (BusyReaders _ = new BusyReaders(database)) {
            start = own.mailboxes().begin(app, number, 0, 0);
            // Both wait for as long as anybody does, one after the other.
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(() -> own.pending(app, 0)).isInstanceOf(StoreUnavailable.class);
            }
            assertThat(start).isNotDone();
        }
        assertThat(start.join())
                .isInstanceOfSatisfying(
                        Mailboxes.Begun.class,
                        begun -> assertThat(begun.generation()).isEqualTo(before + 1));
    }

    /** As ANALYZE does, for as long as it reads. */
    @Test
    void theFirstMessageOfADayDoesNotWaitForWhoLocksTheOthers() throws Exception {
        own.register(app, "d");
        own.publish(app, 0);
        database.purge().run();
        clock.advance(Duration.ofDays(1));
        try (Sql locker = database.engine().connect()) {
            locker.begin();
            locker.run("SET LOCAL idle_in_transaction_session_timeout = 0");
            locker.run("LOCK TABLE ONLY messages IN SHARE UPDATE EXCLUSIVE MODE");
            assertThat(own.messages().accept(Stores.message(app, 0)).get(5, TimeUnit.SECONDS))
                    .isInstanceOf(Accepted.Stored.class);
        }
        assertThat(own.pending(app, 0)).hasSize(2);
    }

    /** As a back-up does, for hours. */
    @Test
    void aDayThatSomebodyReadsGoesLaterAndNobodyWaitsForHim() {
        own.register(app, "d");
        own.publish(app, 0);
        clock.advance(Duration.ofDays(35));
        database.read(sql -> {
            sql.number("SELECT count(*) FROM messages");
            long from = System.nanoTime();
            database.purge().run();
            assertThat(Duration.ofNanos(System.nanoTime() - from)).isLessThan(LOCK_TIMEOUT);
            return app;
        });
        assertThat(days()).isEqualTo(2);
        database.purge().run();
        assertThat(days()).isEqualTo(1);
        own.publish(app, 0);
    }

    @Test
    void g1WhatGoesWithALockThatIsNotToBeHadIsStored() throws Exception {
        own.register(app, "d");
        CountDownLatch free = new CountDownLatch(1);
        WriterTest.hold(database.writer(), free);
        CompletableFuture<Accepted> accepted = own.messages().accept(Stores.message(app, 0));
        CompletableFuture<Boolean> locked =
                database.writer().submit(tx -> MessageDays.runSoon(tx, "LOCK TABLE ONLY messages"));
        database.read(sql -> {
            sql.number("SELECT count(*) FROM messages");
            free.countDown();
            return locked.join();
        });
        assertThat(locked.join()).isFalse();
        long id = ((Accepted.Stored) accepted.join()).id();
        assertThat(own.pending(app, 0)).containsExactly(id);
    }

    @Test
    void aDayThatIsGoneDoesNotCountForItsAppsQuota() {
        SqlMessages limited = new SqlMessages(database, clock, 1);
        own.register(app, "d");
        assertThat(limited.accept(Stores.message(app, 0)).join())
                .isInstanceOf(Accepted.Stored.class);
        assertThat(limited.accept(Stores.message(app, 0)).join())
                .isEqualTo(new Accepted.QuotaExceeded(1));
        clock.advance(Duration.ofDays(35));
        database.purge().run();
        assertThat(limited.accept(Stores.message(app, 0)).join())
                .isInstanceOf(Accepted.Stored.class);
    }

    @Test
    void aDayStaysAsLongAsOneOfItsMessagesIsValid() {
        own.register(app, "d");
        long id =
                own.accept(
                                Stores.message(
                                        app,
                                        Recipients.of(0),
                                        false,
                                        null,
                                        Message.MOST_TTL.toMillis(),
                                        Long.MAX_VALUE))
                        .id();
        database.writer().change(tx -> tx.sql.update("UPDATE apps SET retention_days = 1")).join();
        clock.advance(Duration.ofDays(27));
        database.purge().run();
        assertThat(own.pending(app, 0)).containsExactly(id);
        clock.advance(Duration.ofDays(3));
        database.purge().run();
        assertThat(count("messages")).isZero();
    }

    /** As a restart of the database does, and a firewall that forgets. */
    @Test
    void connectionsThatAreCutCostOneAnswerAndAreMadeAnew() {
        own.register(app, "d");
        own.publish(app, 0);
        try (Stores cutter = open(other, clock)) {
            cutter.database()
                    .read(sql ->
                            sql.list(
                                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                                            + " WHERE datname = current_database()"
                                            + " AND pid <> pg_backend_pid()",
                                    row -> row.getBoolean(1)));
        }
        assertThatThrownBy(() -> own.messages().accept(Stores.message(app, 0)).join())
                .hasCauseInstanceOf(StoreUnavailable.class);
        await().until(() -> own.messages().intake() == Intake.OPEN);
        long id = own.publish(app, 0);
        await().ignoreExceptionsInstanceOf(StoreUnavailable.class)
                .until(() -> own.pending(app, 0).contains(id));
    }

    @Test
    void whoStandsStillInATransactionLosesIt() throws Exception {
        own.register(app, "d");
        CountDownLatch stands = new CountDownLatch(1);
        CountDownLatch goesOn = new CountDownLatch(1);
        try (Stores second = open(other, clock)) {
            CompletableFuture<Object> stuck =
                    database.writer()
                            .submit(tx -> {
                                stands.countDown();
                                try {
                                    goesOn.await();
                                } catch (InterruptedException e) {
                                    Thread.currentThread().interrupt();
                                }
                                return tx.sql.number("SELECT 1");
                            });
            stands.await();
            // Waits until the first has lost it.
            long id = second.publish(app, 0);
            goesOn.countDown();
            assertThatThrownBy(stuck::join).hasCauseInstanceOf(StoreUnavailable.class);
            await().until(() -> own.messages().intake() == Intake.OPEN);
            assertThat(own.publish(app, 0)).isGreaterThan(id);
        }
    }

    @Test
    void aDatabaseThatIsNotThereIsNamedWithoutItsPassword() {
        assertThatThrownBy(() -> opened("postgres://ann:secret@127.0.0.1:1/push"))
                .isInstanceOf(StoreException.class)
                .hasMessageStartingWith("the database at 127.0.0.1:1/push cannot be used: ")
                .hasMessageNotContaining("secret");
        assertThatThrownBy(() -> opened("ann:secret@127.0.0.1/push"))
                .hasMessageStartingWith("store is no address of a PostgreSQL database")
                .hasMessageNotContaining("secret");
    }

    private Database opened(String uri) {
        return Database.open(uri, Optional.empty(), clock, new Metrics(), UnaryOperator.identity());
    }

    @Test
    void rowsAreNotQuotedInMessagesOfErrors() {
        assertThatThrownBy(() ->
                        database.writer()
                                .await(tx ->
                                        tx.sql.update(
                                                "INSERT INTO meta (name, value) VALUES (?, ?)",
                                                "secret words",
                                                null)))
                .hasMessageContaining("null value in column")
                .hasMessageNotContaining("secret words");
    }
}
