package io.postrider.server.store;

import io.postrider.server.clock.Clock;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes what has been kept long enough, in small pieces so that no publish waits for it: ended
 * messages after their app's days, what has ended from the mailboxes of groups, the log of sessions
 * after 7 days, idempotency keys after 24 hours, the audit log after a year. Gives the space back
 * to the file system.
 */
final class Purge {
    private static final Logger LOG = LoggerFactory.getLogger(Purge.class);
    private static final int MESSAGES_AT_ONCE = 200;
    private static final long SESSION_LOG_MILLIS = TimeUnit.DAYS.toMillis(7);
    private static final long SETTLED_MILLIS = TimeUnit.HOURS.toMillis(24);
    private static final long NOT_AGAIN_MILLIS = TimeUnit.MINUTES.toMillis(50);
    private static final long CHANGES_MILLIS = TimeUnit.HOURS.toMillis(1);
    private static final long AUDIT_MILLIS = TimeUnit.DAYS.toMillis(365);
    private static final long IDEMPOTENCY_MILLIS = TimeUnit.HOURS.toMillis(24);

    private final Database database;
    private final Clock clock;

    Purge(Database database, Clock clock) {
        this.database = database;
        this.clock = clock;
    }

    /** For the chores' thread, whose next runs a failure must not prevent. */
    void runAndLog() {
        try {
            if (isOurs()) {
                run();
            }
        } catch (RuntimeException e) {
            LOG.warn("purge failed, will be tried again: {}", e.getMessage());
        }
    }

    /** For the chores' thread; what it does not do the next run will. */
    void deleteWhatAppsHaveLeft() {
        try {
            new LeftByApps(database).delete();
        } catch (RuntimeException e) {
            LOG.warn("what an app has left is deleted later: {}", e.getMessage());
        }
    }

    /** Of the nodes on one database, one purges each hour. */
    private boolean isOurs() {
        return !database.engine().isShared()
                || database.writer()
                        .await(tx ->
                                tx.sql.update(
                                                "UPDATE sequences SET last = ?"
                                                        + " WHERE name = 'purge' AND last < ?",
                                                tx.now(),
                                                tx.now() - NOT_AGAIN_MILLIS)
                                        == 1);
    }

    void run() {
        long now = clock.millis();
        record Retention(long app, long before) {}

        List<Retention> apps =
                database.read(sql ->
                        sql.list(
                                "SELECT id, retention_days FROM apps",
                                row ->
                                        new Retention(
                                                row.getLong(1),
                                                now - TimeUnit.DAYS.toMillis(row.getInt(2)))));
        new LeftByApps(database).delete();
        tidyMailboxes(now - SETTLED_MILLIS);
        long oldest = apps.stream().mapToLong(Retention::before).min().orElse(now);
        if (database.engine().dropDaysBefore(database.writer(), oldest)) {
            database.writer().change(tx -> database.storedCounts().forget()).join();
        }
        for (Retention app : apps) {
            purgeMessages(app.app, app.before);
        }
        long weekAgo = now - SESSION_LOG_MILLIS;
        delete("group_devices", List.of("group_id", "number"), "stays_until < ?", now);
        delete("till_tokens", List.of("token_hash"), "expires_at < ?", now);
        delete("sessions", LeftByApps.SESSION, "ended_at < ?", weekAgo);
        delete(
                "idempotency_keys",
                LeftByApps.IDEMPOTENCY_KEY,
                "created_at < ?",
                now - IDEMPOTENCY_MILLIS);
        delete("logins", List.of("token_hash"), "expires_at < ?", now);
        delete("audit", List.of("id"), "at < ?", now - AUDIT_MILLIS);
        if (database.engine().isShared()) {
            delete("changes", List.of("id"), "id < ?", Tx.firstIdAt(now - CHANGES_MILLIS));
            delete("incarnations", List.of("id"), "ended_at < ?", weekAgo);
        }
        database.engine().giveSpaceBack(database.writer());
    }

    private void delete(String table, List<String> key, String condition, long value) {
        Pieces.delete(database, table, key, condition, value);
    }

    private void tidyMailboxes(long endedBefore) {
        int tidied = MESSAGES_AT_ONCE;
        while (tidied == MESSAGES_AT_ONCE) {
            tidied =
                    database.writer()
                            .await(tx -> Settlements.tidySome(tx, endedBefore, MESSAGES_AT_ONCE));
        }
    }

    private void purgeMessages(long app, long before) {
        int deleted = MESSAGES_AT_ONCE;
        while (deleted == MESSAGES_AT_ONCE) {
            deleted = database.writer().await(tx -> purgeSome(tx, app, before));
        }
    }

    private int purgeSome(Tx tx, long app, long before) {
        List<Long> ids =
                tx.sql.list(
                        "SELECT id FROM messages WHERE app_id = ? AND id < ? AND expires_at < ?"
                                + " ORDER BY id LIMIT ?",
                        row -> row.getLong(1),
                        app,
                        Tx.firstIdAt(before),
                        before,
                        MESSAGES_AT_ONCE);
        for (long id : ids) {
            database.deliveries().delete(tx, app, id);
            tx.sql.update("DELETE FROM messages WHERE id = ?", id);
            tx.afterCommit(() -> database.messageCache().remove(id));
        }
        database.storedCounts().removed(app, ids.size());
        return ids.size();
    }
}
