package io.postrider.server.store;

import io.postrider.server.store.PendingIndex.Recent;
import java.util.List;

/** All that is pending in the table, at once: other processes look there, too. */
final class PendingRows implements PendingIndex {
    @Override
    public void load(Sql sql) {}

    @Override
    public void stored(Tx tx) {}

    @Override
    public void add(Tx tx, long appId, int number, long messageId) {
        tx.sql.updateLater(
                "pending",
                "INSERT INTO pending (app_id, number, message_id) VALUES (?, ?, ?)",
                appId,
                number,
                messageId);
    }

    @Override
    public void remove(Tx tx, long appId, int number, long messageId) {
        tx.sql.updateLater(
                "pending",
                "DELETE FROM pending WHERE app_id = ? AND number = ? AND message_id = ?",
                appId,
                number,
                messageId);
    }

    @Override
    public void forgetApp(Tx tx, long appId) {}

    @Override
    public void forget() {}

    @Override
    public Recent recent(Sql sql, long appId, int number, long afterId, int limit) {
        return new Recent(List.of(), Sequences.last(sql, Sequences.MESSAGES), false);
    }

    @Override
    public List<Long> of(Tx tx, long appId, int number) {
        return tx.sql.list(
                "SELECT message_id FROM pending WHERE app_id = ? AND number = ?",
                row -> row.getLong(1),
                appId,
                number);
    }
}
