package io.postrider.server.store;

/** Small numbers that rise by one and are never used again. */
final class Sequences {
    /** The newest message id; kept apart from the messages, which are purged and deleted. */
    static final String MESSAGES = "messages";

    /** What is pending up to here is in the table of {@link PendingInMemory}. */
    static final String PENDING = "pending";

    private Sequences() {}

    static long last(Sql sql, String name) {
        return sql.number("SELECT last FROM sequences WHERE name = ?", name);
    }

    static void keep(Tx tx, String name, long last) {
        tx.sql.update(
                "INSERT INTO sequences (name, last) VALUES (?, ?)"
                        + " ON CONFLICT (name) DO UPDATE SET last = excluded.last",
                name,
                last);
    }

    static long next(Tx tx, String name) {
        return tx.sql
                .first(
                        "INSERT INTO sequences (name, last) VALUES (?, 1)"
                                + " ON CONFLICT (name) DO UPDATE SET last = sequences.last + 1"
                                + " RETURNING last",
                        row -> row.getLong(1),
                        name)
                .orElseThrow();
    }
}
