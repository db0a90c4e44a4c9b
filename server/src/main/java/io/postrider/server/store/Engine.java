package io.postrider.server.store;

/**
 * What differs between SQLite and PostgreSQL: connections, the store's time, whether others write
 * too, and what is to be done beside the SQL, which is the same.
 */
interface Engine {
    /** What shows that the database takes writes: SQLite writes nothing that is there already. */
    String PROOF =
            "INSERT INTO meta (name, value) VALUES ('reopened', '1') ON CONFLICT (name)"
                    + " DO UPDATE SET value = CAST(CAST(meta.value AS INTEGER) + 1 AS TEXT)";

    /** Where the database is; no secrets. */
    String place();

    /** Opens a connection to write with. The schema is up to date. */
    Sql connect();

    /** The same after a failure; proved to write and to flush. On the writer thread. */
    Sql connectAgain();

    Readers readers();

    /** For those for whom everybody waits, and who are few. */
    default Readers readersAside() {
        return readers();
    }

    /**
     * Begins a transaction of the writer. Until it ends, no other process commits.
     *
     * @param lastId the newest message id that this process knows of
     */
    Tx begin(Sql sql, long lastId);

    /** To be called before a message with this id is stored. */
    void makeRoom(Tx tx, long messageId);

    /** Keeps what the next transaction begins with; the last thing before a commit. */
    void keep(Tx tx);

    /** Where the pending ones of a message to one or to a few are found. */
    PendingIndex pendingIndex(Database database);

    /** Whether other processes write to the same database. */
    boolean isShared();

    /** Begins what is done from time to time. Once, when the writer runs. */
    void attend(Writer writer);

    /** Makes room for the messages of the next day, if nobody has to wait for it. */
    default void makeRoomAhead(Writer writer) {}

    /**
     * Deletes, whole days at once, messages that are older than any app keeps them. Answers whether
     * there were any.
     */
    boolean dropDaysBefore(Writer writer, long millis);

    /** Gives the space of what was deleted back to the file system. */
    void giveSpaceBack(Writer writer);

    /** Ends what {@link #attend} began. Before the writer is closed. */
    void leave(Writer writer);

    /** Closes everything else. After the writer. */
    void close();
}
