package io.postrider.server.store;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.postrider.server.delivery.AckBatch;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.MessageStore.Presentation;
import io.postrider.server.delivery.NewMessage.Target;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.identity.Device;
import io.postrider.server.identity.DeviceFilter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.roaringbitmap.RoaringBitmap;
import tools.jackson.databind.json.JsonMapper;

/**
 * Messages to groups, of which the first ack of each group settles it there (G7). What is not
 * static runs on the writer thread, inside its transactions.
 */
final class Settlements {
    static final int OPEN = 0;
    static final int SETTLED = 1;
    static final int RECALLED = 3;

    private static final JsonMapper JSON = new JsonMapper();
    private static final DeviceFilter EVERYONE =
            new DeviceFilter(null, null, null, null, null, null);

    /** The compare-and-set: whether it is open and for whom is decided in one statement. */
    private static final String SETTLE =
            "UPDATE settlements SET state = 1, winner = ?, at = ?, opened_at = ?"
                    + " WHERE message_id = ? AND state = 0 AND group_id IN ("
                    + Memberships.GROUPS_OF
                    + ") RETURNING group_id";

    private static final String SETTLED_SINCE =
            "SELECT group_mailboxes.message_id, filter FROM group_mailboxes JOIN settlements"
                    + " ON settlements.message_id = group_mailboxes.message_id"
                    + " AND settlements.group_id = group_mailboxes.group_id"
                    + " JOIN messages ON messages.id = group_mailboxes.message_id"
                    + " WHERE group_mailboxes.group_id = ? AND group_mailboxes.message_id <= ?"
                    + " AND group_mailboxes.expires_at > ? AND settlements.state = 1"
                    + " AND settlements.at >= ? AND settlements.winner <> ?";

    private static final RoaringBitmap NOBODY = new RoaringBitmap();

    private static final int MOST_KNOWN = 100_000;

    private final Memberships memberships;
    private final Changes changes;

    /** What never changes of the newest ones, so that their acks need not ask for it. */
    private final Cache<Long, Opened> known =
            Caffeine.newBuilder().maximumSize(MOST_KNOWN).executor(Runnable::run).build();

    /**
     * A message as it was opened.
     *
     * @param filter null where every device of its groups is meant
     * @param losers who was told that it is settled, once it is settled in its only group: what is
     *     settled stays so, and their acks, which are under way, need not ask
     */
    private record Opened(
            long appId,
            long expiresAt,
            @Nullable String filter,
            List<Long> groups,
            RoaringBitmap losers) {
        static Opened of(long appId, long expiresAt, @Nullable String filter, List<Long> groups) {
            return new Opened(appId, expiresAt, filter, groups, NOBODY);
        }

        Opened settledBefore(RoaringBitmap losers) {
            return new Opened(appId, expiresAt, filter, groups, losers);
        }
    }

    Settlements(Memberships memberships, Changes changes) {
        this.memberships = memberships;
        this.changes = changes;
    }

    /** What is to be in the message's row; null where every device of the groups is meant. */
    static @Nullable String filterColumn(DeviceFilter filter) {
        return filter.isEmpty() ? null : JSON.writeValueAsString(filter);
    }

    /** Opens a message in its groups. Answers which devices it is to be presented to now. */
    Recipients open(
            Tx tx,
            long appId,
            long messageId,
            long expiresAt,
            Target.Groups groups,
            @Nullable String filter) {
        RoaringBitmap devices = new RoaringBitmap();
        List<Long> ids =
                groups.names().stream().map(name -> memberships.idOf(tx, appId, name)).toList();
        known.put(messageId, Opened.of(appId, expiresAt, filter, ids));
        for (long group : ids) {
            tx.sql.updateLater(
                    "settlements",
                    "INSERT INTO settlements (message_id, group_id, state) VALUES (?, ?, 0)",
                    messageId,
                    group);
            tx.sql.updateLater(
                    "group_mailboxes",
                    "INSERT INTO group_mailboxes (group_id, message_id, expires_at)"
                            + " VALUES (?, ?, ?)",
                    group,
                    messageId,
                    expiresAt);
            devices.or(Memberships.members(tx.sql, group, tx.now()));
        }
        return Recipients.of(meant(tx.sql, appId, devices, groups.filter()));
    }

