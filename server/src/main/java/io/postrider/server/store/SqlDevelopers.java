package io.postrider.server.store;

import io.postrider.server.clock.Clock;
import io.postrider.server.identity.AuditLog.Action;
import io.postrider.server.identity.AuditLog.Actor;
import io.postrider.server.identity.AuditLog.Deed;
import io.postrider.server.identity.Developer;
import io.postrider.server.identity.DeveloperStore;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Developers and logins. */
public final class SqlDevelopers implements DeveloperStore {
    private final Database database;
    private final Clock clock;

    public SqlDevelopers(Database database, Clock clock) {
        this.database = database;
        this.clock = clock;
    }

    @Override
    public Optional<Developer> add(
            String name, String passwordHash, boolean onlyTheFirst, Actor from) {
        return database.writer().await(tx -> add(tx, name, passwordHash, onlyTheFirst, from));
    }

    private static Optional<Developer> add(
            Tx tx, String name, String passwordHash, boolean onlyTheFirst, Actor from) {
        if (find(tx.sql, name).isPresent() || (onlyTheFirst && !isEmpty(tx.sql))) {
            return Optional.empty();
        }
        Developer developer =
                new Developer(Sequences.next(tx, "developers"), name, passwordHash, tx.now());
        tx.sql.update(
                "INSERT INTO developers (id, name, password_hash, created_at) VALUES (?, ?, ?, ?)",
                developer.id(),
                name,
                passwordHash,
                developer.createdAt());
        Actor actor = new Actor(developer.id(), from.address(), from.requestId());
        SqlAudit.write(tx, new Deed(actor, Action.SIGNED_UP));
        return Optional.of(developer);
    }

    @Override
    public boolean isEmpty() {
        return database.read(SqlDevelopers::isEmpty);
    }

    private static boolean isEmpty(Sql sql) {
        return sql.number("SELECT count(*) FROM developers") == 0;
    }

    @Override
    public Optional<Developer> byName(String name) {
        return database.read(sql -> find(sql, name));
    }

    private static Optional<Developer> find(Sql sql, String name) {
        return sql.first(
                "SELECT id, name, password_hash, created_at FROM developers WHERE name = ?",
                SqlDevelopers::read,
                name);
    }

    @Override
    public void addLogin(
            byte[] tokenHash, Actor actor, long expiresAt, @Nullable String betterHash) {
        database.writer()
                .await(tx -> {
                    tx.sql.update("DELETE FROM logins WHERE expires_at <= ?", tx.now());
                    if (betterHash != null) {
                        tx.sql.update(
                                "UPDATE developers SET password_hash = ? WHERE id = ?",
                                betterHash,
                                actor.developerId());
                    }
                    SqlAudit.write(tx, new Deed(actor, Action.LOGGED_IN));
                    return tx.sql.update(
                            "INSERT INTO logins (token_hash, developer_id, expires_at)"
                                    + " VALUES (?, ?, ?)",
                            tokenHash,
                            actor.developerId(),
                            expiresAt);
                });
    }

    @Override
    public Optional<Developer> byLogin(byte[] tokenHash) {
        return database.read(sql ->
                sql.first(
                        "SELECT id, name, password_hash, created_at FROM developers"
                                + " WHERE id = (SELECT developer_id FROM logins"
                                + " WHERE token_hash = ? AND expires_at > ?)",
                        SqlDevelopers::read,
                        tokenHash,
                        clock.millis()));
    }

    private static Developer read(ResultSet row) throws SQLException {
        return new Developer(row.getLong(1), row.getString(2), row.getString(3), row.getLong(4));
    }
}
