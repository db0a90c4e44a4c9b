package io.postrider.server.store;

import io.postrider.server.identity.Platform;
import io.postrider.server.publish.AudienceLog;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The audience's log. {@link SqlDevices} writes it. */
public final class SqlAudienceLog implements AudienceLog {
    private final Database database;

    public SqlAudienceLog(Database database) {
        this.database = database;
    }

    @Override
    public boolean mayGoOnAfter(long appId, long seq) {
        return database.audienceEnds().mayGoOnAfter(appId, seq);
    }

    @Override
    public List<Change> changesAfter(long appId, long seq) {
        return database.readOne(sql ->
                sql.list(
                        "SELECT seq, number, old_platform, new_platform,"
                                + " removed_tags, added_tags FROM audience_changes"
                                + " WHERE app_id = ? AND seq > ? ORDER BY seq",
                        SqlAudienceLog::read,
                        appId,
                        seq));
    }

    private static Change read(ResultSet row) throws SQLException {
        return new Change(
                row.getLong(1),
                row.getInt(2),
                platform(row, 3),
                platform(row, 4),
                tags(row.getString(5)),
                tags(row.getString(6)));
    }

    private static @Nullable Platform platform(ResultSet row, int column) throws SQLException {
        String word = row.getString(column);
        return word == null ? null : Platform.of(word).orElseThrow();
    }

    private static List<String> tags(String joined) {
        return joined.isEmpty() ? List.of() : List.of(joined.split("\n"));
    }

    @Override
    public Optional<Snapshot> snapshot(long appId) {
        return database.read(sql ->
                sql.first(
                        "SELECT seq, bits FROM audience_snapshots WHERE app_id = ?",
                        row -> new Snapshot(row.getLong(1), row.getBytes(2)),
                        appId));
    }

    @Override
    public CompletableFuture<Void> keepSnapshot(long appId, Snapshot snapshot) {
        return database.writer().change(tx -> keepSnapshot(tx, appId, snapshot));
    }

    /** What is in it is deleted from the log by the purge, since that may be millions of rows. */
    private static void keepSnapshot(Tx tx, long appId, Snapshot snapshot) {
        tx.sql.update(
                "INSERT INTO audience_snapshots (app_id, seq, bits) VALUES (?, ?, ?)"
                        + " ON CONFLICT (app_id) DO UPDATE SET seq = excluded.seq,"
                        + " bits = excluded.bits, previous = audience_snapshots.seq"
                        + " WHERE audience_snapshots.seq < excluded.seq",
                appId,
                snapshot.seq(),
                snapshot.bits());
    }
}
