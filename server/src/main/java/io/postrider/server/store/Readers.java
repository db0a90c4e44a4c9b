package io.postrider.server.store;

import java.util.function.Function;

/** Connections to read with, for which those wait who use them, and nobody else. */
interface Readers {
    /** Reads what is committed, as of one moment. Blocks while all are busy. */
    <T> T read(Function<Sql, T> reading);

    /** As {@link #read}, by one statement, which is a moment of its own and costs one way less. */
    default <T> T readOne(Function<Sql, T> reading) {
        return read(reading);
    }
}
