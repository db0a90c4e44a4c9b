package io.postrider.server.store;

import io.postrider.server.clock.Clock;
import io.postrider.server.delivery.DeliveryState;
import io.postrider.server.delivery.Message;
import io.postrider.server.publish.Reports;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.roaringbitmap.buffer.ImmutableRoaringBitmap;
import org.roaringbitmap.buffer.MutableRoaringBitmap;

/** How messages stand; expiry is computed from the store's clock (G8). */
public final class SqlReports implements Reports {
    private static final String COLUMNS =
            MessageCache.COLUMNS
                    + ", number, state, at, reason, targeted, written, folded_to,"
                    + " recalled_at, audience, options, request_id";

    private final Database database;
    private final Clock clock;

    public SqlReports(Database database, Clock clock) {
        this.database = database;
        this.clock = clock;
    }

    /** A message's row. */
    private record Row(
            Message message,
            int kind,
            int number,
            int state,
            long at,
            @Nullable String reason,
            int targeted,
            int written,
            long foldedTo,
            @Nullable Long recalledAt,
            String audience,
            String options,
            String requestId) {

        static Row read(ResultSet row) throws SQLException {
            long recalledAt = row.getLong(16);
            boolean recalled = !row.wasNull();
            return new Row(
                    MessageCache.read(row),
                    row.getInt(8),
                    row.getInt(9),
                    row.getInt(10),
                    row.getLong(11),
                    row.getString(12),
                    row.getInt(13),
                    row.getInt(14),
                    row.getLong(15),
                    recalled ? recalledAt : null,
                    row.getString(17),
                    row.getString(18),
                    row.getString(19));
        }
    }

    @Override
    public Optional<Standing> message(long appId, long messageId) {
        return database.read(
                sql -> row(sql, appId, messageId).map(row -> standing(sql, row, clock.millis())));
    }

    @Override
    public List<Standing> newest(long appId, long belowId, int limit) {
        return database.read(sql ->
                sql
                        .list(
                                "SELECT "
                                        + COLUMNS
                                        + " FROM messages"
                                        + " WHERE app_id = ? AND id < ?"
                                        + " ORDER BY id DESC LIMIT ?",
                                Row::read,
                                appId,
                                belowId,
                                limit)
                        .stream()
                        .map(row -> standing(sql, row, clock.millis()))
                        .toList());
    }

    @Override
    public Optional<Long> appOf(long messageId) {
        return database.read(sql ->
                sql.first(
                        "SELECT app_id FROM messages WHERE id = ?",
                        row -> row.getLong(1),
                        messageId));
    }

    private static Optional<Row> row(Sql sql, long appId, long messageId) {
        return sql.first(
                "SELECT " + COLUMNS + " FROM messages WHERE id = ? AND app_id = ?",
                Row::read,
                messageId,
                appId);
    }

    private static Standing standing(Sql sql, Row row, long now) {
        int[] ended = ended(sql, row);
        int delivered = ended[Deliveries.DELIVERED];
        int left = row.targeted - delivered - ended[Deliveries.FAILED];
        boolean recalled = row.recalledAt != null;
        boolean expired = !recalled && row.message.expiresAt() <= now;
        Counts counts =
                new Counts(
                        row.targeted,
                        recalled || expired ? 0 : left,
                        delivered,
                        ended[Deliveries.OPENED],
                        expired ? left : 0,
                        recalled ? left : 0,
                        ended[Deliveries.FAILED],
                        row.written);
        return new Standing(
                row.message,
                row.audience,
                row.options,
                row.requestId,
                row.recalledAt,
                counts,
                row.kind == Deliveries.KIND_GROUPS
                        ? SettlementReports.settlements(sql, row.message, now)
                        : List.of());
    }

    /** How many devices delivered (opened ones among them), opened, and failed. */
    private static int[] ended(Sql sql, Row row) {
        int[] count = new int[5];
        switch (row.kind) {
            case Deliveries.KIND_ONE -> count[row.state]++;
            case Deliveries.KIND_GROUPS -> {
                return SettlementReports.ended(sql, row.message.id());
            }
            case Deliveries.KIND_FEW ->
                    sql.read(
                            "SELECT state, count(*) FROM deliveries WHERE message_id = ?"
                                    + " GROUP BY state",
                            found -> {
                                count[found.getInt(1)] = found.getInt(2);
                                return true;
                            },
                            row.message.id());
            default ->
                    sql.read(
                            "SELECT outcome, sum(devices) FROM set_ends WHERE message_id = ?"
                                    + " GROUP BY outcome",
                            found -> {
                                count[found.getInt(1)] = found.getInt(2);
                                return true;
                            },
                            row.message.id());
        }
        if (row.kind != Deliveries.KIND_MANY) {
            count[Deliveries.DELIVERED] += count[Deliveries.OPENED];
        }
        return count;
    }

    @Override
    public List<DeviceStanding> devices(long appId, long messageId, int afterNumber, int limit) {
        return database.read(sql ->
                row(sql, appId, messageId)
                        .map(row -> devices(sql, row, afterNumber, limit))
                        .orElse(List.of()));
    }

    @Override
    public Optional<DeviceStanding> device(long appId, long messageId, int number) {
        return devices(appId, messageId, number - 1, 1).stream()
                .filter(device -> device.number() == number)
                .findFirst();
    }

