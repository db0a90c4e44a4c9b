package io.postrider.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.postrider.server.ManualClock;
import io.postrider.server.delivery.Accepted;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.Mailboxes.Ended;
import io.postrider.server.delivery.MessageStore.Intake;
import io.postrider.server.delivery.MessageStore.Presentation;
import io.postrider.server.delivery.NewMessage;
import io.postrider.server.delivery.NewMessage.Idempotency;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.delivery.WakeUps;
import io.postrider.server.identity.DeviceFilter;
import io.postrider.server.metrics.Metrics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SqliteStoreTest extends StoreContract {
    private static final int SQLITE_FULL = 13;

    static Stores stores(Database database, ManualClock clock) {
        return stores(database, clock, Stores.NOBODY);
    }

    static Stores stores(Database database, ManualClock clock, WakeUps wakeUps) {
        SqlMessages messages = new SqlMessages(database, clock, 0);
        messages.onCommit(wakeUps);
        SqlDevices devices = new SqlDevices(database);
        return new Stores(
                messages,
                new SqlMailboxes(database, clock),
                devices,
                new SqlGroups(database, clock),
                new SqlTills(database, devices, clock),
                new SqlApps(database),
                new SqlReports(database, clock),
                new SqlAudienceLog(database),
                new SqlDevelopers(database, clock),
                new SqlAudit(database),
                database,
                database::close);
    }

    @Override
    Stores open(Path folder, ManualClock clock) {
        return stores(Database.open(folder, clock, new Metrics()), clock);
    }

    @Test
    void g1EachCommitIsFlushedAndTheLogIsNotCheckpointedInIt(@TempDir Path other) {
        try (Database open = Database.open(other, clock, new Metrics())) {
            open.writer()
                    .await(tx -> {
                        assertThat(tx.sql.number("PRAGMA synchronous")).isEqualTo(2);
                        assertThat(tx.sql.number("PRAGMA wal_autocheckpoint")).isZero();
                        assertThat(tx.sql.number("PRAGMA busy_timeout")).isEqualTo(10_000);
                        assertThat(tx.sql.number("PRAGMA cache_size")).isEqualTo(-32_768);
                        assertThat(tx.sql.number("PRAGMA mmap_size")).isEqualTo(256 << 20);
                        assertThat(tx.sql.number("PRAGMA auto_vacuum")).isEqualTo(2);
                        return tx.sql.first("PRAGMA journal_mode", row -> row.getString(1));
                    })
                    .ifPresent(mode -> assertThat(mode).isEqualTo("wal"));
        }
    }

    @Test
    void anAppKeepsNoMoreThanItsQuotaUntilOldOnesArePurged(@TempDir Path other) {
        try (Database open = Database.open(other, clock, new Metrics())) {
            SqlMessages messages = new SqlMessages(open, clock, 2);
            Stores stores = stores(open, clock);
            long app = stores.newApp();
            long second = stores.newApp();
            stores.register(app, "d");
            stores.register(second, "d");
            NewMessage message = Stores.message(app, 0);
            assertThat(messages.accept(message).join()).isInstanceOf(Accepted.Stored.class);
            assertThat(messages.accept(message).join()).isInstanceOf(Accepted.Stored.class);
            assertThat(messages.accept(message).join()).isEqualTo(new Accepted.QuotaExceeded(2));
            assertThat(stores.pending(app, 0)).hasSize(2);
            assertThat(messages.accept(Stores.message(second, 0)).join())
                    .isInstanceOf(Accepted.Stored.class);
            clock.advance(Duration.ofDays(40));
            open.purge().run();
            assertThat(messages.accept(message).join()).isInstanceOf(Accepted.Stored.class);
            assertThat(messages.accept(message).join()).isInstanceOf(Accepted.Stored.class);
            assertThat(messages.accept(message).join()).isEqualTo(new Accepted.QuotaExceeded(2));
            stores.apps().delete(app, Stores.DEED.of(app));
            assertThat(messages.accept(message).join()).isEqualTo(new Accepted.NoApp());
        }
    }

    @Test
    void theLogBeginsAnewThoughTheWriterNeverRests(@TempDir Path other) throws IOException {
        int messages = 30_000;
        int checkpointEvery = 5_000;
        // Far enough ahead of the checkpoints that there is always something to write.
        Semaphore ahead = new Semaphore(2 * checkpointEvery);
        AtomicInteger accepted = new AtomicInteger();
        try (Database open = Database.open(other, clock, new Metrics())) {
            Stores stores = stores(open, clock);
            long app = stores.newApp();
            int[] number = {stores.register(app, "d").number()};
            CompletableFuture<Void> writing =
                    CompletableFuture.runAsync(() -> {
                        Semaphore waiting = new Semaphore(500);
                        for (int i = 0; i < messages; i++) {
                            ahead.acquireUninterruptibly();
                            waiting.acquireUninterruptibly();
                            stores.messages()
                                    .accept(large(app, number))
                                    .whenComplete((stored, failure) -> {
                                        accepted.incrementAndGet();
                                        waiting.release();
                                    });
                        }
                        waiting.acquireUninterruptibly(500);
                    });
            for (int i = checkpointEvery; i < messages; i += checkpointEvery) {
                int many = i;
                await().pollDelay(Duration.ZERO)
                        .pollInterval(Duration.ofMillis(1))
                        .until(() -> accepted.get() >= many);
                checkpoint(open);
                ahead.release(checkpointEvery);
            }
            writing.join();
            assertThat(Files.size(other.resolve("postrider.db-wal")))
                    .isLessThan(messages * 4_000L / 2);
        }
    }

    @Test
    void aCheckpointMovesTheLogIntoTheDatabase(@TempDir Path other) throws IOException {
        try (Database open = Database.open(other, clock, new Metrics())) {
            long app = stores(open, clock).newApp();
            checkpoint(open);
            long before = Files.size(other.resolve("postrider.db"));
            stores(open, clock).accept(large(app, new int[] {0}));
            for (int i = 0; i < 100; i++) {
                stores(open, clock).accept(large(app, new int[] {0}));
            }
            assertThat(Files.size(other.resolve("postrider.db"))).isEqualTo(before);
            checkpoint(open);
            assertThat(Files.size(other.resolve("postrider.db"))).isGreaterThan(before);
        }
    }

    /** Or all who write would wait for as long as it takes. */
    @Test
    void howeverMuchIsOldItGoesInPieces(@TempDir Path other) {
        Metrics metrics = new Metrics();
        try (Database open = Database.open(other, clock, metrics)) {
            open.writer()
                    .await(tx ->
                            tx.sql.update(
                                    "WITH RECURSIVE n (i) AS"
                                            + " (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                                            + " WHERE i < ?)"
                                            + " INSERT INTO idempotency_keys"
                                            + " SELECT 1, 'key-' || i, x'00', i, 1, 1, 1 FROM n",
                                    20_500));
            assertThat(rows(open, "idempotency_keys")).isEqualTo(20_500);
            double commits = WriterTest.commits(metrics);
            open.purge().run();
            assertThat(rows(open, "idempotency_keys")).isZero();
            assertThat(WriterTest.commits(metrics) - commits).isGreaterThan(20);
        }
    }

    /** As of a process that died when it had deleted the app itself. */
    @Test
    void whatADeletedAppHasLeftGoesWithThePurgeAndNothingOfOthers(@TempDir Path other) {
        List<String> tables =
                List.of(
                        "messages",
                        "deliveries",
                        "message_sets",
                        "set_ends",
                        "settlements",
                        "presentations",
                        "group_mailboxes",
                        "group_devices",
                        "groups",
                        "idempotency_keys",
                        "sessions",
                        "audience_changes",
                        "devices");
        try (Database open = Database.open(other, clock, new Metrics())) {
            Stores stores = stores(open, clock);
            long stays = used(stores);
            List<Long> before = tables.stream().map(table -> rows(open, table)).toList();
            assertThat(before).doesNotContain(0L);
            long goes = used(stores);
            open.writer()
                    .await(tx -> {
                        LeftByApps.mark(tx, goes);
                        return tx.sql.update("DELETE FROM apps WHERE id = ?", goes);
                    });
            open.purge().run();
            assertThat(tables.stream().map(table -> rows(open, table)).toList()).isEqualTo(before);
            assertThat(rows(open, "meta WHERE name LIKE 'left%'")).isZero();

            stores.apps().delete(stays, Stores.DEED.of(stays));
            await().until(() -> tables.stream().allMatch(table -> rows(open, table) == 0));
        }
    }

    /** An app that has something of everything. */
    private static long used(Stores stores) {
        long app = stores.newApp();
        int[] numbers = IntStream.range(0, 20).toArray();
        for (int number : numbers) {
            stores.register(app, "d" + number);
        }
        stores.begin(app, 0);
        stores.accept(
                Stores.message(
                        app,
                        Recipients.of(0),
                        false,
                        new Idempotency("key", new byte[] {1}),
                        60_000,
                        Long.MAX_VALUE));
        stores.publish(app, 0, 1);
        stores.ack(app, 3, stores.publish(app, numbers));
        stores.groups().add(app, "shop", "d0");
        DeviceFilter any = new DeviceFilter(null, null, null, null, null, null);
        long order = stores.accept(Stores.toGroups(app, any, "shop")).id();
        stores.messages().addPresented(List.of(new Presentation(app, 0, order))).join();
        stores.ack(app, 0, order);
        return app;
    }

    @Test
    void whatIsKeptForAWhileGoesWithThePurge(@TempDir Path other) {
        try (Database open = Database.open(other, clock, new Metrics())) {
            Stores stores = stores(open, clock);
            long app = stores.newApp();
            int number = stores.register(app, "d").number();
            for (int i = 0; i < 2; i++) {
                int generation = stores.begin(app, number).generation();
                stores.mailboxes()
                        .end(app, number, generation, new Ended(0, 0, true, "disconnected"))
                        .join();
            }
            stores.developers()
                    .addLogin(new byte[] {1}, Stores.ACTOR, clock.millis() + 1_000, null);
            clock.advance(Duration.ofDays(6));
            open.purge().run();
            assertThat(rows(open, "sessions")).isEqualTo(2);
            assertThat(rows(open, "logins")).isZero();
            clock.advance(Duration.ofDays(2));
            open.purge().run();
            assertThat(rows(open, "sessions")).as("the last, which says what it was told").isOne();
            assertThat(stores.begin(app, number).generation()).isEqualTo(3);
            clock.advance(Duration.ofDays(350));
            open.purge().run();
            assertThat(rows(open, "audit")).isEqualTo(2);
            clock.advance(Duration.ofDays(10));
            open.purge().run();
            assertThat(rows(open, "audit")).isZero();
        }
    }

    private static void checkpoint(Database open) {
        ((SqliteEngine) open.engine()).checkpoint(open.writer());
    }

    static long rows(Database open, String table) {
        return open.read(sql -> sql.number("SELECT count(*) FROM " + table));
    }

    @Test
    void theFolderIsLockedWhileItIsUsed(@TempDir Path other) {
        try (Database open = Database.open(other, clock, new Metrics())) {
            assertThat(open.epoch()).isNotEmpty();
            assertThatThrownBy(() -> Database.open(other, clock, new Metrics()))
                    .isInstanceOf(StoreException.class)
                    .hasMessageContaining("another server is using");
        }
        Database.open(other, clock, new Metrics()).close();
    }

    @Test
    void anOlderJarRefusesANewerSchema(@TempDir Path other) throws SQLException {
        Database.open(other, clock, new Metrics()).close();
        try (Connection connection =
                        DriverManager.getConnection(
                                "jdbc:sqlite:" + other.resolve("postrider.db"));
                Statement statement = connection.createStatement()) {
            statement.execute(
                    "INSERT INTO flyway_schema_history (installed_rank, version, description, type,"
                            + " script, checksum, installed_by, installed_on, execution_time,"
                            + " success) VALUES (99, '99', 'future', 'SQL', 'V99__future.sql', 1,"
                            + " 'me', '2026-01-01 00:00:00.000', 1, 1)");
        }
        assertThatThrownBy(() -> Database.open(other, clock, new Metrics()))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("newer Postrider");
    }

    @Test
    void aStoreWhoseTransactionWasRolledBackByItselfGoesOnAsBefore(@TempDir Path other) {
        AtomicBoolean full = new AtomicBoolean();
        try (Database open =
                Database.open(other, clock, new Metrics(), real -> fullAtTimes(real, full))) {
            Stores stores = stores(open, clock);
            long app = stores.newApp();
            int number = stores.register(app, "d").number();
            full.set(true);
            assertThatThrownBy(() -> stores.publish(app, number));
            assertThat(stores.messages().intake()).isEqualTo(Intake.BROKEN);
            full.set(false);
            await().until(() -> stores.messages().intake() == Intake.OPEN);
            long id = stores.publish(app, number);
            assertThat(stores.pending(app, number)).containsExactly(id);
            assertThat(stores.ack(app, number, id)).isEqualTo(AckOutcome.RECORDED);
        }
    }

    @Test
    void g1WhatWasCopiedFromTheLogIsCopiedAgainAfterTheDiskHasFailed(@TempDir Path other)
            throws IOException {
        AtomicBoolean full = new AtomicBoolean();
        try (Database open =
                Database.open(other, clock, new Metrics(), real -> fullAtTimes(real, full))) {
            Stores stores = stores(open, clock);
            long app = stores.newApp();
            byte[] before = Files.readAllBytes(other.resolve("postrider.db"));
            long id = stores.publish(app, stores.register(app, "d").number());
            checkpoint(open);
            // What the flush of the copy has lost.
            Files.write(other.resolve("postrider.db"), before, StandardOpenOption.WRITE);
            full.set(true);
            assertThatThrownBy(() -> stores.publish(app, 0));
            full.set(false);
            await().until(() -> stores.messages().intake() == Intake.OPEN);
            assertThat(stores.pending(app, 0)).containsExactly(id);
        }
    }

    @Test
    void nobodyElseReadsTheFilesWhoeverMadeTheFolder(@TempDir Path other) throws Exception {
        Path open = Files.createDirectory(other.resolve("open"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxr-xr-x"));
        try (Database database = Database.open(open, clock, new Metrics());
                Stream<Path> files = Files.list(open)) {
            stores(database, clock).newApp();
            assertThat(files.toList())
                    .hasSizeGreaterThanOrEqualTo(3)
                    .allMatch(file -> mode(file).equals("rw-------"));
        }
    }

    private static String mode(Path file) {
        try {
            return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What a full disk does: SQLite has rolled back by itself when the commit fails. */
    private static Connection fullAtTimes(Connection real, AtomicBoolean full) {
        return (Connection)
                Proxy.newProxyInstance(
                        SqliteStoreTest.class.getClassLoader(),
                        new Class<?>[] {Connection.class},
                        (proxy, method, arguments) -> {
                            if (method.getName().equals("commit") && full.get()) {
                                try (Statement statement = real.createStatement()) {
                                    statement.executeUpdate("ROLLBACK");
                                }
                                throw new SQLException(
                                        "database or disk is full", null, SQLITE_FULL);
                            }
                            try {
                                return method.invoke(real, arguments);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        });
    }

    @Test
    void whatIsPurgedIsGoneAndItsSpaceIsGivenBack(@TempDir Path other) throws IOException {
        try (Database open = Database.open(other, clock, new Metrics())) {
            Stores stores = stores(open, clock);
            long app = stores.newApp();
            int[] numbers = new int[40];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = stores.register(app, "d" + i).number();
            }
            long old = 0;
            for (int i = 0; i < 300; i++) {
                old = stores.accept(large(app, numbers)).id();
            }
            stores.ack(app, numbers[0], old);
            clock.advance(Duration.ofDays(27));
            long newer = stores.accept(large(app, numbers)).id();
            open.purge().run();
            assertThat(stores.reports().message(app, old)).isPresent();
            checkpoint(open);
            long before = Files.size(other.resolve("postrider.db"));

            clock.advance(Duration.ofDays(2));
            open.purge().run();
            assertThat(stores.reports().message(app, old)).isEmpty();
            assertThat(stores.reports().devices(app, old, -1, 10)).isEmpty();
            assertThat(stores.ack(app, numbers[0], old)).isEqualTo(AckOutcome.UNKNOWN);
            assertThat(stores.reports().message(app, newer)).isPresent();
            assertThat(stores.pending(app, numbers[0])).containsExactly(newer);
            checkpoint(open);
            assertThat(Files.size(other.resolve("postrider.db"))).isLessThan(before / 2);
        }
    }

    private static NewMessage large(long app, int[] numbers) {
        NewMessage small = Stores.message(app, numbers);
        return new NewMessage(
                app,
                small.target(),
                "\"all\"",
                "{}",
                small.ttlMillis(),
                true,
                false,
                new byte[4_000],
                null,
                "test");
    }
}
