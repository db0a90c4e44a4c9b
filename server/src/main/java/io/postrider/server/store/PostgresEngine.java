package io.postrider.server.store;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.postrider.server.clock.Clock;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * PostgreSQL, to which several processes write. Each commits in groups and locks the row of the
 * newest message id while it does, so that ids are in commit order and what one transaction has
 * read no other changes (docs/adr/0012-one-writer-at-a-time.md). Readers take no lock.
 */
final class PostgresEngine implements Engine {
    /** At once, for this process; who finds none free waits. */
    static final int READERS = 8;

    /** One each for who may not wait for those: the writer, the feed, and its sweep. */
    private static final int READERS_ASIDE = 3;

    private static final int ROWS_AT_ONCE = 200;
    private static final int LEAST_VERSION = 14;
    private static final int CONNECT_SECONDS = 5;

    /** Longer than any statement may take; a server that has gone says nothing. */
    private static final int SOCKET_SECONDS = 20;

    /**
     * What keeps others out must end by itself: a process that stands still in a transaction, or is
     * cut off, loses it.
     */
    private static final String TIMEOUTS =
            "-c idle_in_transaction_session_timeout=3s -c statement_timeout=15s"
                    + " -c lock_timeout=10s";

    /**
     * A plan is made once for a connection, and one that was made while a table was empty would
     * read all of it when it is full. Whatever is asked often has an index. What has none costs so
     * much on paper then that it would be compiled first.
     */
    private static final String PLANS = " -c enable_seqscan=off -c jit=off";

    private static final String BEGIN =
            "SELECT locked.last, locked.writer,"
                    + " (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
                    + " FROM (SELECT last, writer FROM sequences WHERE name = 'messages'"
                    + " FOR UPDATE) locked";

    private final PostgresAddress address;
    private final PGSimpleDataSource source;
    private final UnaryOperator<Connection> around;
    private final Clock clock;
    private final Pool pool;
    private final Pool aside;
    private final MessageDays days = new MessageDays();

    /** Names this process among those that write. */
    private final long self = ThreadLocalRandom.current().nextLong();

    /**
     * @param around how the writing connection is made; tests put theirs around it
     */
    static PostgresEngine open(
            PostgresAddress address, Clock clock, UnaryOperator<Connection> around) {
        try {
            return new PostgresEngine(address, clock, around);
        } catch (RuntimeException e) {
            if (e instanceof StoreException known) {
                throw known;
            }
            throw new StoreException(
                    "the database at " + address + " could not be opened: " + e.getMessage(), e);
        }
    }

    private PostgresEngine(PostgresAddress address, Clock clock, UnaryOperator<Connection> around) {
        this.address = address;
        this.clock = clock;
        this.around = around;
        this.source = source(address);
        checkVersion();
        Migrations.run(
                source,
                Map.of("rowid", "BIGINT", "blob", "BYTEA", "clustered", ""),
                Migrations.COMMON,
                "classpath:io/postrider/server/store/postgresql");
        this.pool = readers("store-readers", READERS);
        this.aside = readers("store-readers-aside", READERS_ASIDE);
    }

    private Pool readers(String name, int most) {
        HikariConfig config = new HikariConfig();
        config.setDataSource(source);
        config.setPoolName(name);
        config.setMaximumPoolSize(most);
        config.setAutoCommit(false);
        config.setReadOnly(true);
        config.setTransactionIsolation("TRANSACTION_REPEATABLE_READ");
        config.setConnectionTimeout(CONNECT_SECONDS * 1_000L);
        return new Pool(new HikariDataSource(config));
    }