    private static RoaringBitmap meant(
            Sql sql, long appId, RoaringBitmap devices, DeviceFilter filter) {
        if (filter.isEmpty()) {
            return devices;
        }
        RoaringBitmap meant = new RoaringBitmap();
        devices.forEach((int number) -> {
            if (isMeant(sql, filter, appId, number)) {
                meant.add(number);
            }
        });
        return meant;
    }

    /** Whether a device is among those that a message's filter means. */
    static boolean isMeant(Sql sql, long messageId, long appId, int number) {
        Optional<String> filter = filterOf(sql, messageId);
        return filter.isEmpty() || isMeant(sql, filter.get(), appId, number);
    }

    private static Optional<String> filterOf(Sql sql, long messageId) {
        return sql.first(
                "SELECT filter FROM messages WHERE id = ? AND filter IS NOT NULL",
                row -> row.getString(1),
                messageId);
    }

    private static DeviceFilter read(String filter) {
        return JSON.readValue(filter, DeviceFilter.class);
    }

    private static boolean isMeant(Sql sql, String filter, long appId, int number) {
        return isMeant(sql, read(filter), appId, number);
    }

    private static boolean isMeant(Sql sql, DeviceFilter filter, long appId, int number) {
        return SqlDevices.find(sql, appId, number).filter(filter::matches).isPresent();
    }

    /** The devices that a message is to be presented to, while it has not expired. */
    static Recipients openTo(Sql sql, long appId, long messageId, long now) {
        RoaringBitmap devices = new RoaringBitmap();
        standings(sql, messageId).stream()
                .filter(each -> each.state == OPEN)
                .forEach(each -> devices.or(Memberships.members(sql, each.group, now)));
        DeviceFilter filter = filterOf(sql, messageId).map(Settlements::read).orElse(EVERYONE);
        return Recipients.of(meant(sql, appId, devices, filter));
    }

    /** What a transaction that was rolled back has left; or an app is deleted. */
    void forget() {
        known.invalidateAll();
        memberships.forget();
    }

    /** Whether a message is known to be one to groups, without a look at the database. */
    boolean knows(long messageId) {
        return known.getIfPresent(messageId) != null;
    }

    /** For a message that is one to groups. */
    AckOutcome acknowledge(Tx tx, AckBatch.Ack ack) {
        Opened message = known.get(ack.messageId(), id -> read(tx.sql, id));
        if (message.appId != ack.appId()) {
            return AckOutcome.UNKNOWN;
        }
        if (message.losers.contains(ack.number())) {
            return AckOutcome.ALREADY_SETTLED;
        }
        boolean meant =
                message.filter == null
                        || isMeant(tx.sql, message.filter, ack.appId(), ack.number());
        List<Long> won = meant && tx.now() < message.expiresAt ? settle(tx, ack) : List.of();
        if (!won.isEmpty()) {
            tell(tx, ack, won, message);
            return AckOutcome.WON;
        }
        List<Standing> groups = standings(tx.sql, ack.messageId());
        if (groups.stream().anyMatch(each -> each.winner == ack.number())) {
            opened(tx, ack);
            return AckOutcome.WON;
        }
        if (!meant) {
            return AckOutcome.UNKNOWN;
        }
        List<Long> mine = Memberships.groupsOf(tx.sql, ack.appId(), ack.number(), tx.now());
        return standing(groups.stream().filter(each -> mine.contains(each.group)).toList());
    }

    private static List<Long> settle(Tx tx, AckBatch.Ack ack) {
        return tx.sql.list(
                SETTLE,
                row -> row.getLong(1),
                ack.number(),
                tx.now(),
                ack.opened() ? tx.now() : null,
                ack.messageId(),
                ack.appId(),
                ack.number(),
                tx.now(),
                ack.appId(),
                ack.number());
    }

