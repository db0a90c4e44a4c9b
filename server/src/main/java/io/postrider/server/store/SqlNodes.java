package io.postrider.server.store;

import io.postrider.server.delivery.NodeRegistry;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** The runs of nodes, in {@code incarnations}. */
public final class SqlNodes implements NodeRegistry {
    private final Database database;

    public SqlNodes(Database database) {
        this.database = database;
    }

    @Override
    public CompletableFuture<Boolean> renew(Self self, long leaseMillis) {
        return database.writer().submit(tx -> renew(tx, self, leaseMillis));
    }

    private boolean renew(Tx tx, Self self, long leaseMillis) {
        return tx.sql.update(
                        "UPDATE incarnations SET lease_until = ?, node = ?, version = ?,"
                                + " gateways = ?, capacity = ? WHERE id = ? AND ended_at IS NULL",
                        tx.now() + leaseMillis,
                        self.name(),
                        self.version(),
                        String.join("\n", self.gateways()),
                        self.capacity(),
                        database.incarnation())
                == 1;
    }

    @Override
    public CompletableFuture<Void> startAgain(Self self, long leaseMillis) {
        return database.startAgain()
                .thenCompose(started -> renew(self, leaseMillis))
                .thenAccept(renewed -> {});
    }

    @Override
    public CompletableFuture<Integer> endSilent() {
        return database.writer()
                .submit(tx ->
                        tx.sql.update(
                                "UPDATE incarnations SET ended_at = ?, ended_after = ?"
                                        + " WHERE ended_at IS NULL AND lease_until < ?",
                                tx.now(),
                                tx.lastId(),
                                tx.now()));
    }

    @Override
    public List<Node> running() {
        return database.readOneForFeed(sql ->
                sql.list(
                        "SELECT id, node, version, gateways, capacity, started_at FROM incarnations"
                                + " WHERE ended_at IS NULL ORDER BY id",
                        row ->
                                new Node(
                                        row.getLong(1),
                                        new Self(
                                                row.getString(2),
                                                row.getString(3),
                                                row.getString(4).lines().toList(),
                                                row.getInt(5)),
                                        row.getLong(6))));
    }
}
