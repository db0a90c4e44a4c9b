package io.postrider.server.store;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.Recipients;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.roaringbitmap.RoaringBitmap;

/**
 * Which devices are in which groups, by themselves or by their user, and what a change of that
 * means for messages that are open there. What is not static is confined to the writer thread.
 */
final class Memberships {
    /** For group_devices.stays_until: until it is taken out. Tills stay for a time. */
    static final long FOR_GOOD = Long.MAX_VALUE;

    private static final int MOST_NAMES = 100_000;

    /** Values: app, number, now, app, number. */
    static final String GROUPS_OF =
            "SELECT group_id FROM group_devices"
                    + " WHERE app_id = ? AND number = ? AND stays_until > ?"
                    + " UNION SELECT group_users.group_id FROM devices JOIN group_users"
                    + " ON group_users.app_id = devices.app_id"
                    + " AND group_users.user_name = devices.user_name"
                    + " WHERE devices.app_id = ? AND devices.number = ?";

    /** Sessions that are just coming in are refused by their token's generation. */
    private static final String END_TILL =
            "UPDATE devices SET token_generation = token_generation + 1"
                    + " WHERE app_id = ? AND number = ? AND EXISTS (SELECT 1 FROM tills"
                    + " WHERE tills.app_id = devices.app_id AND tills.number = devices.number)"
                    + " RETURNING token_generation";

    private static final String MEMBERS =
            "SELECT number FROM group_devices WHERE group_id = ? AND stays_until > ?"
                    + " UNION SELECT devices.number FROM group_users JOIN devices"
                    + " ON devices.app_id = group_users.app_id"
                    + " AND devices.user_name = group_users.user_name"
                    + " WHERE group_users.group_id = ?";

    /** Ids are never given again, so that only those of a transaction that failed are wrong. */
    private final Cache<Name, Long> ids =
            Caffeine.newBuilder().maximumSize(MOST_NAMES).executor(Runnable::run).build();

    private final Changes changes;

    private record Name(long appId, String name) {}

    Memberships(Changes changes) {
        this.changes = changes;
    }

    /** The group's id; the group comes into being if there is none. */
    long idOf(Tx tx, long appId, String name) {
        return ids.get(
                new Name(appId, name),
                key ->
                        find(tx.sql, appId, name)
                                .orElseGet(() -> {
                                    long id = Sequences.next(tx, "groups");
                                    tx.sql.update(
                                            "INSERT INTO groups (id, app_id, name)"
                                                    + " VALUES (?, ?, ?)",
                                            id,
                                            appId,
                                            name);
                                    return id;
                                }));
    }

    static Optional<Long> find(Sql sql, long appId, String name) {
        return sql.first(
                "SELECT id FROM groups WHERE app_id = ? AND name = ?",
                row -> row.getLong(1),
                appId,
                name);
    }

    /** What a transaction that was rolled back has left; or an app is deleted. */
    void forget() {
        ids.invalidateAll();
    }

    /** The groups that a device is in. */
    static List<Long> groupsOf(Sql sql, long appId, int number, long now) {
        return sql.list(GROUPS_OF, row -> row.getLong(1), appId, number, now, appId, number);
    }

    /** The devices that are in a group. */
    static RoaringBitmap members(Sql sql, long groupId, long now) {
        RoaringBitmap members = new RoaringBitmap();
        sql.read(
                MEMBERS,
                row -> {
                    members.add(row.getInt(1));
                    return true;
                },
                groupId,
                now,
                groupId);
        return members;
    }

    /** Changes who is in a group, and tells those whom that concerns. */
    void change(Tx tx, long appId, long groupId, Runnable change) {
        RoaringBitmap before = members(tx.sql, groupId, tx.now());
        change.run();
        RoaringBitmap after = members(tx.sql, groupId, tx.now());
        RoaringBitmap.andNot(before, after)
                .forEach((int number) -> left(tx, appId, number, List.of(groupId)));
        RoaringBitmap.andNot(after, before)
                .forEach((int number) -> joined(tx, appId, number, List.of(groupId)));
    }

    /** Changes what a device is a member of, and tells it. */
    void changeOf(Tx tx, long appId, int number, Runnable change) {
        Set<Long> before = new HashSet<>(groupsOf(tx.sql, appId, number, tx.now()));
        change.run();
        Set<Long> after = new HashSet<>(groupsOf(tx.sql, appId, number, tx.now()));
        left(tx, appId, number, before.stream().filter(id -> !after.contains(id)).toList());
        joined(tx, appId, number, after.stream().filter(id -> !before.contains(id)).toList());
    }

    private void left(Tx tx, long appId, int number, List<Long> groups) {
        if (groups.isEmpty()) {
            return;
        }
        // A till's connection is good for its shop: it has to come with a token of another.
        tx.sql
                .first(END_TILL, row -> row.getInt(1), appId, number)
                .ifPresent(generation ->
                        changes.tell(tx, new Change.Revoked(appId, number, generation)));
        Set<Long> gone = open(tx.sql, groups, tx.now());
        gone.removeAll(open(tx.sql, groupsOf(tx.sql, appId, number, tx.now()), tx.now()));
        Recipients device = Recipients.of(number);
        gone.forEach(id -> changes.tell(tx, new Change.Recalled(appId, id, device)));
    }

    private void joined(Tx tx, long appId, int number, List<Long> groups) {
        long first = firstOpen(tx.sql, groups, tx.now());
        if (first < Long.MAX_VALUE) {
            changes.tell(tx, new Change.Joined(appId, number, first));
        }
    }

    /** The oldest message that is open in any of the groups, whoever it is meant for. */
    static long firstOpen(Sql sql, List<Long> groups, long now) {
        long[] first = {Long.MAX_VALUE};
        for (long group : groups) {
            forEachOpen(
                    sql,
                    group,
                    0,
                    now,
                    (id, filter) -> {
                        first[0] = Math.min(first[0], id);
                        return false;
                    });
        }
        return first[0];
    }

    /** The messages that are open in any of the groups, in the order of their ids. */
    static Set<Long> open(Sql sql, List<Long> groups, long now) {
        Set<Long> open = new TreeSet<>();
        for (long group : groups) {
            forEachOpen(sql, group, 0, now, (id, filter) -> open.add(id));
        }
        return open;
    }

    /** Looks at a message and which devices it is meant for; false ends the reading. */
    interface OpenReader {
        boolean read(long messageId, @Nullable String filter);
    }

    /** Reads what is open in a group, above an id, oldest first. */
    static void forEachOpen(Sql sql, long groupId, long afterId, long now, OpenReader reader) {
        sql.read(
                "SELECT mailbox.message_id, filter FROM group_mailboxes mailbox"
                        + " JOIN settlements ON settlements.message_id = mailbox.message_id"
                        + " AND settlements.group_id = mailbox.group_id"
                        + " JOIN messages ON messages.id = mailbox.message_id"
                        + " WHERE mailbox.group_id = ? AND mailbox.message_id > ?"
                        + " AND mailbox.expires_at > ? AND settlements.state = 0"
                        + " ORDER BY mailbox.message_id",
                row -> reader.read(row.getLong(1), row.getString(2)),
                groupId,
                afterId,
                now);
    }
}
