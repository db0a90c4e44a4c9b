package io.postrider.server.store;

import io.postrider.server.delivery.Change;
import io.postrider.server.identity.App;
import io.postrider.server.identity.AppSettings;
import io.postrider.server.identity.AppStore;
import io.postrider.server.identity.AuditLog.Action;
import io.postrider.server.identity.AuditLog.Actor;
import io.postrider.server.identity.AuditLog.Deed;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** Apps. */
public final class SqlApps implements AppStore {
    private static final String COLUMNS =
            "id, developer_id, name, app_key, secret_hash, token_key_id, token_key, open_users,"
                    + " self_tags, allowed_origins, retention_days, timezone, created_at";

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

    private App insert(Tx tx, Actor owner, App app) {
        tx.sql.update(
                "INSERT INTO apps (" + COLUMNS + ") VALUES (" + Sql.marks(13) + ")",
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
        database.changes().tell(tx, new Change.AppChanged(app.id()));
        return app;
    }

    @Override
    public List<App> all() {
        return database.read(
                sql -> sql.list("SELECT " + COLUMNS + " FROM apps ORDER BY id", SqlApps::read));
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
    public Optional<App> byId(long id) {
        // The feed of the sessions may wait for it.
        return database.readOneForFeed(sql -> find(sql, id));
    }

    private static Optional<App> find(Sql sql, long id) {
        return sql.first("SELECT " + COLUMNS + " FROM apps WHERE id = ?", SqlApps::read, id);
    }

    @Override
    public Optional<App> update(long id, Deed deed, UnaryOperator<App> change) {
        return database.writer()
                .await(tx -> find(tx.sql, id).map(app -> update(tx, change.apply(app), deed)));
    }

    private App update(Tx tx, App app, Deed deed) {
        SqlAudit.write(tx, deed);
        tx.sql.update(
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
        database.changes().tell(tx, new Change.AppChanged(app.id()));
        return app;
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
                    database.changes().tell(tx, new Change.AppChanged(id));
                    tx.sql.update("DELETE FROM apps WHERE id = ?", id);
                    LeftByApps.mark(tx, id);
                    return id;
                });
        database.deleteSoonWhatAppsHaveLeft();
    }
}
