package io.postrider.server.store;

import io.postrider.server.clock.Clock;
import io.postrider.server.identity.DeviceStore.Profile;
import io.postrider.server.identity.Platform;
import io.postrider.server.identity.TillStore;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Tills. */
public final class SqlTills implements TillStore {
    private final Database database;
    private final Memberships memberships;
    private final SqlDevices devices;
    private final Clock clock;

    public SqlTills(Database database, SqlDevices devices, Clock clock) {
        this.database = database;
        this.memberships = database.memberships();
        this.devices = devices;
        this.clock = clock;
    }

    @Override
    public void issue(
            long appId, String group, @Nullable String staff, byte[] tokenHash, long expiresAt) {
        database.writer()
                .await(tx ->
                        tx.sql.update(
                                "INSERT INTO till_tokens (token_hash, app_id, group_id, staff,"
                                        + " created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
                                tokenHash,
                                appId,
                                memberships.idOf(tx, appId, group),
                                staff,
                                tx.now(),
                                expiresAt));
    }

    private record Token(long appId, long group, long expiresAt) {}

    private static Optional<Token> token(Sql sql, byte[] tokenHash, long now) {
        return sql.first(
                "SELECT app_id, group_id, expires_at FROM till_tokens"
                        + " WHERE token_hash = ? AND expires_at > ?"
                        // What a deleted app leaves is deleted after it.
                        + " AND EXISTS (SELECT 1 FROM apps WHERE id = till_tokens.app_id)",
                row -> new Token(row.getLong(1), row.getLong(2), row.getLong(3)),
                tokenHash,
                now);
    }

    private record Known(int number, int generation, boolean isTill, boolean sameToken) {}

    private static Optional<Known> known(Sql sql, long appId, String deviceId, byte[] tokenHash) {
        return sql.first(
                "SELECT devices.number, token_generation, token_hash IS NOT NULL,"
                        + " CASE WHEN token_hash = ? THEN 1 ELSE 0 END FROM devices LEFT JOIN tills"
                        + " ON tills.app_id = devices.app_id AND tills.number = devices.number"
                        + " WHERE devices.app_id = ? AND device_id = ?",
                row ->
                        new Known(
                                row.getInt(1), row.getInt(2), row.getBoolean(3), row.getBoolean(4)),
                tokenHash,
                appId,
                deviceId);
    }

    @Override
    public Optional<Till> admit(byte[] tokenHash, String deviceId) {
        // Mostly it was here before, and nothing has to be written.
        Look look = database.read(sql -> look(sql, tokenHash, deviceId));
        return look.decided
                ? Optional.ofNullable(look.till)
                : database.writer().await(tx -> admit(tx, tokenHash, deviceId));
    }

    /**
     * @param till null if it is not let in
     */
    private record Look(boolean decided, @Nullable Till till) {}

    private Look look(Sql sql, byte[] tokenHash, String deviceId) {
        long now = clock.millis();
        Optional<Token> token = token(sql, tokenHash, now);
        if (token.isEmpty()) {
            return new Look(true, null);
        }
        Optional<Known> known = known(sql, token.get().appId, deviceId, tokenHash);
        if (known.isEmpty() || !known.get().sameToken) {
            return new Look(false, null);
        }
        boolean member =
                Memberships.groupsOf(sql, token.get().appId, known.get().number, now)
                        .contains(token.get().group);
        return new Look(true, member ? till(token.get(), known.get()) : null);
    }

    private static Till till(Token token, Known known) {
        return new Till(token.appId, known.number, known.generation, token.expiresAt);
    }

    private Optional<Till> admit(Tx tx, byte[] tokenHash, String deviceId) {
        Optional<Token> token = token(tx.sql, tokenHash, tx.now());
        if (token.isEmpty()) {
            return Optional.empty();
        }
        long appId = token.get().appId;
        Optional<Known> known = known(tx.sql, appId, deviceId, tokenHash);
        if (known.isPresent() && !known.get().isTill) {
            return Optional.empty();
        }
        Profile profile = new Profile(Platform.ANDROID, null, new TreeSet<>(), null, null);
        int number = devices.register(tx, appId, deviceId, profile).device().number();
        tx.sql.update(
                "INSERT INTO tills (app_id, number, token_hash) VALUES (?, ?, ?)"
                        + " ON CONFLICT (app_id, number)"
                        + " DO UPDATE SET token_hash = excluded.token_hash",
                appId,
                number,
                tokenHash);
        memberships.changeOf(tx, appId, number, () -> move(tx, number, token.get()));
        return known(tx.sql, appId, deviceId, tokenHash).map(now -> till(token.get(), now));
    }

    /** Out of the shop that an earlier token named, into this one's. */
    private static void move(Tx tx, int number, Token token) {
        leave(tx, token.appId, number);
        tx.sql.update(
                "INSERT INTO group_devices (group_id, number, app_id, stays_until)"
                        + " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                token.group,
                number,
                token.appId,
                token.expiresAt);
    }

    private static void leave(Tx tx, long appId, int number) {
        tx.sql.update(
                "DELETE FROM group_devices WHERE app_id = ? AND number = ? AND stays_until < ?",
                appId,
                number,
                Memberships.FOR_GOOD);
    }

    @Override
    public boolean revoke(long appId, byte[] tokenHash) {
        return database.writer().await(tx -> revoke(tx, appId, tokenHash));
    }

    private boolean revoke(Tx tx, long appId, byte[] tokenHash) {
        int deleted =
                tx.sql.update(
                        "DELETE FROM till_tokens WHERE token_hash = ? AND app_id = ?",
                        tokenHash,
                        appId);
        if (deleted == 0) {
            return false;
        }
        List<Integer> numbers =
                tx.sql.list(
                        "SELECT number FROM tills WHERE token_hash = ? AND app_id = ?",
                        row -> row.getInt(1),
                        tokenHash,
                        appId);
        for (int number : numbers) {
            memberships.changeOf(tx, appId, number, () -> leave(tx, appId, number));
        }
        return true;
    }

    @Override
    public int revokeAll(long appId, String group) {
        return database.writer()
                .await(tx -> {
                    List<byte[]> tokens =
                            tx.sql.list(
                                    "SELECT token_hash FROM till_tokens JOIN groups"
                                            + " ON groups.id = till_tokens.group_id"
                                            + " WHERE groups.app_id = ? AND groups.name = ?",
                                    row -> row.getBytes(1),
                                    appId,
                                    group);
                    tokens.forEach(token -> revoke(tx, appId, token));
                    return tokens.size();
                });
    }
}