    private static void opened(Tx tx, AckBatch.Ack ack) {
        if (ack.opened()) {
            tx.sql.update(
                    "UPDATE settlements SET opened_at = ? WHERE message_id = ? AND winner = ?"
                            + " AND opened_at IS NULL",
                    tx.now(),
                    ack.messageId(),
                    ack.number());
        }
    }

    private static AckOutcome standing(List<Standing> mine) {
        if (mine.isEmpty()) {
            return AckOutcome.UNKNOWN;
        }
        if (mine.stream().anyMatch(each -> each.state == SETTLED)) {
            return AckOutcome.ALREADY_SETTLED;
        }
        return mine.stream().anyMatch(each -> each.state == RECALLED)
                ? AckOutcome.RECALLED
                : AckOutcome.EXPIRED;
    }

    /** Those of the groups who are in no other in which the message is open. */
    private void tell(Tx tx, AckBatch.Ack ack, List<Long> won, Opened message) {
        RoaringBitmap others = new RoaringBitmap();
        won.forEach(group -> others.or(Memberships.members(tx.sql, group, tx.now())));
        if (won.size() < message.groups.size()) {
            standings(tx.sql, ack.messageId()).stream()
                    .filter(each -> each.state == OPEN)
                    .forEach(each ->
                            others.andNot(Memberships.members(tx.sql, each.group, tx.now())));
        }
        others.remove(ack.number());
        RoaringBitmap meant =
                message.filter == null
                        ? others
                        : meant(tx.sql, ack.appId(), others, read(message.filter));
        if (message.groups.size() == 1) {
            known.put(ack.messageId(), message.settledBefore(meant));
        }
        if (!meant.isEmpty()) {
            Recipients told = Recipients.of(meant);
            changes.tell(tx, new Change.Settled(ack.appId(), ack.messageId(), told));
        }
    }

    private static Opened read(Sql sql, long messageId) {
        List<Long> groups =
                standings(sql, messageId).stream().map(standing -> standing.group).toList();
        return sql.first(
                        "SELECT app_id, expires_at, filter FROM messages WHERE id = ?",
                        row -> Opened.of(row.getLong(1), row.getLong(2), row.getString(3), groups),
                        messageId)
                .orElseThrow();
    }

    private record Standing(long group, int state, int winner) {}

    private static List<Standing> standings(Sql sql, long messageId) {
        return sql.list(
                "SELECT group_id, state, coalesce(winner, -1) FROM settlements"
                        + " WHERE message_id = ?",
                row -> new Standing(row.getLong(1), row.getInt(2), row.getInt(3)),
                messageId);
    }

    /** Tells a device what filters let it see now, and what not any more. */
    void changed(Tx tx, Device before, Device after) {
        long[] first = {Long.MAX_VALUE};
        Recipients device = Recipients.of(after.number());
        for (long group : Memberships.groupsOf(tx.sql, after.appId(), after.number(), tx.now())) {
            Memberships.forEachOpen(
                    tx.sql,
                    group,
                    0,
                    tx.now(),
                    (id, filter) -> {
                        DeviceFilter meant = filter == null ? EVERYONE : read(filter);
                        boolean saw = meant.matches(before);
                        boolean sees = meant.matches(after);
                        if (saw && !sees) {
                            changes.tell(tx, new Change.Recalled(after.appId(), id, device));
                        } else if (sees && !saw) {
                            first[0] = Math.min(first[0], id);
                        }
                        return true;
                    });
        }
        if (first[0] < Long.MAX_VALUE) {
            changes.tell(tx, new Change.Joined(after.appId(), after.number(), first[0]));
        }
    }

    /** Ends what is open. Answers whom it was for. */
    static Recipients recall(Tx tx, long appId, long messageId) {
        RoaringBitmap devices = openTo(tx.sql, appId, messageId, tx.now()).copy();
        tx.sql.update(
                "UPDATE settlements SET state = 3, at = ? WHERE message_id = ? AND state = 0",
                tx.now(),
                messageId);
        tx.sql.read(
                "SELECT number FROM presentations WHERE message_id = ?",
                row -> {
                    devices.add(row.getInt(1));
                    return true;
                },
                messageId);
        return Recipients.of(devices);
    }