    private List<DeviceStanding> devices(Sql sql, Row row, int afterNumber, int limit) {
        return switch (row.kind) {
            case Deliveries.KIND_ONE ->
                    row.number > afterNumber
                            ? List.of(standing(sql, row, row.number, row.state, row.at, row.reason))
                            : List.of();
            case Deliveries.KIND_FEW ->
                    sql.list(
                            "SELECT number, state, at, reason FROM deliveries"
                                    + " WHERE message_id = ? AND number > ?"
                                    + " ORDER BY number LIMIT ?",
                            found ->
                                    standing(
                                            sql,
                                            row,
                                            found.getInt(1),
                                            found.getInt(2),
                                            found.getLong(3),
                                            found.getString(4)),
                            row.message.id(),
                            afterNumber,
                            limit);
            case Deliveries.KIND_GROUPS -> devicesOfGroups(sql, row, afterNumber, limit);
            default -> devicesOfMany(sql, row, afterNumber, limit);
        };
    }

    private List<DeviceStanding> devicesOfGroups(Sql sql, Row row, int afterNumber, int limit) {
        long now = clock.millis();
        Message message = row.message;
        return SettlementReports.devices(sql, message, afterNumber, limit, now).stream()
                .map(sight -> {
                    Owner owner = owner(sql, message.appId(), sight.number());
                    return new DeviceStanding(
                            sight.number(), owner.deviceId, sight.state(), sight.at(), null, 0);
                })
                .toList();
    }

    private record Owner(@Nullable String deviceId, long presentedTo) {}

    private static Owner owner(Sql sql, long appId, int number) {
        return sql.first(
                        "SELECT device_id, presented_to FROM devices"
                                + " WHERE app_id = ? AND number = ?",
                        found -> new Owner(found.getString(1), found.getLong(2)),
                        appId,
                        number)
                .orElse(new Owner(null, 0));
    }

    private record End(int outcome, long at, @Nullable String reason) {}

    private List<DeviceStanding> devicesOfMany(Sql sql, Row row, int afterNumber, int limit) {
        List<Integer> numbers =
                OpenSets.recipientsAfter(
                        sql, row.message.appId(), row.message.id(), afterNumber, limit);
        Map<Integer, End> ends = ends(sql, row.message.id(), numbers);
        return numbers.stream()
                .map(number -> {
                    End end = ends.getOrDefault(number, new End(Deliveries.PENDING, 0, null));
                    return standing(sql, row, number, end.outcome, end.at, end.reason);
                })
                .toList();
    }

    /** How a message to many ended for some of its recipients. */
    private static Map<Integer, End> ends(Sql sql, long messageId, List<Integer> numbers) {
        Map<Integer, End> ends = new HashMap<>();
        MutableRoaringBitmap left = new MutableRoaringBitmap();
        numbers.forEach(left::add);
        sql.read(
                "SELECT outcome, at, reason, bits FROM set_ends WHERE message_id = ?"
                        + " AND outcome <> 2",
                row -> {
                    ImmutableRoaringBitmap of =
                            ImmutableRoaringBitmap.and(OpenSets.stored(row.getBytes(4)), left);
                    End end = new End(row.getInt(1), row.getLong(2), row.getString(3));
                    of.forEach((int number) -> ends.put(number, end));
                    left.andNot(of);
                    return !left.isEmpty();
                },
                messageId);
        return ends;
    }

    private DeviceStanding standing(
            Sql sql, Row row, int number, int state, long at, @Nullable String reason) {
        Owner owner = owner(sql, row.message.appId(), number);
        long expiresAt = row.message.expiresAt();
        DeliveryState word;
        long since = at;
        String why = reason;
        if (state == Deliveries.DELIVERED || state == Deliveries.OPENED) {
            word = DeliveryState.DELIVERED;
        } else if (state == Deliveries.FAILED) {
            word = DeliveryState.FAILED;
        } else if (row.recalledAt != null) {
            word = DeliveryState.RECALLED;
            since = row.recalledAt;
        } else if (expiresAt <= clock.millis()) {
            word = DeliveryState.EXPIRED;
            since = expiresAt;
            why = row.message.onlineOnly() ? whyOnlineExpired(sql, row.message, number) : null;
        } else {
            word = DeliveryState.QUEUED;
            since = row.message.createdAt();
        }
        return new DeviceStanding(number, owner.deviceId, word, since, why, owner.presentedTo);
    }

    private String whyOnlineExpired(Sql sql, Message message, int number) {
        boolean connected =
                !sessions(sql, message.appId(), number, message.createdAt(), message.createdAt())
                        .isEmpty();
        return connected ? "no_ack" : "offline";
    }

    @Override
    public List<SessionEntry> sessions(long appId, int number, long from, long to) {
        return database.read(sql -> sessions(sql, appId, number, from, to));
    }

    private List<SessionEntry> sessions(Sql sql, long appId, int number, long from, long to) {
        return sql.list(
                "SELECT generation, COALESCE(node, ''), incarnation, sessions.started_at,"
                        + " sessions.ended_at, end_reason FROM sessions"
                        + " LEFT JOIN incarnations ON incarnations.id = incarnation"
                        + " WHERE app_id = ? AND number = ? AND sessions.started_at <= ?"
                        + " AND (sessions.ended_at IS NULL OR sessions.ended_at >= ?)"
                        + " ORDER BY generation",
                row -> {
                    long endedAt = row.getLong(5);
                    return new SessionEntry(
                            row.getInt(1),
                            row.getString(2),
                            row.getLong(3) == database.incarnation(),
                            row.getLong(4),
                            endedAt == 0 ? null : endedAt,
                            row.getString(6));
                },
                appId,
                number,
                to,
                from);
    }
}
