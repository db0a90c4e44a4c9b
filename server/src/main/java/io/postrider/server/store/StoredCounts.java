package io.postrider.server.store;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * How many messages are kept for each app, counted once and kept in step. What other nodes have
 * stored since is counted as it is met; what they have purged is noticed only where an app would
 * else be refused, and not each time. Confined to the writer thread.
 */
final class StoredCounts {
    private static final long RECOUNT_MILLIS = TimeUnit.SECONDS.toMillis(10);

    private final Map<Long, Count> byApp = new HashMap<>();

    private static final class Count {
        /** Messages up to an id, and those that this node has stored above it. */
        long counted;

        long upTo;
        long ownSince;

        final long countedAt;
        boolean othersMayHaveStored;
        boolean othersMayHavePurged;

        Count(long now) {
            countedAt = now;
        }

        long messages() {
            return counted + ownSince;
        }

        void countOn(Tx tx, long appId) {
            counted +=
                    tx.sql.number(
                            "SELECT count(*) FROM messages WHERE app_id = ? AND id > ?",
                            appId,
                            upTo);
            upTo = tx.lastId();
            ownSince = 0;
            othersMayHaveStored = false;
        }
    }

    private static Count all(Tx tx, long appId) {
        Count count = new Count(tx.now());
        count.countOn(tx, appId);
        return count;
    }

    /** Counts one more, unless the app has so many already. */
    boolean add(Tx tx, long appId, long quota) {
        Count count = byApp.computeIfAbsent(appId, app -> all(tx, app));
        if (count.othersMayHaveStored) {
            count.countOn(tx, appId);
        }
        if (count.messages() >= quota
                && count.othersMayHavePurged
                && tx.now() - count.countedAt >= RECOUNT_MILLIS) {
            count = all(tx, appId);
            byApp.put(appId, count);
        }
        if (count.messages() >= quota) {
            return false;
        }
        count.ownSince++;
        return true;
    }

    void removed(long appId, long messages) {
        Count count = byApp.get(appId);
        if (count != null && count.othersMayHaveStored) {
            // Some of them may never have been counted.
            byApp.remove(appId);
        } else if (count != null) {
            count.counted -= messages;
        }
    }

    void othersWrote() {
        for (Count count : byApp.values()) {
            count.othersMayHaveStored = true;
            count.othersMayHavePurged = true;
        }
    }

    void forget(long appId) {
        byApp.remove(appId);
    }

    /** What a transaction that was rolled back has left. */
    void forget() {
        byApp.clear();
    }
}
