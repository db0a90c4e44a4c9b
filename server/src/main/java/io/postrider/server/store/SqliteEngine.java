package io.postrider.server.store;

import io.postrider.server.clock.Clock;
import io.postrider.server.delivery.MessageStore.Intake;
import io.postrider.server.store.Checkpoints.Copied;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * SQLite in a locked folder: WAL, {@code synchronous=FULL}, a few readers, and checkpoints on a
 * connection of their own so that no commit waits for one.
 */
final class SqliteEngine implements Engine {
    private static final Logger LOG = LoggerFactory.getLogger(SqliteEngine.class);
    private static final int READERS = 4;
    private static final long CHECKPOINT_MILLIS = 1_000;
    private static final long KEEP_TIME_SECONDS = 60;
    private static final int PAGES_AT_ONCE = 500;
    private static final String LAST_TIME = "SELECT value FROM meta WHERE name = 'last_time'";

    private final Path path;
    private final DataFolder folder;
    private final SQLiteDataSource source;
    private final UnaryOperator<Connection> around;
    private final Clock clock;
    private final int pendingInMemory;
    private final Checkpoints checkpoints;
    private final BlockingQueue<Sql> readers = new ArrayBlockingQueue<>(READERS);
    private final ScheduledExecutorService chores =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().name("store-checkpoints").daemon().factory());

    /**
     * @param around how the writing connection is made; tests put theirs around it
     * @param pendingInMemory see {@link PendingInMemory}; tests have it move often
     */
    static SqliteEngine open(
            Path path, Clock clock, UnaryOperator<Connection> around, int pendingInMemory) {
        DataFolder folder = DataFolder.open(path);
        try {
            return new SqliteEngine(path, folder, clock, around, pendingInMemory);
        } catch (RuntimeException | SQLException | IOException e) {
            folder.close();
            if (e instanceof StoreException known) {
                throw known;
            }
            throw new StoreException(
                    "the database in " + path + " could not be opened: " + e.getMessage(), e);
        }
    }

    private SqliteEngine(
            Path path,
            DataFolder folder,
            Clock clock,
            UnaryOperator<Connection> around,
            int pendingInMemory)
            throws SQLException, IOException {
        this.path = path;
        this.folder = folder;
        this.clock = clock;
        this.around = around;
        this.pendingInMemory = pendingInMemory;
        prepare(folder.database());
        this.source = source(folder.database());
        migrate(source);
        for (int i = 0; i < READERS; i++) {
            readers.add(new Sql(source.getConnection()));
        }
        this.checkpoints = new Checkpoints(source, folder);
    }

    static void migrate(DataSource source) {
        Migrations.run(
                source,
                Map.of("rowid", "INTEGER", "blob", "BLOB", "clustered", "WITHOUT ROWID"),
                Migrations.COMMON,
                "classpath:io/postrider/server/store/sqlite");
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

    @Override
    public String place() {
        return "data=" + path;
    }

    @Override
    public Sql connect() {
        try {
            Sql sql = new Sql(around.apply(source.getConnection()));
            clock.notBefore(sql.number(LAST_TIME));
            return sql;
        } catch (SQLException e) {
            throw new StoreException("the database could not be opened: " + e.getMessage(), e);
        }
    }

    /**
     * Everything in the log goes into the database first, flushed, and the log begins anew: what a
     * failed flush left in it, or only in the system's memory, is not built upon
     * (docs/adr/0007-after-a-failed-flush.md).
     */
    @Override
    public Sql connectAgain() {
        Sql opened = null;
        try {
            opened = new Sql(around.apply(source.getConnection()));
            checkpoints.copyAgain(opened);
            opened.update(PROOF);
            return opened;
        } catch (SQLException | IOException | RuntimeException e) {
            if (opened != null) {
                opened.abandon();
            }
            throw new StoreException("the database could not be opened again", e);
        }
    }

    @Override
    public Tx begin(Sql sql, long lastId) {
        return new Tx(sql, clock.millis(), lastId, false);
    }

    @Override
    public void makeRoom(Tx tx, long messageId) {}

    @Override
    public boolean isShared() {
        return false;
    }

    @Override
    public void keep(Tx tx) {
        if (tx.lastId() != tx.beganAfter()) {
            Sequences.keep(tx, Sequences.MESSAGES, tx.lastId());
        }
    }

    @Override
    public PendingIndex pendingIndex(Database database) {
        return new PendingInMemory(pendingInMemory, change -> database.writer().change(change));
    }

    @Override
    public Readers readers() {
        return this::read;
    }

    private <T> T read(Function<Sql, T> reading) {
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

    @Override
    public void attend(Writer writer) {
        chores.scheduleWithFixedDelay(
                () -> checkpoint(writer),
                CHECKPOINT_MILLIS,
                CHECKPOINT_MILLIS,
                TimeUnit.MILLISECONDS);
        chores.scheduleWithFixedDelay(
                () -> keepTime(writer), KEEP_TIME_SECONDS, KEEP_TIME_SECONDS, TimeUnit.SECONDS);
    }

    /** A start with a clock that was set back must not fall behind what was before. */
    private void keepTime(Writer writer) {
        writer.submit(tx ->
                tx.sql.update(
                        "INSERT INTO meta (name, value) VALUES ('last_time', ?)"
                                + " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                        Long.toString(tx.now())));
    }

    void checkpoint(Writer writer) {
        if (writer.intake() == Intake.BROKEN || copyLog(writer) != Copied.LONG) {
            return;
        }
        // Little is left for the writer after another time.
        copyLog(writer);
        try {
            // Under load it never comes about by itself that all of the log is copied: the writer
            // stands still for what came in the meantime.
            writer.change(tx -> tx.afterCommit(() -> copyLog(writer))).join();
        } catch (CompletionException e) {
            LOG.debug("the log could not begin anew", e);
        }
    }

    private Copied copyLog(Writer writer) {
        Copied copied = checkpoints.copy();
        if (copied == Copied.DISK_FAILED) {
            writer.distrust();
        }
        return copied;
    }

    /** Rows are deleted one by one: a file has no days that could be taken out of it. */
    @Override
    public boolean dropDaysBefore(Writer writer, long millis) {
        return false;
    }

    @Override
    public void giveSpaceBack(Writer writer) {
        long left = 1;
        while (left > 0) {
            left =
                    writer.await(tx -> {
                        tx.sql.run("PRAGMA incremental_vacuum(" + PAGES_AT_ONCE + ")");
                        return tx.sql.number("PRAGMA freelist_count");
                    });
        }
    }

    @Override
    public void leave(Writer writer) {
        keepTime(writer);
        chores.shutdown();
        try {
            if (!chores.awaitTermination(10, TimeUnit.SECONDS)) {
                LOG.warn("a checkpoint did not end in 10 s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        checkpoints.copy();
        for (int i = 0; i < READERS; i++) {
            takeReader().close();
        }
        checkpoints.close();
        folder.close();
    }
}
