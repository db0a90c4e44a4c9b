package io.postrider.server.store;

import io.postrider.server.delivery.DeliveryState;
import io.postrider.server.delivery.Message;
import io.postrider.server.publish.Reports.Settlement;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** How messages to groups stand: in each group, and for each device that had them before it. */
final class SettlementReports {
    private SettlementReports() {}

    /** How many groups of a message are in each state, and of how many the winner opened it. */
    static int[] ended(Sql sql, long messageId) {
        int[] count = new int[Deliveries.FAILED + 1];
        sql.read(
                "SELECT state, count(*), count(opened_at) FROM settlements WHERE message_id = ?"
                        + " GROUP BY state",
                row -> {
                    count[row.getInt(1)] += row.getInt(2);
                    count[Deliveries.OPENED] += row.getInt(3);
                    return true;
                },
                messageId);
        return count;
    }

    static List<Settlement> settlements(Sql sql, Message message, long now) {
        long expiredAt = expiredAt(message, now);
        return sql.list(
                "SELECT groups.name, settlements.state, devices.device_id, settlements.at,"
                        + " settlements.winner, (SELECT count(*) FROM presentations"
                        + " WHERE presentations.message_id = settlements.message_id"
                        + " AND presentations.group_id = settlements.group_id)"
                        + " FROM settlements JOIN groups ON groups.id = settlements.group_id"
                        + " LEFT JOIN devices ON devices.app_id = ?"
                        + " AND devices.number = settlements.winner"
                        + " WHERE settlements.message_id = ? ORDER BY groups.name",
                row -> {
                    int state = row.getInt(2);
                    String name = row.getString(3);
                    long at = row.getLong(4);
                    int number = row.getInt(5);
                    boolean settled = state == Settlements.SETTLED;
                    int presented = row.getInt(6);
                    return new Settlement(
                            row.getString(1),
                            word(state, expiredAt, presented > 0),
                            settled ? name == null ? "deleted-" + number : name : null,
                            state == Settlements.OPEN ? expiredAt : at,
                            presented);
                },
                message.appId(),
                message.id());
    }

    /** 0 while it is valid. */
    private static long expiredAt(Message message, long now) {
        return message.expiresAt() <= now ? message.expiresAt() : 0;
    }

    private static DeliveryState word(int state, long expiredAt, boolean presented) {
        return switch (state) {
            case Settlements.SETTLED -> DeliveryState.DELIVERED;
            case Settlements.RECALLED -> DeliveryState.RECALLED;
            default ->
                    expiredAt > 0
                            ? DeliveryState.EXPIRED
                            : presented ? DeliveryState.SENT : DeliveryState.QUEUED;
        };
    }

    /** How a message stands for one device, before its name is looked up. */
    record Sight(int number, DeliveryState state, long at) {}

    /**
     * The devices that had a message before them, and those that are to see it while it is open, in
     * the order of their numbers.
     */
    static List<Sight> devices(Sql sql, Message message, int afterNumber, int limit, long now) {
        TreeSet<Integer> numbers =
                new TreeSet<>(
                        sql.list(
                                "SELECT number FROM presentations WHERE message_id = ?"
                                        + " AND number > ? UNION SELECT winner FROM settlements"
                                        + " WHERE message_id = ? AND winner > ?"
                                        + " ORDER BY 1 LIMIT ?",
                                row -> row.getInt(1),
                                message.id(),
                                afterNumber,
                                message.id(),
                                afterNumber,
                                limit));
        if (message.expiresAt() > now) {
            Settlements.openTo(sql, message.appId(), message.id(), now)
                    .forEach(number -> {
                        if (number > afterNumber) {
                            numbers.add(number);
                        }
                    });
        }
        return numbers.stream()
                .limit(limit)
                .map(number -> sight(sql, message, number, now))
                .toList();
    }

    private record Part(int state, int winner, long at, boolean mine) {}

    private static Sight sight(Sql sql, Message message, int number, long now) {
        List<Long> groups = Memberships.groupsOf(sql, message.appId(), number, now);
        List<Long> seenIn =
                sql.list(
                        "SELECT group_id FROM presentations WHERE message_id = ? AND number = ?",
                        row -> row.getLong(1),
                        message.id(),
                        number);
        List<Part> parts =
                sql.list(
                        "SELECT group_id, state, coalesce(winner, -1), at FROM settlements"
                                + " WHERE message_id = ?",
                        row -> {
                            long group = row.getLong(1);
                            return new Part(
                                    row.getInt(2),
                                    row.getInt(3),
                                    row.getLong(4),
                                    groups.contains(group) || seenIn.contains(group));
                        },
                        message.id());
        Optional<Part> won = parts.stream().filter(part -> part.winner == number).findFirst();
        if (won.isPresent()) {
            return new Sight(number, DeliveryState.DELIVERED, won.get().at);
        }
        Part open = first(parts, Settlements.OPEN);
        if (open != null) {
            long expiredAt = expiredAt(message, now);
            DeliveryState word = word(Settlements.OPEN, expiredAt, !seenIn.isEmpty());
            return new Sight(number, word, expiredAt > 0 ? expiredAt : message.createdAt());
        }
        Part recalled = first(parts, Settlements.RECALLED);
        if (recalled != null) {
            return new Sight(number, DeliveryState.RECALLED, recalled.at);
        }
        long at =
                parts.stream()
                        .filter(Part::mine)
                        .mapToLong(Part::at)
                        .max()
                        .orElse(message.createdAt());
        return new Sight(number, DeliveryState.SETTLED_ELSEWHERE, at);
    }

    private static @Nullable Part first(List<Part> parts, int state) {
        return parts.stream()
                .filter(part -> part.mine && part.state == state)
                .findFirst()
                .orElse(null);
    }
}
