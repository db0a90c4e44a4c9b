package io.postrider.server.store;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What deleted apps leave, which may be millions of rows: deleted in pieces after the app itself. A
 * mark in {@code meta} keeps it in mind until that is done; an app's number is never given again.
 */
final class LeftByApps {
    private static final String MARK = "left_by_app_";
    private static final int MESSAGES_AT_ONCE = 200;
    private static final String OF_THE_APP = "app_id = ?";

    private static final List<String> OF_A_MESSAGE =
            List.of("set_ends", "deliveries", "presentations", "settlements");

    private final Database database;

    LeftByApps(Database database) {
        this.database = database;
    }

    /** In the transaction that deletes the app. */
    static void mark(Tx tx, long app) {
        tx.sql.update(
                "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING",
                MARK + app,
                "" + app);
    }

    /** Deletes what every marked app has left. Blocks. */
    void delete() {
        List<Long> marked =
                database.read(sql ->
                        sql.list(
                                "SELECT value FROM meta WHERE name LIKE '" + MARK + "%'",
                                row -> Long.parseLong(row.getString(1))));
        marked.forEach(this::delete);
    }

    private void delete(long app) {
        deleteMessages(app);
        delete("pending", List.of("app_id", "number", "message_id"), app);
        delete("message_sets", List.of("app_id", "piece", "message_id", "outcome"), app);
        Pieces.delete(
                database,
                "group_mailboxes",
                Pieces.GROUP_MAILBOX,
                "group_id IN (SELECT id FROM groups WHERE app_id = ?)",
                app);
        delete("groups", List.of("id"), app);
        delete("group_devices", Pieces.GROUP_DEVICE, app);
        delete("group_users", List.of("group_id", "user_name"), app);
        delete("till_tokens", List.of("token_hash"), app);
        delete("tills", List.of("app_id", "number"), app);
        delete("idempotency_keys", Pieces.IDEMPOTENCY_KEY, app);
        delete("sessions", Pieces.SESSION, app);
        delete("audience_changes", List.of("app_id", "seq"), app);
        delete("devices", List.of("app_id", "number"), app);
        database.writer()
                .await(tx -> {
                    database.deliveries().forgetApp(tx, app);
                    tx.sql.update("DELETE FROM audience_snapshots WHERE app_id = ?", app);
                    return tx.sql.update("DELETE FROM meta WHERE name = ?", MARK + app);
                });
    }

    private void delete(String table, List<String> key, long app) {
        Pieces.delete(database, table, key, OF_THE_APP, app);
    }

    private void deleteMessages(long app) {
        List<@Nullable Object[]> ids;
        do {
            ids =
                    database.read(sql ->
                            sql.list(
                                    "SELECT id FROM messages WHERE app_id = ? ORDER BY id LIMIT ?",
                                    row -> new @Nullable Object[] {row.getLong(1)},
                                    app,
                                    MESSAGES_AT_ONCE));
            List<@Nullable Object[]> some = ids;
            database.writer()
                    .await(tx -> {
                        // Late acks may have brought it back to memory.
                        database.deliveries().forgetApp(tx, app);
                        for (String table : OF_A_MESSAGE) {
                            tx.sql.updateEach(
                                    "DELETE FROM " + table + " WHERE message_id = ?", some);
                        }
                        return tx.sql.updateEach("DELETE FROM messages WHERE id = ?", some);
                    });
        } while (ids.size() == MESSAGES_AT_ONCE);
    }
}
