package io.postrider.server.store;

import java.util.HashMap;
import java.util.Map;

/**
 * How many messages are kept for each app, counted once and kept in step. Confined to the writer
 * thread.
 */
final class StoredCounts {
    private final Map<Long, Long> byApp = new HashMap<>();

    /** Counts one more, unless the app has so many already. */
    boolean add(Tx tx, long appId, long quota) {
        long stored =
                byApp.computeIfAbsent(
                        appId,
                        app ->
                                tx.sql.number(
                                        "SELECT count(*) FROM messages WHERE app_id = ?", app));
        if (stored >= quota) {
            return false;
        }
        byApp.put(appId, stored + 1);
        return true;
    }

    void removed(long appId, long messages) {
        byApp.computeIfPresent(appId, (app, stored) -> stored - messages);
    }

    void forget(long appId) {
        byApp.remove(appId);
    }

    /** What a transaction that was rolled back has left. */
    void forget() {
        byApp.clear();
    }
}
