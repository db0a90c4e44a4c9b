package io.postrider.server.store;

import io.postrider.server.clock.Clock;
import io.postrider.server.delivery.Message;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
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

    /**
     * A device whose last session is that old comes back all the same, and was told until the last
     * one that it was heard in.
     */
    private static final String NOT_THE_LAST =
            " AND (EXISTS (SELECT 1 FROM sessions newer WHERE newer.app_id = sessions.app_id"
                    + " AND newer.number = sessions.number"
                    + " AND newer.generation > sessions.generation"
                    + " AND newer.heard >= sessions.heard)"
                    + " OR NOT EXISTS (SELECT 1 FROM devices WHERE devices.app_id = sessions.app_id"
                    + " AND devices.number = sessions.number))";

    /** Its number would be given again, and with it the sessions that it never ended. */
    private static final String NOT_THE_NEWEST = " AND id < (SELECT max(id) FROM incarnations)";

    private static final String SETTLED =
            "EXISTS (SELECT 1 FROM settlements"
                    + " WHERE settlements.message_id = group_mailboxes.message_id"
                    + " AND settlements.group_id = group_mailboxes.group_id"
                    + " AND settlements.state <> 0 AND settlements.at < ?)";

    /**
     * Only what the snapshot before the newest held: a publish that is being accepted may have been
     * resolved a little earlier, and looks for who has gone since.
     */
    private static final String IN_SNAPSHOT =
            "app_id = ? AND seq <= (SELECT previous FROM audience_snapshots"
                    + " WHERE audience_snapshots.app_id = audience_changes.app_id)";

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

    /** Each part by itself: one that fails is tried again with the next run. */
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
        part(() -> new LeftByApps(database).delete());
        part(() -> tidyMailboxes(now));
        long oldest = apps.stream().mapToLong(Retention::before).min().orElse(now);
        // Whatever is older has expired.
        long wholeDaysBefore = Math.min(oldest, now - Message.MOST_TTL.toMillis());
        part(() -> goOnByADay(wholeDaysBefore));
        for (Retention app : apps) {
            if (!database.engine().isShared() || app.before > wholeDaysBefore) {
                part(() -> purgeMessages(app.app, app.before));
            }
            part(() -> delete("audience_changes", List.of("app_id", "seq"), IN_SNAPSHOT, app.app));
        }
        long weekAgo = now - SESSION_LOG_MILLIS;
        delete("group_devices", Pieces.GROUP_DEVICE, "stays_until < ?", now);
        delete("till_tokens", List.of("token_hash"), "expires_at < ?", now);
        delete("sessions", Pieces.SESSION, "ended_at < ?" + NOT_THE_LAST, weekAgo);
        delete(
                "idempotency_keys",
                Pieces.IDEMPOTENCY_KEY,
                "created_at < ?",
                now - IDEMPOTENCY_MILLIS);
        delete("logins", List.of("token_hash"), "expires_at < ?", now);
        delete("audit", List.of("id"), "at < ?", now - AUDIT_MILLIS);
        if (database.engine().isShared()) {
            delete("changes", List.of("id"), "id < ?", Tx.firstIdAt(now - CHANGES_MILLIS));
            delete("incarnations", List.of("id"), "ended_at < ?" + NOT_THE_NEWEST, weekAgo);
        }
        database.engine().giveSpaceBack(database.writer());
    }

    private static void part(Runnable part) {
        try {
            part.run();
        } catch (RuntimeException e) {
            LOG.warn("a part of the purge failed, will be tried again: {}", e.getMessage());
        }
    }

    private void delete(String table, List<String> key, String condition, long value) {
        part(() -> Pieces.delete(database, table, key, condition, value));
    }

    private void tidyMailboxes(long now) {
        delete("group_mailboxes", Pieces.GROUP_MAILBOX, "expires_at < ?", now);
        delete("group_mailboxes", Pieces.GROUP_MAILBOX, SETTLED, now - SETTLED_MILLIS);
    }

    private void goOnByADay(long dropBefore) {
        database.engine().makeRoomAhead(database.writer());
        if (database.engine().dropDaysBefore(database.writer(), dropBefore)) {
            database.writer().change(tx -> database.storedCounts().forget()).join();
        }
    }

    private record Old(long id, int kind) {}

    private void purgeMessages(long app, long before) {
        List<Old> found = List.of(new Old(0, 0));
        do {
            long after = found.getLast().id;
            found = database.read(sql -> old(sql, app, after, before));
            List<Old> some = found;
            database.writer().change(tx -> deleteSome(tx, app, some)).join();
        } while (found.size() == MESSAGES_AT_ONCE);
    }

    private static List<Old> old(Sql sql, long app, long after, long before) {
        return sql.list(
                "SELECT id, kind FROM messages WHERE app_id = ? AND id > ? AND id < ?"
                        + " AND expires_at < ? ORDER BY id LIMIT ?",
                row -> new Old(row.getLong(1), row.getInt(2)),
                app,
                after,
                Tx.firstIdAt(before),
                before,
                MESSAGES_AT_ONCE);
    }

    private void deleteSome(Tx tx, long app, List<Old> some) {
        some.forEach(old -> database.deliveries().delete(tx, app, old.id, old.kind));
        int[] deleted =
                tx.sql.updateEach(
                        "DELETE FROM messages WHERE id = ?",
                        some.stream().map(old -> new @Nullable Object[] {old.id}).toList());
        database.storedCounts().removed(app, Arrays.stream(deleted).sum());
        tx.afterCommit(() -> some.forEach(old -> database.messageCache().remove(old.id)));
    }
}
