package io.postrider.server.store;

import io.postrider.server.delivery.Arrival;
import io.postrider.server.delivery.Change;
import java.util.ArrayList;
import java.util.List;

/**
 * One transaction of the writer: its connection, its time and its ids. What must be seen only after
 * the commit is handed to {@link #afterCommit}.
 */
final class Tx {
    /** Ids count milliseconds from here, so that their 41 bits of time last until 2095. */
    static final long ID_EPOCH_MILLIS = 1_767_225_600_000L; // 2026-01-01T00:00:00Z

    private static final int ID_SEQUENCE_BITS = 22;

    final Sql sql;
    private final long now;
    private final List<Runnable> preparations = new ArrayList<>();
    private final List<Runnable> effects = new ArrayList<>();
    private final List<Runnable> news = new ArrayList<>();
    private final long beganAfter;
    private long lastId;

    /** Whether another process has committed since the last transaction of this one. */
    final boolean othersWrote;

    /** The messages that this transaction stores. */
    final List<Arrival> arrivals = new ArrayList<>();

    /** What it tells in the log. */
    final List<Change> changes = new ArrayList<>();

    /**
     * @param now the store's time
     * @param lastId the newest committed message id
     */
    Tx(Sql sql, long now, long lastId, boolean othersWrote) {
        this.sql = sql;
        this.now = now;
        this.beganAfter = lastId;
        this.lastId = lastId;
        this.othersWrote = othersWrote;
    }

    /** The store's time of this transaction. */
    long now() {
        return now;
    }

    /** No message that was stored at this time or later has a lower id. */
    static long firstIdAt(long millis) {
        return Math.max(0, millis - ID_EPOCH_MILLIS) << ID_SEQUENCE_BITS;
    }

    /** The store's time when a message was stored, or a little later; 0 for no message. */
    static long timeOf(long id) {
        return id == 0 ? 0 : (id >>> ID_SEQUENCE_BITS) + ID_EPOCH_MILLIS;
    }

    /** The next message's id: after every id before it, and as near to the time as that allows. */
    long nextId() {
        lastId = Math.max(lastId + 1, firstIdAt(now));
        return lastId;
    }

    long lastId() {
        return lastId;
    }

    /** The newest message id before this transaction. */
    long beganAfter() {
        return beganAfter;
    }

    /** Runs as the last thing inside the transaction. */
    void beforeCommit(Runnable preparation) {
        preparations.add(preparation);
    }

    List<Runnable> preparations() {
        return preparations;
    }

    /**
     * Runs on the writer thread once the commit is flushed, before anyone is told of it or
     * answered.
     */
    void afterCommit(Runnable effect) {
        effects.add(effect);
    }

    List<Runnable> effects() {
        return effects;
    }

    /** Tells of what was committed: as {@link #afterCommit}, after all that and the messages. */
    void tellAfterwards(Runnable telling) {
        news.add(telling);
    }

    List<Runnable> news() {
        return news;
    }
}
