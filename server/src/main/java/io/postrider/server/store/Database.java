package io.postrider.server.store;

import io.postrider.server.clock.Clock;
import io.postrider.server.delivery.MessageStore.Intake;
import io.postrider.server.metrics.Metrics;
import io.postrider.server.store.Checkpoints.Copied;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * An SQLite database in a locked folder: WAL, {@code synchronous=FULL}, one writer, a few readers,
 * and checkpoints on a connection of their own so that no commit waits for one.
 */
public final class Database implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Database.class);
    private static final int READERS = 4;
    private static final long CHECKPOINT_MILLIS = 1_000;

    private static final long PURGE_MINUTES = 60;
    private static final long KEEP_TIME_SECONDS = 60;
    private static final String LAST_TIME = "SELECT value FROM meta WHERE name = 'last_time'";

    private final DataFolder folder;
    private final SQLiteDataSource source;
    private final UnaryOperator<Connection> around;
    private final Clock clock;
    private final Checkpoints checkpoints;
    private final BlockingQueue<Sql> readers = new ArrayBlockingQueue<>(READERS);
    private final ScheduledExecutorService chores =
            Executors.newScheduledThreadPool(
                    2, Thread.ofPlatform().name("store-chores").daemon().factory());
    private final Writer writer;
    private final Purge purge;
    private final String epoch;
    private final long incarnation;
    private final OpenSets openSets = new OpenSets();
    private final PendingIndex pending;
    private final Memberships memberships = new Memberships();
    private final Settlements settlements = new Settlements(memberships);
    private final Deliveries deliveries;
    private final MessageCache messageCache = new MessageCache();
    private final StoredCounts storedCounts = new StoredCounts();
    private final AudienceEnds audienceEnds = new AudienceEnds();

    public static Database open(Path path, Clock clock, Metrics metrics) {
        return open(path, clock, metrics, UnaryOperator.identity());
    }

    /**
     * @param around how the writing connection is made; tests put theirs around it
     */
    public static Database open(
            Path path, Clock clock, Metrics metrics, UnaryOperator<Connection> around) {
        return open(path, clock, metrics, around, PendingIndex.MOST_IN_MEMORY);
    }

    /**
     * @param pendingInMemory see {@link PendingIndex}; tests have it move often
     */
    static Database open(
            Path path,
            Clock clock,
            Metrics metrics,
            UnaryOperator<Connection> around,
            int pendingInMemory) {
        DataFolder folder = DataFolder.open(path);
        try {
            return new Database(folder, clock, metrics, around, pendingInMemory);
        } catch (RuntimeException | SQLException | IOException e) {
            folder.close();
            if (e instanceof StoreException known) {
                throw known;
            }
            throw new StoreException(
                    "the database in " + path + " could not be opened: " + e.getMessage(), e);
        }
    }

    private Database(
            DataFolder folder,
            Clock clock,
            Metrics metrics,
            UnaryOperator<Connection> around,
            int pendingInMemory)
            throws SQLException, IOException {
        this.folder = folder;
        prepare(folder.database());
        this.source = source(folder.database());
        this.around = around;
        this.clock = clock;
        migrate(source);
        Sql writing = new Sql(around.apply(source.getConnection()));
        for (int i = 0; i < READERS; i++) {
            readers.add(new Sql(source.getConnection()));
        }
        this.epoch = epochOf(writing);
        this.checkpoints = new Checkpoints(source, folder);
        long lastId = Sequences.last(writing, Sequences.MESSAGES);
        clock.notBefore(Math.max(Tx.timeOf(lastId), writing.number(LAST_TIME)));
        this.incarnation = begin(writing, clock, lastId);
        this.pending = new PendingIndex(pendingInMemory, change -> writer().change(change));
        pending.load(writing);
        this.deliveries = new Deliveries(openSets, pending, settlements);
        writing.begin();
        this.writer =
                new Writer(
                        writing,
                        this::reopen,
                        clock,
                        lastId,
                        this::forgetUncommitted,
                        metrics::committed);
        writer.start();
        chores.scheduleWithFixedDelay(
                this::checkpoint, CHECKPOINT_MILLIS, CHECKPOINT_MILLIS, TimeUnit.MILLISECONDS);
        chores.scheduleWithFixedDelay(
                this::keepTime, KEEP_TIME_SECONDS, KEEP_TIME_SECONDS, TimeUnit.SECONDS);
        this.purge = new Purge(this, clock);
        chores.scheduleWithFixedDelay(
                purge::runAndLog, PURGE_MINUTES, PURGE_MINUTES, TimeUnit.MINUTES);
    }

    /** Lets a purge give space back, which can only be chosen before the first table. */
    private static void prepare(Path file) throws SQLException {
        SQLiteDataSource source = new SQLiteDataSource();
        source.setUrl("jdbc:sqlite:" + file);
        try (Sql sql = new Sql(source.getConnection())) {
            sql.run("PRAGMA auto_vacuum = INCREMENTAL");
            sql.run("PRAGMA journal_mode = WAL");
        }
    }

    private static SQLiteDataSource source(Path file) {
        SQLiteConfig config = new SQLiteConfig();
        config.setJournalMode(SQLiteConfig.JournalMode.WAL);
        config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
        config.setBusyTimeout(10_000);
        config.setGetGeneratedKeys(false);
        config.setPragma(SQLiteConfig.Pragma.WAL_AUTOCHECKPOINT, "0");
        config.setPragma(SQLiteConfig.Pragma.CACHE_SIZE, "-32768");
        config.setPragma(SQLiteConfig.Pragma.MMAP_SIZE, "268435456");
        SQLiteDataSource source = new SQLiteDataSource(config);
        source.setUrl("jdbc:sqlite:" + file);
        return source;
    }

    private static void migrate(SQLiteDataSource source) {
        Flyway flyway =
                Flyway.configure()
                        .dataSource(source)
                        .locations("classpath:io/postrider/server/store/migrations")
                        .placeholders(
                                Map.of(
                                        "rowid", "INTEGER",
                                        "blob", "BLOB",
                                        "clustered", "WITHOUT ROWID"))
                        .ignoreMigrationPatterns("*:pending")
                        .load();
        try {
            flyway.validate();
        } catch (FlywayException e) {
            throw new StoreException(
                    "the database was written by a newer Postrider, or its schema was changed by"
                            + " hand; start the version that wrote it. "
                            + String.valueOf(e.getMessage()).lines().findFirst().orElse(""),
                    e);
        }
        flyway.migrate();
    }

    private static String epochOf(Sql sql) {
        sql.update(
                "INSERT INTO meta (name, value) VALUES ('epoch', ?) ON CONFLICT DO NOTHING",
                UUID.randomUUID().toString());
        return sql.first("SELECT value FROM meta WHERE name = 'epoch'", row -> row.getString(1))
                .orElseThrow();
    }

    private static long begin(Sql writing, Clock clock, long lastId) {
        long number = 1 + writing.number("SELECT max(id) FROM incarnations");
        writing.update(
                "INSERT INTO incarnations (id, node, started_at, started_after)"
                        + " VALUES (?, ?, ?, ?)",
                number,
                "local",
                clock.millis(),
                lastId);
        return number;
    }

    /**
     * Opens the files anew for writing, on the writer thread. Everything in the log goes into the
     * database first, flushed, and the log begins anew: what a failed flush left in it, or only in
     * the system's memory, is not built upon (docs/adr/0007-after-a-failed-flush.md).
     */
    private Sql reopen() {
        Sql opened = null;
        try {
            opened = new Sql(around.apply(source.getConnection()));
            checkpoints.copyAgain(opened);
            opened.update(
                    "INSERT INTO meta (name, value) VALUES ('reopened', '1')"
                            + " ON CONFLICT (name) DO UPDATE SET value = value + 1");
            pending.load(opened);
            return opened;
        } catch (SQLException | IOException | RuntimeException e) {
            if (opened != null) {
                opened.abandon();
            }
            throw new StoreException("the database could not be opened again", e);
        }
    }

    private void forgetUncommitted() {
        pending.forget();
        settlements.forget();
        openSets.forget();
        storedCounts.forget();
        audienceEnds.forget();
    }

    Writer writer() {
        return writer;
    }

    /** For the writer thread only. */
    Deliveries deliveries() {
        return deliveries;
    }

    Memberships memberships() {
        return memberships;
    }

    Settlements settlements() {
        return settlements;
    }

    /** For the writer thread only. */
    StoredCounts storedCounts() {
        return storedCounts;
    }

    AudienceEnds audienceEnds() {
        return audienceEnds;
    }

    PendingIndex pending() {
        return pending;
    }

    MessageCache messageCache() {
        return messageCache;
    }

    Purge purge() {
        return purge;
    }

    /** Which start of the server this is. */
    long incarnation() {
        return incarnation;
    }

    /** The store's name for its history. */
    String epoch() {
        return epoch;
    }

    /** Reads what is committed, as of one moment. Blocks while all readers are busy. */
    <T> T read(Function<Sql, T> reading) {
        Sql sql = takeReader();
        try {
            sql.begin();
            try {
                return reading.apply(sql);
            } finally {
                sql.rollback();
            }
        } finally {
            readers.add(sql);
        }
    }

    private Sql takeReader() {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return readers.take();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** A start with a clock that was set back must not fall behind what was before. */
    private void keepTime() {
        writer.submit(tx ->
                tx.sql.update(
                        "INSERT INTO meta (name, value) VALUES ('last_time', ?)"
                                + " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                        Long.toString(clock.millis())));
    }

    void checkpoint() {
        if (writer.intake() == Intake.BROKEN || copyLog() != Copied.LONG) {
            return;
        }
        // Little is left for the writer after another time.
        copyLog();
        try {
            // Under load it never comes about by itself that all of the log is copied: the writer
            // stands still for what came in the meantime.
            writer.change(tx -> tx.afterCommit(this::copyLog)).join();
        } catch (CompletionException e) {
            LOG.debug("the log could not begin anew", e);
        }
    }

    private Copied copyLog() {
        Copied copied = checkpoints.copy();
        if (copied == Copied.DISK_FAILED) {
            writer.distrust();
        }
        return copied;
    }

    /** Commits what waits and closes the files. */
    @Override
    public void close() {
        keepTime();
        writer.close();
        chores.shutdown();
        try {
            if (!chores.awaitTermination(10, TimeUnit.SECONDS)) {
                LOG.warn("the store's chores did not end in 10 s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        checkpoint();
        for (int i = 0; i < READERS; i++) {
            takeReader().close();
        }
        checkpoints.close();
        folder.close();
    }
}
