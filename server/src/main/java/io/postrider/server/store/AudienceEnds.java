package io.postrider.server.store;

import io.postrider.server.publish.AudienceLog;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Where the audience's log of each app ends, so that a publish need not ask the database whether
 * anything has changed. {@link #mayGoOnAfter} may be called by any thread, the rest by the
 * writer's.
 */
final class AudienceEnds {
    private static final String END = "SELECT audience_end FROM apps WHERE id = ?";

    /** With what the transaction in hand has written. */
    private final Map<Long, Long> written = new HashMap<>();

    private final Map<Long, Long> committed = new ConcurrentHashMap<>();

    /** The end as of the transaction in hand; null if there is no such app. */
    @Nullable Long of(Tx tx, long appId) {
        Long known = written.get(appId);
        if (known != null) {
            return known;
        }
        Optional<Long> end = tx.sql.first(END, row -> row.getLong(1), appId);
        end.ifPresent(found -> {
            written.put(appId, found);
            committed.put(appId, found);
        });
        return end.orElse(null);
    }

    /** The end before the transaction in hand, once it has asked for the end. */
    long committed(long appId) {
        return committed.getOrDefault(appId, 0L);
    }

    /** The transaction has written this entry. */
    void advance(Tx tx, long appId, long end) {
        if (written.put(appId, end) == null) {
            committed.put(appId, end - 1);
        }
        tx.afterCommit(() -> committed.put(appId, end));
    }

    /** See {@link AudienceLog#mayGoOnAfter}; where nobody else writes it is certain. */
    boolean mayGoOnAfter(long appId, long seq) {
        Long end = committed.get(appId);
        return end == null || end != seq;
    }

    /** They may have gone on. */
    void othersWrote() {
        written.clear();
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
