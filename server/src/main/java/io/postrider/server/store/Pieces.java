package io.postrider.server.store;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Deletes many rows in transactions that are short, since all who write wait for each. */
final class Pieces {
    private static final int ROWS_AT_ONCE = 1_000;

    /** Looked for at once, since a condition may have no index: it reads the whole table then. */
    private static final int ROWS_FOUND_AT_ONCE = 50 * ROWS_AT_ONCE;

    static final List<String> SESSION = List.of("app_id", "number", "generation");
    static final List<String> IDEMPOTENCY_KEY = List.of("app_id", "idem_key");
    static final List<String> GROUP_MAILBOX = List.of("group_id", "message_id");
    static final List<String> GROUP_DEVICE = List.of("group_id", "number");

    private Pieces() {}

    /**
     * Deletes the rows of which a condition is true. What there is to delete is looked for outside
     * of the transactions. Blocks.
     *
     * @param key the columns of the table's key
     * @param condition with one parameter
     */
    static void delete(
            Database database, String table, List<String> key, String condition, long value) {
        String find =
                "SELECT %s FROM %s WHERE %s LIMIT %d"
                        .formatted(String.join(", ", key), table, condition, ROWS_FOUND_AT_ONCE);
        String delete =
                "DELETE FROM %s WHERE %s = ? AND %s"
                        .formatted(table, String.join(" = ? AND ", key), condition);
        List<@Nullable Object[]> found;
        do {
            found =
                    database.read(
                            sql -> sql.list(find, row -> keyAnd(row, key.size(), value), value));
            for (int from = 0; from < found.size(); from += ROWS_AT_ONCE) {
                List<@Nullable Object[]> some =
                        found.subList(from, Math.min(found.size(), from + ROWS_AT_ONCE));
                database.writer().await(tx -> tx.sql.updateEach(delete, some));
            }
        } while (found.size() == ROWS_FOUND_AT_ONCE);
    }

    private static @Nullable Object[] keyAnd(ResultSet row, int columns, long value)
            throws SQLException {
        @Nullable Object[] values = new @Nullable Object[columns + 1];
        for (int i = 0; i < columns; i++) {
            values[i] = row.getObject(i + 1);
        }
        values[columns] = value;
        return values;
    }
}
