package io.postrider.server.store;

import io.postrider.server.delivery.Change.Revoked;
import io.postrider.server.identity.Device;
import io.postrider.server.identity.DeviceStore;
import io.postrider.server.identity.Platform;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Devices, and the audience's log of their changes. */
public final class SqlDevices implements DeviceStore {
    /** In audience_changes.gone: the device was deleted. */
    static final int DELETED = 1;

    /** In audience_changes.gone: the device is another user's from here on. */
    static final int OTHER_USER = 2;

    private static final int STAYS = 0;
    private static final String COLUMNS =
            "app_id, number, device_id, platform, user_name, tags, locale, timezone,"
                    + " token_generation, created_at, last_seen_at";

    private final Database database;
    private final Deliveries deliveries;

    public SqlDevices(Database database) {
        this.database = database;
        this.deliveries = database.deliveries();
    }

    @Override
    public Registered register(long appId, String deviceId, Profile profile) {
        return database.writer().await(tx -> register(tx, appId, deviceId, profile));
    }

    Registered register(Tx tx, long appId, String deviceId, Profile profile) {
        Optional<Device> known = find(tx.sql, appId, deviceId);
        if (known.isPresent()) {
            return new Registered.Known(known.get());
        }
        int number =
                tx.sql
                        .first(
                                "UPDATE apps SET last_number = last_number + 1 WHERE id = ?"
                                        + " RETURNING last_number",
                                row -> row.getInt(1),
                                appId)
                        .orElseThrow(() -> new StoreException("no app " + appId));
        SortedSet<String> tags = profile.tags() == null ? new TreeSet<>() : profile.tags();
        Device device =
                new Device(
                        appId,
                        number,
                        deviceId,
                        profile.platform(),
                        profile.user(),
                        tags,
                        profile.locale(),
                        profile.timezone(),
                        0,
                        tx.now(),
                        null);
        tx.sql.update(
                "INSERT INTO devices (app_id, number, device_id, platform, user_name, tags, locale,"
                        + " timezone, drained_to, presented_to, created_at)"
                        + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)",
                appId,
                number,
                deviceId,
                device.platform().word(),
                device.user(),
                String.join("\n", tags),
                device.locale(),
                device.timezone(),
                tx.lastId(),
                tx.now());
        log(tx, null, device, STAYS);
        return new Registered.New(device);
    }

    /** Writes what audiences see of a change; before or after may be absent. */
    private void log(Tx tx, @Nullable Device before, @Nullable Device after, int gone) {
        Device either = after != null ? after : Objects.requireNonNull(before);
        SortedSet<String> old = before == null ? new TreeSet<>() : before.tags();
        SortedSet<String> now = after == null ? new TreeSet<>() : after.tags();
        long seq =
                tx.sql
                        .first(
                                "UPDATE apps SET audience_end = audience_end + 1 WHERE id = ?"
                                        + " RETURNING audience_end",
                                row -> row.getLong(1),
                                either.appId())
                        .orElseThrow();
        database.audienceEnds().advance(tx, either.appId(), seq);
        tx.sql.update(
                "INSERT INTO audience_changes (app_id, seq, number, gone, old_platform,"
                        + " new_platform, removed_tags, added_tags)"
                        + " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                either.appId(),
                seq,
                either.number(),
                gone,
                before == null ? null : before.platform().word(),
                after == null ? null : after.platform().word(),
                joinedDifference(old, now),
                joinedDifference(now, old));
    }

    private static String joinedDifference(SortedSet<String> from, SortedSet<String> without) {
        SortedSet<String> left = new TreeSet<>(from);
        left.removeAll(without);
        return String.join("\n", left);
    }

    @Override
    public Optional<Device> byDeviceId(long appId, String deviceId) {
        return database.read(sql -> find(sql, appId, deviceId));
    }

    static Optional<Device> find(Sql sql, long appId, int number) {
        return sql.first(
                "SELECT " + COLUMNS + " FROM devices WHERE app_id = ? AND number = ?",
                SqlDevices::read,
                appId,
                number);
    }

    private static Optional<Device> find(Sql sql, long appId, String deviceId) {
        return sql.first(
                "SELECT " + COLUMNS + " FROM devices WHERE app_id = ? AND device_id = ?",
                SqlDevices::read,
                appId,
                deviceId);
    }

    @Override
    public Optional<Device> byNumber(long appId, int number) {
        return database.read(sql -> find(sql, appId, number));
    }

    @Override
    public List<Device> ofApp(long appId, int afterNumber, int limit) {
        return database.read(sql ->
                sql.list(
                        "SELECT "
                                + COLUMNS
                                + " FROM devices"
                                + " WHERE app_id = ? AND number > ?"
                                + " ORDER BY number LIMIT ?",
                        SqlDevices::read,
                        appId,
                        afterNumber,
                        limit));
    }

    @Override
    public Map<String, Integer> numbers(long appId, Collection<String> deviceIds) {
        return database.read(sql -> {
            Map<String, Integer> numbers = new HashMap<>();
            for (String deviceId : deviceIds) {
                sql.first(
                                "SELECT number FROM devices WHERE app_id = ? AND device_id = ?",
                                row -> row.getInt(1),
                                appId,
                                deviceId)
                        .ifPresent(number -> numbers.put(deviceId, number));
            }
            return numbers;
        });
    }

    @Override
    public List<Integer> numbersOfUsers(long appId, Collection<String> users) {
        return database.read(sql -> {
            List<Integer> numbers = new ArrayList<>();
            for (String user : users) {
                numbers.addAll(
                        sql.list(
                                "SELECT number FROM devices WHERE app_id = ? AND user_name = ?",
                                row -> row.getInt(1),
                                appId,
                                user));
            }
            return numbers;
        });
    }

    @Override
    public Optional<Device> change(long appId, String deviceId, Change change) {
        return database.writer()
                .await(tx ->
                        find(tx.sql, appId, deviceId).map(device -> change(tx, device, change)));
    }

    private Device change(Tx tx, Device old, Change change) {
        String user = change.user() == null ? old.user() : emptyToNull(change.user());
        Device device =
                new Device(
                        old.appId(),
                        old.number(),
                        old.deviceId(),
                        change.platform() == null ? old.platform() : change.platform(),
                        user,
                        change.tags() == null ? old.tags() : change.tags(),
                        change.locale() == null ? old.locale() : change.locale(),
                        change.timezone() == null ? old.timezone() : change.timezone(),
                        old.tokenGeneration(),
                        old.createdAt(),
                        old.lastSeenAt());
        if (device.equals(old)) {
            return old;
        }
        boolean otherUser = !Objects.equals(old.user(), user);
        if (otherUser) {
            // His groups come and go with him.
            database.memberships()
                    .changeOf(tx, device.appId(), device.number(), () -> update(tx, device));
        } else {
            update(tx, device);
        }
        database.settlements().changed(tx, old, device);
        // For a device that nobody had used nothing is pending that named its user.
        boolean userHasGone = otherUser && old.user() != null;
        log(tx, old, device, userHasGone ? OTHER_USER : STAYS);
        if (userHasGone) {
            fail(tx, device, true, "user_changed");
        }
        return device;
    }

    private static void update(Tx tx, Device device) {
        tx.sql.update(
                "UPDATE devices SET platform = ?, user_name = ?, tags = ?, locale = ?, timezone = ?"
                        + " WHERE app_id = ? AND number = ?",
                device.platform().word(),
                device.user(),
                String.join("\n", device.tags()),
                device.locale(),
                device.timezone(),
                device.appId(),
                device.number());
    }

    private static @Nullable String emptyToNull(String text) {
        return text.isEmpty() ? null : text;
    }

    private void fail(Tx tx, Device device, boolean onlyNamed, String reason) {
        long drainedTo =
                tx.sql.number(
                        "SELECT drained_to FROM devices WHERE app_id = ? AND number = ?",
                        device.appId(),
                        device.number());
        deliveries.fail(tx, device.appId(), device.number(), drainedTo, onlyNamed, reason);
    }

    @Override
    public Optional<Device> delete(long appId, String deviceId) {
        return database.writer()
                .await(tx -> find(tx.sql, appId, deviceId).map(device -> delete(tx, device)));
    }

    private Device delete(Tx tx, Device device) {
        fail(tx, device, false, "device_deleted");
        for (String table : List.of("group_devices", "tills")) {
            tx.sql.update(
                    "DELETE FROM " + table + " WHERE app_id = ? AND number = ?",
                    device.appId(),
                    device.number());
        }
        tx.sql.update(
                "DELETE FROM devices WHERE app_id = ? AND number = ?",
                device.appId(),
                device.number());
        log(tx, device, null, DELETED);
        database.changes()
                .tell(tx, new Revoked(device.appId(), device.number(), Integer.MAX_VALUE));
        return device;
    }

    @Override
    public Optional<Device> revokeTokens(long appId, String deviceId) {
        return database.writer()
                .await(tx -> {
                    int changed =
                            tx.sql.update(
                                    "UPDATE devices SET token_generation = token_generation + 1,"
                                            + " tokens_revoked_at = ?"
                                            + " WHERE app_id = ? AND device_id = ?",
                                    tx.now(),
                                    appId,
                                    deviceId);
                    Optional<Device> device =
                            changed == 0 ? Optional.empty() : find(tx.sql, appId, deviceId);
                    device.ifPresent(revoked ->
                            database.changes()
                                    .tell(
                                            tx,
                                            new Revoked(
                                                    appId,
                                                    revoked.number(),
                                                    revoked.tokenGeneration())));
                    return device;
                });
    }

    @Override
    public List<Revocation> revocationsSince(long millis) {
        return database.read(sql ->
                sql.list(
                        "SELECT app_id, number, token_generation FROM devices"
                                + " WHERE tokens_revoked_at >= ?",
                        row -> new Revocation(row.getLong(1), row.getInt(2), row.getInt(3)),
                        millis));
    }

    private static Device read(ResultSet row) throws SQLException {
        long seenAt = row.getLong(11);
        String tags = row.getString(6);
        return new Device(
                row.getLong(1),
                row.getInt(2),
                row.getString(3),
                Platform.of(row.getString(4)).orElseThrow(),
                row.getString(5),
                new TreeSet<>(tags.isEmpty() ? List.of() : Arrays.asList(tags.split("\n"))),
                row.getString(7),
                row.getString(8),
                row.getInt(9),
                row.getLong(10),
                seenAt == 0 ? null : seenAt);
    }
}
