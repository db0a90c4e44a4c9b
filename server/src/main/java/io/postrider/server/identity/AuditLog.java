package io.postrider.server.identity;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What developers did, kept for a year. Reads and writes block. */
public interface AuditLog {
    /** Who does something, and from where: what every entry of the log begins with. */
    record Actor(long developerId, String address, String requestId) {}

    /** What was done. */
    enum Action {
        SIGNED_UP,
        LOGGED_IN,
        LOGIN_FAILED,
        APP_CREATED,
        APP_CHANGED,
        APP_DELETED,
        SECRET_ROTATED,
        DEVICE_TOKENS_REVOKED,
        MESSAGE_RECALLED
    }

    /**
     * One thing about to be done.
     *
     * @param detail what of it was done, such as the names of changed settings; never a secret
     */
    record Deed(Actor actor, Action action, @Nullable Long appId, String detail) {
        public Deed(Actor actor, Action action) {
            this(actor, action, null, "");
        }

        public Deed of(long app) {
            return new Deed(actor, action, app, detail);
        }
    }

    /** One thing that was done. */
    record Entry(
            long id,
            long at,
            Action action,
            @Nullable Long appId,
            String detail,
            String address,
            String requestId) {}

    /**
     * Writes an entry by itself, for deeds that are not a change of developers or apps: those write
     * theirs in the same transaction. Returns when it is flushed.
     */
    void write(Deed deed);

    /** As {@link #write}, without waiting: who waits could be told by how long. */
    void writeSoon(Deed deed);

    /** A developer's entries with ids below {@code beforeId}, newest first. */
    List<Entry> ofDeveloper(long developerId, long beforeId, int limit);
}
