package io.postrider.server.store;

import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection with its prepared statements, each of which is prepared once. Confined to the
 * thread that holds it.
 */
final class Sql implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Sql.class);

    static final int IDS_AT_ONCE = 100;

    private final Connection connection;
    private final Map<String, PreparedStatement> prepared = new HashMap<>();
    private final boolean batches;

    /** The statements by which {@link #updateLater} has not sent everything yet, by table. */
    private final LinkedHashMap<String, String> unsent = new LinkedHashMap<>();

    Sql(Connection connection) {
        this(connection, false);
    }

    /**
     * @param batches whether values are sent many at a time, where each sending is a way to a
     *     server
     */
    Sql(Connection connection, boolean batches) {
        this.connection = connection;
        this.batches = batches;
    }

    /** Makes a value of the row that the result stands on. */
    interface RowMapper<T> {
        T map(ResultSet row) throws SQLException;
    }

    /** Looks at each row; false ends the reading. */
    interface RowReader {
        boolean read(ResultSet row) throws SQLException;
    }

    /**
     * Changes a table. It may be sent later, together with what the same statement is to do with
     * other values: before the commit, and before any other statement that names the table. What is
     * wrong with it is thrown then.
     */
    void updateLater(String table, String sql, @Nullable Object... values) {
        if (!batches) {
            update(sql, values);
            return;
        }
        if (!sql.equals(unsent.getOrDefault(table, sql))) {
            send();
        }
        unsent.put(table, sql);
        try {
            add(sql, values);
        } catch (SQLException e) {
            throw failed(sql, e);
        }
    }

    /** Runs a statement with each of these values. Answers how many rows each has changed. */
    int[] updateEach(String sql, List<@Nullable Object[]> values) {
        if (!batches || values.isEmpty()) {
            return values.stream().mapToInt(each -> update(sql, each)).toArray();
        }
        sendIfNamed(sql);
        try {
            for (@Nullable Object[] each : values) {
                add(sql, each);
            }
        } catch (SQLException e) {
            throw failed(sql, e);
        }
        return sendAll(sql);
    }

    private void add(String sql, @Nullable Object... values) throws SQLException {
        PreparedStatement statement = prepare(sql);
        bindAll(statement, values);
        statement.addBatch();
    }

    private void sendIfNamed(String sql) {
        if (!unsent.isEmpty() && unsent.keySet().stream().anyMatch(sql::contains)) {
            send();
        }
    }

    private void send() {
        while (!unsent.isEmpty()) {
            sendAll(unsent.pollFirstEntry().getValue());
        }
    }

    private int[] sendAll(String sql) {
        try {
            return prepare(sql).executeBatch();
        } catch (BatchUpdateException e) {
            throw failed(sql, e.getNextException() == null ? e : e.getNextException());
        } catch (SQLException e) {
            throw failed(sql, e);
        }
    }

    /** Answers how many rows were changed. */
    int update(String sql, @Nullable Object... values) {
        try {
            return bind(sql, values).executeUpdate();
        } catch (SQLException e) {
            throw failed(sql, e);
        }
    }

    /**
     * Runs, to its end, what has no values and is not run often; what it answers is dropped. After
     * all that was to be sent later: it may be a savepoint, which is not to undo that.
     */
    void run(String sql) {
        send();
        try (var statement = connection.createStatement()) {
            statement.executeUpdate(sql);
        } catch (SQLException e) {
            throw failed(sql, e);
        }
    }

    void read(String sql, RowReader reader, @Nullable Object... values) {
        try (ResultSet rows = bind(sql, values).executeQuery()) {
            while (rows.next()) {
                if (!reader.read(rows)) {
                    return;
                }
            }
        } catch (SQLException e) {
            throw failed(sql, e);
        }
    }

    /**
     * Looks at the rows of many ids at once.
     *
     * @param sql has {@code IN (ids)}, and no other values
     */
    void readByIds(String sql, List<Long> ids, RowReader reader) {
        for (int from = 0; from < ids.size(); from += IDS_AT_ONCE) {
            List<Long> some = ids.subList(from, Math.min(ids.size(), from + IDS_AT_ONCE));
            // Of two lengths only, since each is prepared and kept.
            Object[] values = new Object[some.size() == 1 ? 1 : IDS_AT_ONCE];
            Arrays.setAll(values, i -> some.get(Math.min(i, some.size() - 1)));
            read(sql.replace("(ids)", "(" + marks(values.length) + ")"), reader, values);
        }
    }

    <T> List<T> list(String sql, RowMapper<T> mapper, @Nullable Object... values) {
        List<T> found = new ArrayList<>();
        read(
                sql,
                row -> {
                    found.add(mapper.map(row));
                    return true;
                },
                values);
        return found;
    }

    /** The first row's value. */
    <T> Optional<T> first(String sql, RowMapper<T> mapper, @Nullable Object... values) {
        List<T> found = new ArrayList<>(1);
        read(
                sql,
                row -> {
                    found.add(mapper.map(row));
                    return false;
                },
                values);
        return found.isEmpty() ? Optional.empty() : Optional.of(found.get(0));
    }

    /** The one number that a query answers; 0 for no row and for null. */
    long number(String sql, @Nullable Object... values) {
        return first(sql, row -> row.getLong(1), values).orElse(0L);
    }

    void begin() {
        try {
            connection.setAutoCommit(false);
        } catch (SQLException e) {
            throw failed("begin", e);
        }
    }

    void commit() {
        send();
        try {
            connection.commit();
        } catch (SQLException e) {
            throw failed("commit", e);
        }
    }

    /**
     * Begins anew. On a full disk or a failing one SQLite rolls back by itself, and then has no
     * transaction to roll back; the driver must not be left to believe that it has one.
     */
    void rollback() {
        forgetUnsent();
        try {
            connection.rollback();
        } catch (SQLException noTransaction) {
            run("BEGIN");
        }
    }

    private void forgetUnsent() {
        while (!unsent.isEmpty()) {
            String sql = unsent.pollFirstEntry().getValue();
            try {
                prepare(sql).clearBatch();
            } catch (SQLException e) {
                throw failed(sql, e);
            }
        }
    }

    /** {@code ?, ?, ?} for so many values. */
    static String marks(int count) {
        return "?, ".repeat(count - 1) + "?";
    }

    private PreparedStatement bind(String sql, @Nullable Object... values) throws SQLException {
        sendIfNamed(sql);
        PreparedStatement statement = prepare(sql);
        bindAll(statement, values);
        return statement;
    }

    private PreparedStatement prepare(String sql) throws SQLException {
        PreparedStatement statement = prepared.get(sql);
        if (statement == null) {
            statement = connection.prepareStatement(sql);
            prepared.put(sql, statement);
        }
        return statement;
    }

    private static void bindAll(PreparedStatement statement, @Nullable Object... values)
            throws SQLException {
        for (int i = 0; i < values.length; i++) {
            bind(statement, i + 1, values[i]);
        }
    }

    private static void bind(PreparedStatement statement, int at, @Nullable Object value)
            throws SQLException {
        switch (value) {
            case null -> statement.setObject(at, null);
            case Long number -> statement.setLong(at, number);
            case Integer number -> statement.setInt(at, number);
            case String text -> statement.setString(at, text);
            case byte[] bytes -> statement.setBytes(at, bytes);
            case Boolean yes -> statement.setInt(at, yes ? 1 : 0);
            default -> throw new IllegalArgumentException(value.getClass() + " in SQL");
        }
    }

    private static StoreException failed(String sql, SQLException e) {
        String first = sql.strip().lines().findFirst().orElse("");
        return new StoreException(first + ": " + e.getMessage(), e);
    }

    /** Closes what is not trusted any more, whether that succeeds or not. */
    void abandon() {
        try {
            connection.close();
        } catch (SQLException alreadyGivenUp) {
            LOG.debug("a connection that was given up did not close", alreadyGivenUp);
        }
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException e) {
            throw failed("close", e);
        }
    }
}
