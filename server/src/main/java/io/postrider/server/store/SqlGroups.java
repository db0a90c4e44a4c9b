package io.postrider.server.store;

import io.postrider.server.clock.Clock;
import io.postrider.server.identity.GroupStore;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.roaringbitmap.RoaringBitmap;

/** Groups. */
public final class SqlGroups implements GroupStore {
    private final Database database;
    private final Memberships memberships;
    private final Clock clock;

    public SqlGroups(Database database, Clock clock) {
        this.database = database;
        this.memberships = database.memberships();
        this.clock = clock;
    }

    @Override
    public boolean add(long appId, String group, String deviceId) {
        return database.writer()
                .await(tx -> {
                    Optional<Integer> number = mayBeIn(tx, appId, group, deviceId);
                    number.ifPresent(found -> {
                        long id = memberships.idOf(tx, appId, group);
                        memberships.changeOf(
                                tx,
                                appId,
                                found,
                                () -> insert(tx, appId, id, found, Memberships.FOR_GOOD));
                    });
                    return number.isPresent();
                });
    }

    private static Optional<Integer> number(Sql sql, long appId, String deviceId) {
        return sql.first(
                "SELECT number FROM devices WHERE app_id = ? AND device_id = ?",
                row -> row.getInt(1),
                appId,
                deviceId);
    }

    /** A till is a member of its token's shop, and of no other group. */
    private static Optional<Integer> mayBeIn(Tx tx, long appId, String group, String deviceId) {
        return tx.sql.first(
                "SELECT number FROM devices WHERE app_id = ? AND device_id = ?"
                        + " AND (NOT EXISTS (SELECT 1 FROM tills"
                        + " WHERE tills.app_id = devices.app_id AND tills.number = devices.number)"
                        + " OR EXISTS (SELECT 1 FROM group_devices JOIN groups"
                        + " ON groups.id = group_devices.group_id"
                        + " WHERE groups.app_id = devices.app_id AND groups.name = ?"
                        + " AND group_devices.number = devices.number AND stays_until > ?))",
                row -> row.getInt(1),
                appId,
                deviceId,
                group,
                tx.now());
    }

    private static void insert(Tx tx, long appId, long group, int number, long staysUntil) {
        tx.sql.update(
                "INSERT INTO group_devices (group_id, number, app_id, stays_until)"
                        + " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                group,
                number,
                appId,
                staysUntil);
    }

    @Override
    public boolean remove(long appId, String group, String deviceId) {
        return database.writer()
                .await(tx -> {
                    Optional<Integer> number = number(tx.sql, appId, deviceId);
                    Optional<Long> id = Memberships.find(tx.sql, appId, group);
                    if (number.isEmpty() || id.isEmpty()) {
                        return false;
                    }
                    int[] removed = new int[1];
                    memberships.changeOf(
                            tx,
                            appId,
                            number.get(),
                            () -> removed[0] = delete(tx, id.get(), number.get()));
                    return removed[0] == 1;
                });
    }

    private static int delete(Tx tx, long group, int number) {
        return tx.sql.update(
                "DELETE FROM group_devices WHERE group_id = ? AND number = ?", group, number);
    }

    @Override
    public Replaced replace(
            long appId, String group, Collection<String> deviceIds, Collection<String> users) {
        return database.writer()
                .await(tx -> {
                    List<Integer> numbers = new ArrayList<>();
                    for (String deviceId : deviceIds) {
                        Optional<Integer> number = mayBeIn(tx, appId, group, deviceId);
                        if (number.isEmpty()) {
                            return new Replaced.NoDevice(deviceId);
                        }
                        numbers.add(number.get());
                    }
                    long id = memberships.idOf(tx, appId, group);
                    memberships.change(tx, appId, id, () -> replace(tx, appId, id, numbers, users));
                    return new Replaced.Done();
                });
    }

    private static void replace(
            Tx tx, long appId, long group, List<Integer> numbers, Collection<String> users) {
        Map<Integer, Long> tills = new HashMap<>();
        tx.sql.read(
                "SELECT number, stays_until FROM group_devices"
                        + " WHERE group_id = ? AND stays_until < ?",
                row -> {
                    tills.put(row.getInt(1), row.getLong(2));
                    return true;
                },
                group,
                Memberships.FOR_GOOD);
        tx.sql.update("DELETE FROM group_devices WHERE group_id = ?", group);
        numbers.forEach(number ->
                insert(tx, appId, group, number, tills.getOrDefault(number, Memberships.FOR_GOOD)));
        tx.sql.update("DELETE FROM group_users WHERE group_id = ?", group);
        users.forEach(user ->
                tx.sql.update(
                        "INSERT INTO group_users (group_id, user_name, app_id) VALUES (?, ?, ?)"
                                + " ON CONFLICT DO NOTHING",
                        group,
                        user,
                        appId));
    }

    @Override
    public Optional<Members> members(long appId, String group, @Nullable Member after, int limit) {
        return database.read(sql ->
                Memberships.find(sql, appId, group)
                        .map(id -> members(sql, appId, id, after, limit)));
    }

    private Members members(Sql sql, long appId, long group, @Nullable Member after, int limit) {
        List<String> devices = List.of();
        if (after == null || !after.isUser()) {
            devices = devices(sql, appId, group, after == null ? "" : after.name(), limit + 1);
            if (devices.size() > limit) {
                List<String> page = devices.subList(0, limit);
                return new Members(page, List.of(), new Member(false, page.getLast()));
            }
        }
        int left = limit - devices.size();
        List<String> users =
                users(sql, group, after == null || !after.isUser() ? "" : after.name(), left + 1);
        if (users.size() > left) {
            List<String> page = users.subList(0, left);
            Member last = new Member(true, left == 0 ? "" : page.getLast());
            return new Members(devices, page, last);
        }
        return new Members(devices, users, null);
    }

    private List<String> devices(Sql sql, long appId, long group, String after, int limit) {
        return sql.list(
                "SELECT device_id FROM group_devices JOIN devices"
                        + " ON devices.app_id = group_devices.app_id"
                        + " AND devices.number = group_devices.number"
                        + " WHERE group_id = ? AND group_devices.app_id = ? AND stays_until > ?"
                        + " AND device_id > ? ORDER BY device_id LIMIT ?",
                row -> row.getString(1),
                group,
                appId,
                clock.millis(),
                after,
                limit);
    }

    private static List<String> users(Sql sql, long group, String after, int limit) {
        return sql.list(
                "SELECT user_name FROM group_users WHERE group_id = ? AND user_name > ?"
                        + " ORDER BY user_name LIMIT ?",
                row -> row.getString(1),
                group,
                after,
                limit);
    }

    @Override
    public Devices devicesOf(long appId, Collection<String> groups) {
        return database.read(sql -> {
            RoaringBitmap numbers = new RoaringBitmap();
            boolean byUser = false;
            for (String group : groups) {
                Optional<Long> id = Memberships.find(sql, appId, group);
                if (id.isPresent()) {
                    numbers.or(Memberships.members(sql, id.get(), clock.millis()));
                    byUser |= !users(sql, id.get(), "", 1).isEmpty();
                }
            }
            List<Integer> found = new ArrayList<>();
            numbers.forEach((int number) -> found.add(number));
            return new Devices(found, byUser);
        });
    }
}
