package io.postrider.server.store;

import io.postrider.server.clock.Clock;
import io.postrider.server.identity.Developer;
import io.postrider.server.identity.DeveloperStore;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;

/** Developers and logins on SQLite. */
public final class SqlDevelopers implements DeveloperStore {
    private final Database database;
    private final Clock clock;

    public SqlDevelopers(Database database, Clock clock) {
        this.database = database;
        this.clock = clock;
    }

    @Override
    public Optional<Developer> add(String name, String passwordHash) {
        return database.writer().await(tx -> add(tx, name, passwordHash));
    }

    private static Optional<Developer> add(Tx tx, String name, String passwordHash) {
        if (find(tx.sql, name).isPresent()) {
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
        return Optional.of(developer);
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
    public void addLogin(byte[] tokenHash, long developerId, long expiresAt) {
        database.writer()
                .await(tx -> {
                    tx.sql.update("DELETE FROM logins WHERE expires_at <= ?", tx.now());
                    return tx.sql.update(
                            "INSERT INTO logins (token_hash, developer_id, expires_at)"
                                    + " VALUES (?, ?, ?)",
                            tokenHash,
                            developerId,
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
