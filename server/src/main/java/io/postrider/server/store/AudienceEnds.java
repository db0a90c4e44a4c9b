package io.postrider.server.store;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Where the audience's log of each app ends, so that a publish need not ask the database whether
 * anything has changed. {@link #committed} may be called by any thread, the rest by the writer's.
 */
final class AudienceEnds {
    private static final String END = "SELECT audience_end FROM apps WHERE id = ?";

    /** With what the transaction in hand has written. */
    private final Map<Long, Long> written = new HashMap<>();

    private final Map<Long, Long> committed = new ConcurrentHashMap<>();

    /** The end as of the transaction in hand; null if there is no such app. */
    @Nullable Long of(Tx tx, long appId) {
        return written.computeIfAbsent(
                appId, app -> tx.sql.first(END, row -> row.getLong(1), app).orElse(null));
    }

    void advance(Tx tx, long appId, long end) {
        written.put(appId, end);
        tx.afterCommit(() -> committed.put(appId, end));
    }

    /** The end as of the last commit. */
    long committed(Database database, long appId) {
        return committed.computeIfAbsent(appId, app -> database.read(sql -> sql.number(END, app)));
    }

    /** The app is deleted. */
    void forget(Tx tx, long appId) {
        written.remove(appId);
        tx.afterCommit(() -> committed.remove(appId));
    }

    /** What a transaction that was rolled back has left, or one of which nobody knows. */
    void forget() {
        written.clear();
        committed.clear();
    }
}
