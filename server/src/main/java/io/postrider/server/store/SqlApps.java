package io.postrider.server.store;

import io.postrider.server.identity.App;
import io.postrider.server.identity.AppSettings;
import io.postrider.server.identity.AppStore;
import io.postrider.server.identity.AuditLog.Action;
import io.postrider.server.identity.AuditLog.Actor;
import io.postrider.server.identity.AuditLog.Deed;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;

/** Apps. */
public final class SqlApps implements AppStore {
    private static final List<String> TABLES_OF_AN_APP =
            List.of(
                    "DELETE FROM set_ends WHERE message_id IN"
                            + " (SELECT id FROM messages WHERE app_id = ?)",
                    "DELETE FROM message_sets WHERE app_id = ?",
                    "DELETE FROM pending WHERE app_id = ?",
                    "DELETE FROM deliveries WHERE app_id = ?",
                    "DELETE FROM group_mailboxes WHERE group_id IN"
                            + " (SELECT id FROM groups WHERE app_id = ?)",
                    "DELETE FROM presentations WHERE message_id IN"
                            + " (SELECT id FROM messages WHERE app_id = ? AND kind = 4)",
                    "DELETE FROM settlements WHERE message_id IN"
                            + " (SELECT id FROM messages WHERE app_id = ? AND kind = 4)",
                    "DELETE FROM group_devices WHERE app_id = ?",
                    "DELETE FROM till_tokens WHERE app_id = ?",
                    "DELETE FROM tills WHERE app_id = ?",
                    "DELETE FROM group_users WHERE app_id = ?",
                    "DELETE FROM groups WHERE app_id = ?",
                    "DELETE FROM messages WHERE app_id = ?",
                    "DELETE FROM idempotency_keys WHERE app_id = ?",
                    "DELETE FROM sessions WHERE app_id = ?",
                    "DELETE FROM audience_changes WHERE app_id = ?",
                    "DELETE FROM audience_snapshots WHERE app_id = ?",
                    "DELETE FROM devices WHERE app_id = ?",
                    "DELETE FROM apps WHERE id = ?");

    private final Database database;

    public SqlApps(Database database) {
        this.database = database;
    }

    @Override
    public App add(Actor owner, String name, String appKey, byte[] secretHash, byte[] tokenKey) {
        return database.writer()
                .await(tx ->
                        insert(
                                tx,
                                owner,
                                new App(
                                        Sequences.next(tx, "apps"),
                                        owner.developerId(),
                                        name,
                                        appKey,
                                        secretHash,
                                        1,
                                        tokenKey,
                                        AppSettings.DEFAULT,
                                        tx.now())));
    }

    private static App insert(Tx tx, Actor owner, App app) {
        tx.sql.update(
                "INSERT INTO apps (id, developer_id, name, app_key, secret_hash, token_key_id,"
                        + " token_key, open_users, self_tags, allowed_origins, retention_days, timezone,"
                        + " created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                app.id(),
                app.developerId(),
                app.name(),
                app.appKey(),
                app.secretHash(),
                app.tokenKeyId(),
                app.tokenKey(),
                app.settings().openUsers(),
                app.settings().selfTags(),
                String.join("\n", app.settings().allowedOrigins()),
                app.settings().retentionDays(),
                app.settings().timezone(),
                app.createdAt());
        SqlAudit.write(tx, new Deed(owner, Action.APP_CREATED, app.id(), app.name()));
        return app;
    }

    @Override
    public List<App> all() {
        return database.read(sql ->
                sql.list(
                        "SELECT id, developer_id, name, app_key, secret_hash, token_key_id,"
                                + " token_key, open_users, self_tags, allowed_origins,"
                                + " retention_days, timezone, created_at FROM apps"
                                + " ORDER BY id",
                        SqlApps::read));
    }

    private static App read(ResultSet row) throws SQLException {
        return new App(
                row.getLong(1),
                row.getLong(2),
                row.getString(3),
                row.getString(4),
                row.getBytes(5),
                row.getInt(6),
                row.getBytes(7),
                new AppSettings(
                        row.getBoolean(8),
                        row.getBoolean(9),
                        row.getString(10).lines().toList(),
                        row.getInt(11),
                        row.getString(12)),
                row.getLong(13));
    }

    @Override
    public void update(App app, Deed deed) {
        database.writer()
                .await(tx -> {
                    SqlAudit.write(tx, deed);
                    return tx.sql.update(
                            "UPDATE apps SET name = ?, secret_hash = ?,"
                                    + " token_key_id = ?, token_key = ?,"
                                    + " open_users = ?, self_tags = ?, allowed_origins = ?,"
                                    + " retention_days = ?, timezone = ?"
                                    + " WHERE id = ?",
                            app.name(),
                            app.secretHash(),
                            app.tokenKeyId(),
                            app.tokenKey(),
                            app.settings().openUsers(),
                            app.settings().selfTags(),
                            String.join("\n", app.settings().allowedOrigins()),
                            app.settings().retentionDays(),
                            app.settings().timezone(),
                            app.id());
                });
    }

    @Override
    public void delete(long id, Deed deed) {
        database.writer()
                .await(tx -> {
                    database.deliveries().forgetApp(tx, id);
                    tx.afterCommit(database.settlements()::forget);
                    database.storedCounts().forget(id);
                    database.audienceEnds().forget(tx, id);
                    SqlAudit.write(tx, deed);
                    TABLES_OF_AN_APP.forEach(sql -> tx.sql.update(sql, id));
                    return id;
                });
    }
}
