package io.postrider.server.store;

/** Small numbers that rise by one and are never used again. */
final class Sequences {
    private Sequences() {}

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
