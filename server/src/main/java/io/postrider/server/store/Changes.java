package io.postrider.server.store;

import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.Change.AppChanged;
import io.postrider.server.delivery.Change.Displaced;
import io.postrider.server.delivery.Change.Joined;
import io.postrider.server.delivery.Change.Recalled;
import io.postrider.server.delivery.Change.Revoked;
import io.postrider.server.delivery.Change.Settled;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.delivery.WakeUps;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.roaringbitmap.RoaringBitmap;

/**
 * What was committed, for the sessions of this node and, where there are others, in a log for all.
 * Each entry has an id as messages have, so that one cursor is enough to follow both.
 */
final class Changes {
    private static final int RECALLED = 1;
    private static final int SETTLED = 2;
    private static final int JOINED = 3;
    private static final int REVOKED = 4;
    private static final int DISPLACED = 5;
    private static final int APP = 6;

    private final boolean isShared;
    private final LongSupplier incarnation;
    private volatile @Nullable WakeUps wakeUps;

    /**
     * @param isShared whether there are other nodes
     * @param incarnation this one's
     */
    Changes(boolean isShared, LongSupplier incarnation) {
        this.isShared = isShared;
        this.incarnation = incarnation;
    }

    /** Names who is told; once, before the first message is accepted. */
    void onCommit(WakeUps woken) {
        wakeUps = woken;
    }

    /** Tells of a change once the transaction is flushed. */
    void tell(Tx tx, Change change) {
        if (isShared) {
            write(tx, change);
            tx.changes.add(change);
            return;
        }
        tx.tellAfterwards(() -> {
            WakeUps woken = wakeUps;
            if (woken != null) {
                woken.changed(change);
            }
        });
    }

    /** Tells of what has an id in a transaction that is flushed. */
    void committed(Tx tx) {
        WakeUps woken = wakeUps;
        if (woken != null) {
            woken.committed(tx.beganAfter(), tx.lastId(), tx.arrivals, tx.changes);
        }
    }

    private void write(Tx tx, Change change) {
        switch (change) {
            case Recalled(long app, long id, Recipients all) ->
                    write(tx, RECALLED, app, 0, id, all);
            case Settled(long app, long id, Recipients all) -> write(tx, SETTLED, app, 0, id, all);
            case Joined(long app, int number, long id) -> write(tx, JOINED, app, number, id, null);
            case Revoked(long app, int number, int generation) ->
                    write(tx, REVOKED, app, number, generation, null);
            case Displaced(long app, int number, int generation) ->
                    write(tx, DISPLACED, app, number, generation, null);
            case AppChanged(long app) -> write(tx, APP, app, 0, 0, null);
        }
    }

    private void write(
            Tx tx, int kind, long app, int number, long ref, @Nullable Recipients recipients) {
        tx.sql.update(
                "INSERT INTO changes (id, incarnation, kind, app_id, number, ref, recipients)"
                        + " VALUES (?, ?, ?, ?, ?, ?, ?)",
                tx.nextId(),
                incarnation.getAsLong(),
                kind,
                app,
                number,
                ref,
                recipients == null ? null : OpenSets.serialize(recipients.copy()));
    }

    /** The id of the newest entry, as SQL. */
    String newest() {
        return isShared ? "(SELECT max(id) FROM changes)" : "0";
    }

    /** What was told, with ids above one and up to another, in their order. */
    List<Change> between(Sql sql, long afterId, long upTo) {
        return isShared
                ? sql.list(
                        "SELECT kind, app_id, number, ref, recipients FROM changes"
                                + " WHERE id > ? AND id <= ? ORDER BY id",
                        Changes::read,
                        afterId,
                        upTo)
                : List.of();
    }

    private static Change read(ResultSet row) throws SQLException {
        int kind = row.getInt(1);
        long app = row.getLong(2);
        int number = row.getInt(3);
        long ref = row.getLong(4);
        return switch (kind) {
            case RECALLED -> new Recalled(app, ref, recipients(row));
            case SETTLED -> new Settled(app, ref, recipients(row));
            case JOINED -> new Joined(app, number, ref);
            case REVOKED -> new Revoked(app, number, (int) ref);
            case DISPLACED -> new Displaced(app, number, (int) ref);
            case APP -> new AppChanged(app);
            default -> throw new StoreException("a change of kind " + kind);
        };
    }

    private static Recipients recipients(ResultSet row) throws SQLException {
        RoaringBitmap numbers = OpenSets.deserialize(row.getBytes(5));
        return Recipients.of(numbers);
    }
}
