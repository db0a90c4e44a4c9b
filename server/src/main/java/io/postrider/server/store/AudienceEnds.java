package io.postrider.server.store;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Where the audience's log of each app ends, so that a publish need not ask the database whether
 * anything has changed. {@link #mayBeAfter} may be called by any thread, the rest by the writer's.
 */
final class AudienceEnds {
    private static final String END = "SELECT audience_end FROM apps WHERE id = ?";

    /** With what the transaction in hand has written. */
    private final Map<Long, Long> written = new HashMap<>();

    private final Map<Long, Long> committed = new ConcurrentHashMap<>();
    private final boolean shared;

    /**
     * @param shared whether others write to the logs, too
     */
    AudienceEnds(boolean shared) {
        this.shared = shared;
    }

    /** The end as of the transaction in hand; null if there is no such app. */
    @Nullable Long of(Tx tx, long appId) {
        Long known = written.get(appId);
        if (known != null) {
            return known;
        }
        Optional<Long> end = tx.sql.first(END, row -> row.getLong(1), appId);
        end.ifPresent(found -> advance(tx, appId, found));
        return end.orElse(null);
    }

    void advance(Tx tx, long appId, long end) {
        written.put(appId, end);
        tx.afterCommit(() -> committed.put(appId, end));
    }

    /** Whether the log may have gone on after {@code seq}, as of the last commit. Never blocks. */
    boolean mayBeAfter(long appId, long seq) {
        Long end = committed.get(appId);
        return shared || end == null || end != seq;
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
