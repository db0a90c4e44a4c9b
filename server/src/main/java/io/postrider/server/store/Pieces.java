package io.postrider.server.store;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Deletes many rows in transactions that are short, since all who write wait for each. */
final class Pieces {
    private static final int ROWS_AT_ONCE = 1_000;

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
                        .formatted(String.join(", ", key), table, condition, ROWS_AT_ONCE);
        String delete =
                "DELETE FROM %s WHERE %s = ? AND %s"
                        .formatted(table, String.join(" = ? AND ", key), condition);
        List<@Nullable Object[]> found;
        do {
            found =
                    database.read(
                            sql -> sql.list(find, row -> keyAnd(row, key.size(), value), value));
            List<@Nullable Object[]> some = found;
            if (!some.isEmpty()) {
                database.writer().await(tx -> tx.sql.updateEach(delete, some));
            }
        } while (found.size() == ROWS_AT_ONCE);
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
