package io.postrider.server.store;

import io.postrider.server.clock.Clock;
import io.postrider.server.delivery.Arrival;
import io.postrider.server.delivery.StoreUnavailable;
import io.postrider.server.metrics.Metrics;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLTransientConnectionException;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What all stores of a process share: the one writer, the readers, and what the writer keeps in
 * memory of what it has written.
 */
public final class Database implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Database.class);
    private static final long PURGE_MINUTES = 60;

    /** For a run that starts and has not come to renewing its lease. */
    private static final long FIRST_LEASE_MILLIS = 30_000;

    private static final long MOST_PAUSE_MILLIS = 1_000;

    private final Engine engine;
    private final Writer writer;
    private final Purge purge;
    private final String epoch;
    private volatile long incarnation;
    private final OpenSets openSets = new OpenSets();
    private final PendingIndex pending;
    private final Changes changes;
    private final Memberships memberships;
    private final Settlements settlements;
    private final Deliveries deliveries;
    private final MessageCache messageCache = new MessageCache();
    private final StoredCounts storedCounts = new StoredCounts();
    private final AudienceEnds audienceEnds;
    private final ScheduledExecutorService chores =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().name("store-purge").daemon().factory());

    /** SQLite in a folder, which no other process uses meanwhile. */
    public static Database open(Path path, Clock clock, Metrics metrics) {
        return open(path, clock, metrics, UnaryOperator.identity());
    }

    /**
     * @param around how the writing connection is made; tests put theirs around it
     */
    public static Database open(
            Path path, Clock clock, Metrics metrics, UnaryOperator<Connection> around) {
        return open(path, clock, metrics, around, PendingInMemory.MOST_IN_MEMORY);
    }

    /**
     * @param pendingInMemory see {@link PendingInMemory}; tests have it move often
     */
    static Database open(
            Path path,
            Clock clock,
            Metrics metrics,
            UnaryOperator<Connection> around,
            int pendingInMemory) {
        return open(SqliteEngine.open(path, clock, around, pendingInMemory), clock, metrics);
    }

    /**
     * PostgreSQL, which other processes may use, too.
     *
     * @param uri {@code postgres://user:password@host:port/database}
     * @param password where the URI has none
     * @param around how the writing connection is made; tests put theirs around it
     */
    public static Database open(
            String uri,
            Optional<String> password,
            Clock clock,
            Metrics metrics,
            UnaryOperator<Connection> around) {
        return open(PostgresEngine.open(address(uri, password), clock, around), clock, metrics);
    }

    static PostgresAddress address(String uri, Optional<String> password) {
        return PostgresAddress.of(uri)
                .map(given -> given.withPassword(password))
                .orElseThrow(() ->
                        new StoreException(
                                "store is no address of a PostgreSQL database, such as"
                                        + " postgres://user:password@host:5432/postrider; in user"
                                        + " and password write @ as %40, / as %2F, ? as %3F, % as"
                                        + " %25"));
    }

    static Database open(Engine engine, Clock clock, Metrics metrics) {
        try {
            return new Database(engine, clock, metrics);
        } catch (RuntimeException e) {
            engine.close();
            throw e;
        }
    }

    private Database(Engine engine, Clock clock, Metrics metrics) {
        this.engine = engine;
        this.audienceEnds = new AudienceEnds();
        this.changes = new Changes(engine.isShared(), this::incarnation);
        this.memberships = new Memberships(changes);
        this.settlements = new Settlements(memberships, changes);
        this.pending = engine.pendingIndex(this);
        this.deliveries = new Deliveries(openSets, pending, settlements);
        Sql sql = engine.connect();
        sql.begin();
        long lastId = Sequences.last(sql, Sequences.MESSAGES);
        clock.notBefore(Tx.timeOf(lastId));
        Tx first = engine.begin(sql, lastId);
        this.epoch = epochOf(sql);
        if (!engine.isShared()) {
            endOthers(first);
        }
        this.incarnation = incarnate(first);
        pending.load(sql);
        engine.keep(first);
        sql.commit();
        this.writer = new Writer(sql, engine, first.lastId(), new Memory(), metrics::committed);
        writer.start();
        engine.attend(writer);
        this.purge = new Purge(this, clock);
        chores.scheduleWithFixedDelay(
                purge::runAndLog, PURGE_MINUTES, PURGE_MINUTES, TimeUnit.MINUTES);
    }

    private static String epochOf(Sql sql) {
        sql.update(
                "INSERT INTO meta (name, value) VALUES ('epoch', ?) ON CONFLICT DO NOTHING",
                UUID.randomUUID().toString());
        return sql.first("SELECT value FROM meta WHERE name = 'epoch'", row -> row.getString(1))
                .orElseThrow();
    }

    /** Who alone uses the database knows that those before have ended. */
    private static void endOthers(Tx tx) {
        tx.sql.update(
                "UPDATE incarnations SET ended_at = ?, ended_after = ? WHERE ended_at IS NULL",
                tx.now(),
                tx.lastId());
    }

    private void endSelf(Tx tx) {
        tx.sql.update(
                "UPDATE incarnations SET ended_at = ?, ended_after = ?"
                        + " WHERE id = ? AND ended_at IS NULL",
                tx.now(),
                tx.lastId(),
                incarnation);
    }

    private static long incarnate(Tx tx) {
        long number = 1 + tx.sql.number("SELECT max(id) FROM incarnations");
        tx.sql.update(
                "INSERT INTO incarnations (id, node, started_at, started_after, lease_until)"
                        + " VALUES (?, ?, ?, ?, ?)",
                number,
                "local",
                tx.now(),
                tx.lastId(),
                tx.now() + FIRST_LEASE_MILLIS);
        return number;
    }

    private final class Memory implements Writer.Memory {
        @Override
        public void load(Sql sql) {
            pending.load(sql);
        }

        @Override
        public void forget() {
            pending.forget();
            settlements.forget();
            audienceEnds.forget();
            openSets.forget();
            storedCounts.forget();
        }

        @Override
        public void committed(Tx tx) {
            for (Arrival arrival : tx.arrivals) {
                if (Deliveries.isToMany(arrival.recipients())) {
                    messageCache.add(arrival.message());
                }
            }
            changes.committed(tx);
        }

        /** What was settled stays so, and ids of groups stay theirs. */
        @Override
        public void othersWrote() {
            openSets.forget();
            storedCounts.othersWrote();
            audienceEnds.othersWrote();
        }
    }

    /** Whether other nodes may use it, too. */
    public boolean isShared() {
        return engine.isShared();
    }

    Engine engine() {
        return engine;
    }

    Writer writer() {
        return writer;
    }

    /** For the writer thread only. */
    Deliveries deliveries() {
        return deliveries;
    }

    Changes changes() {
        return changes;
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

    /** Goes on as another run, after this one was ended. */
    CompletableFuture<Long> startAgain() {
        return writer.submit(tx -> {
            long number = incarnate(tx);
            tx.afterCommit(() -> incarnation = number);
            return number;
        });
    }

    /** Has another thread delete, in pieces, what deleted apps have left. */
    void deleteSoonWhatAppsHaveLeft() {
        chores.execute(purge::deleteWhatAppsHaveLeft);
    }

    /** The store's name for its history. */
    public String epoch() {
        return epoch;
    }

    /** Where it is; no secrets. */
    public String place() {
        return engine.place();
    }

    /** The newest committed message id. Looks at the database only if others write to it, too. */
    long lastId() {
        return engine.isShared()
                ? readOneForFeed(sql -> Sequences.last(sql, Sequences.MESSAGES))
                : writer.lastId();
    }

    /**
     * Reads what is committed, as of one moment. Blocks while all readers are busy; but the writer,
     * for whose transaction all nodes wait, has a reader of its own.
     */
    <T> T read(Function<Sql, T> reading) {
        return available(() -> readers().read(reading));
    }

    /** As {@link #read}, however long all readers are busy, until the database is closed here. */
    <T> T readSurely(Function<Sql, T> reading) {
        return available(() -> {
            while (true) {
                try {
                    return readers().read(reading);
                } catch (StoreException e) {
                    boolean busy = e.getCause() instanceof SQLTransientConnectionException;
                    if (!busy || chores.isShutdown()) {
                        throw e;
                    }
                    pause();
                }
            }
        });
    }

    /** Those who wait do not all ask again at once. */
    private static void pause() {
        try {
            Thread.sleep(ThreadLocalRandom.current().nextLong(MOST_PAUSE_MILLIS));
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts who reads", e);
        }
    }

    /** As {@link #read}, by one statement, which is a moment of its own and costs one way less. */
    <T> T readOne(Function<Sql, T> reading) {
        return available(() -> readers().readOne(reading));
    }

    private Readers readers() {
        return writer.isCurrentThread() ? engine.readersAside() : engine.readers();
    }

    /** As {@link #readOne}, for the feed of the sessions, who do not wait for REST. */
    <T> T readOneForFeed(Function<Sql, T> reading) {
        return available(() -> engine.readersAside().readOne(reading));
    }

    /** As {@link #read}, for the feed of the sessions. */
    <T> T readForFeed(Function<Sql, T> reading) {
        return available(() -> engine.readersAside().read(reading));
    }

    private static <T> T available(Supplier<T> reading) {
        try {
            return reading.get();
        } catch (StoreException e) {
            if (e.isOfTheDatabase()) {
                LOG.warn("a read failed: {}", e.getMessage());
                throw new StoreUnavailable("the database is failing or gone");
            }
            throw e;
        }
    }

    /** Commits what waits and closes all connections. */
    @Override
    public void close() {
        chores.shutdown();
        engine.leave(writer);
        writer.change(this::endSelf);
        writer.close();
        engine.close();
    }
}
