package io.postrider.server.store;

import java.util.List;

/**
 * Finds which messages to one or to a few are pending for a device. The rows of messages say what
 * is; this only finds them. What changes it runs on the writer thread, in its transaction.
 */
interface PendingIndex {
    /**
     * What is found beside the table {@code pending}.
     *
     * @param upTo what was stored above it is found neither here nor there
     * @param more whether there is some above it
     */
    record Recent(List<Long> ids, long upTo, boolean more) {}

    /** Reads what is kept in memory. On the writer thread, or before it runs. */
    void load(Sql sql);

    /** A message is stored, whomever it is for. */
    void stored(Tx tx);

    /** A message that is stored is pending for a device. */
    void add(Tx tx, long appId, int number, long messageId);

    /** A message is not pending for a device any more. */
    void remove(Tx tx, long appId, int number, long messageId);

    /** All rows of an app are deleted, those of the table too. */
    void forgetApp(Tx tx, long appId);

    /** What a transaction that was rolled back has left. */
    void forget();

    /**
     * The oldest pending ones of a device above an id. To be asked before the table is read: what
     * is moved meanwhile is found in one or in both, and never in none. By any thread.
     */
    Recent recent(Sql sql, long appId, int number, long afterId, int limit);

    /** All of a device as of the transaction in hand; some may have ended in it. */
    List<Long> of(Tx tx, long appId, int number);
}