    /** Writes down who was presented what, as what groups they are in now. */
    void presented(Tx tx, List<Presentation> presentations) {
        List<@Nullable Object[]> inOneGroup = new ArrayList<>();
        List<@Nullable Object[]> others = new ArrayList<>();
        for (Presentation each : presentations) {
            Opened message = known.getIfPresent(each.messageId());
            if (message != null && message.groups.size() == 1) {
                inOneGroup.add(
                        new @Nullable Object[] {
                            each.messageId(), each.number(), message.groups.get(0), tx.now()
                        });
            } else {
                others.add(
                        new @Nullable Object[] {
                            each.number(),
                            tx.now(),
                            each.messageId(),
                            each.appId(),
                            each.number(),
                            tx.now(),
                            each.appId(),
                            each.number()
                        });
            }
        }
        tx.sql.updateEach(
                "INSERT INTO presentations (message_id, number, group_id, at)"
                        + " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                inOneGroup);
        tx.sql.updateEach(
                "INSERT INTO presentations (message_id, number, group_id, at)"
                        + " SELECT message_id, ?, group_id, ? FROM settlements"
                        + " WHERE message_id = ? AND group_id IN ("
                        + Memberships.GROUPS_OF
                        + ") ON CONFLICT DO NOTHING",
                others);
    }

    /** Deletes everything of a message. */
    void delete(Tx tx, long messageId) {
        known.invalidate(messageId);
        tx.sql.update(
                "DELETE FROM group_mailboxes WHERE message_id = ? AND group_id IN"
                        + " (SELECT group_id FROM settlements WHERE message_id = ?)",
                messageId,
                messageId);
        tx.sql.update("DELETE FROM settlements WHERE message_id = ?", messageId);
        tx.sql.update("DELETE FROM presentations WHERE message_id = ?", messageId);
    }

    /** What is open for a device, above an id, oldest first. */
    static List<Long> openFor(Sql sql, long appId, int number, long afterId, long now, int limit) {
        Set<Long> open = new TreeSet<>();
        for (long group : Memberships.groupsOf(sql, appId, number, now)) {
            int[] left = {limit};
            Memberships.forEachOpen(
                    sql,
                    group,
                    afterId,
                    now,
                    (id, filter) -> {
                        if (filter == null || isMeant(sql, filter, appId, number)) {
                            open.add(id);
                            left[0]--;
                        }
                        return left[0] > 0;
                    });
        }
        return open.stream().limit(limit).toList();
    }

    /** Whether a message is open in any of the device's groups. */
    static boolean isOpenFor(Sql sql, long messageId, long appId, int number, long now) {
        return sql.number(
                                "SELECT count(*) FROM settlements WHERE message_id = ? AND state = 0"
                                        + " AND group_id IN ("
                                        + Memberships.GROUPS_OF
                                        + ")",
                                messageId,
                                appId,
                                number,
                                now,
                                appId,
                                number)
                        > 0
                && isMeant(sql, messageId, appId, number);
    }

    static boolean wasPresented(Sql sql, long messageId, int number) {
        return sql.number(
                        "SELECT count(*) FROM presentations WHERE message_id = ? AND number = ?",
                        messageId,
                        number)
                > 0;
    }

    /**
     * What other devices have settled since a time, of what this one may have been presented and
     * what has not expired.
     *
     * @param groups the device's
     */
    static List<Long> settledSince(
            Sql sql,
            long appId,
            int number,
            List<Long> groups,
            long since,
            long presentedTo,
            long now) {
        Set<Long> settled = new TreeSet<>();
        for (long group : groups) {
            sql.read(
                    SETTLED_SINCE,
                    row -> {
                        String filter = row.getString(2);
                        if (filter == null || isMeant(sql, filter, appId, number)) {
                            settled.add(row.getLong(1));
                        }
                        return true;
                    },
                    group,
                    presentedTo,
                    now,
                    since,
                    number);
        }
        if (!settled.isEmpty()) {
            settled.removeAll(Memberships.open(sql, groups, now));
        }
        return List.copyOf(settled);
    }
}