    private static PGSimpleDataSource source(PostgresAddress address) {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setURL(address.jdbc());
        address.user().ifPresent(source::setUser);
        address.password().ifPresent(source::setPassword);
        source.setApplicationName("postrider");
        source.setConnectTimeout(CONNECT_SECONDS);
        source.setLoginTimeout(CONNECT_SECONDS);
        source.setSocketTimeout(SOCKET_SECONDS);
        source.setTcpKeepAlive(true);
        source.setReWriteBatchedInserts(true);
        // Else all rows of an answer are in memory before the first is looked at.
        source.setDefaultRowFetchSize(ROWS_AT_ONCE);
        source.setOptions(TIMEOUTS + PLANS);
        // Details quote rows, and rows have payloads.
        source.setLogServerErrorDetail(false);
        return source;
    }

    private void checkVersion() {
        try (Connection connection = source.getConnection()) {
            int version = connection.getMetaData().getDatabaseMajorVersion();
            if (version < LEAST_VERSION) {
                throw new StoreException(
                        address + " is PostgreSQL " + version + "; 14 or later is needed");
            }
        } catch (SQLException e) {
            throw new StoreException(
                    "the database at " + address + " cannot be used: " + e.getMessage(), e);
        }
    }

    @Override
    public String place() {
        return "store=" + address;
    }

    @Override
    public Sql connect() {
        try {
            Connection connection = source.getConnection();
            connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
            Sql sql = new Sql(around.apply(connection), true);
            // G1, whatever the server's default is; a default that waits for standbys, too, stays.
            sql.first("SHOW synchronous_commit", row -> row.getString(1))
                    .filter(level -> level.equals("off") || level.equals("local"))
                    .ifPresent(tooLittle -> sql.run("SET synchronous_commit = on"));
            return sql;
        } catch (SQLException e) {
            throw new StoreException("no connection to the database: " + e.getMessage(), e);
        }
    }

    @Override
    public Sql connectAgain() {
        Sql opened = connect();
        try {
            // One that was failed over to may be reached, and not write yet.
            opened.update(PROOF);
            return opened;
        } catch (RuntimeException e) {
            opened.abandon();
            throw e;
        }
    }

    @Override
    public Tx begin(Sql sql, long lastId) {
        return sql.first(
                        BEGIN,
                        row ->
                                new Tx(
                                        sql,
                                        clock.adopt(row.getLong(3)),
                                        row.getLong(1),
                                        row.getLong(2) != self))
                .orElseThrow(() -> new StoreException("the row of message ids is missing"));
    }

    @Override
    public void keep(Tx tx) {
        if (tx.lastId() != tx.beganAfter() || tx.othersWrote) {
            tx.sql.update(
                    "UPDATE sequences SET last = ?, writer = ? WHERE name = 'messages'",
                    tx.lastId(),
                    self);
        }
    }

    @Override
    public void makeRoom(Tx tx, long messageId) {
        days.makeRoom(tx, messageId);
    }

    @Override
    public PendingIndex pendingIndex(Database database) {
        return new PendingRows();
    }

    @Override
    public boolean isShared() {
        return true;
    }

    @Override
    public Readers readers() {
        return pool;
    }

    @Override
    public Readers readersAside() {
        return aside;
    }

    private record Pool(HikariDataSource source) implements Readers {
        @Override
        public <T> T read(Function<Sql, T> reading) {
            return read(reading, false);
        }

        @Override
        public <T> T readOne(Function<Sql, T> reading) {
            return read(reading, true);
        }

        private <T> T read(Function<Sql, T> reading, boolean one) {
            try (Connection connection = source.getConnection()) {
                connection.setAutoCommit(one);
                return reading.apply(new Sql(connection));
            } catch (SQLException e) {
                throw new StoreException("no connection to the database: " + e.getMessage(), e);
            }
        }
    }

    @Override
    public void attend(Writer writer) {}

    @Override
    public void makeRoomAhead(Writer writer) {
        days.makeRoomAhead(writer);
    }

    @Override
    public boolean dropDaysBefore(Writer writer, long millis) {
        return days.dropBefore(pool, writer, millis);
    }

    /** That is done by the server itself. */
    @Override
    public void giveSpaceBack(Writer writer) {}

    @Override
    public void leave(Writer writer) {}

    @Override
    public void close() {
        pool.source.close();
        aside.source.close();
    }
}
