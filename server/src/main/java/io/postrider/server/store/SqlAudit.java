package io.postrider.server.store;

import io.postrider.server.identity.AuditLog;
import java.util.List;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The audit log. */
public final class SqlAudit implements AuditLog {
    private static final Logger LOG = LoggerFactory.getLogger(SqlAudit.class);

    private final Database database;

    public SqlAudit(Database database) {
        this.database = database;
    }

    @Override
    public void write(Deed deed) {
        database.writer()
                .await(tx -> {
                    write(tx, deed);
                    return deed;
                });
    }

    @Override
    public void writeSoon(Deed deed) {
        database.writer()
                .change(tx -> write(tx, deed))
                .whenComplete((done, failure) -> {
                    if (failure != null) {
                        LOG.warn("an entry of the audit log was lost: {}", deed.action());
                    }
                });
    }

    /** Inside the transaction of what was done. */
    static void write(Tx tx, Deed deed) {
        tx.sql.update(
                "INSERT INTO audit (id, at, developer_id, app_id, action, detail, address,"
                        + " request_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                Sequences.next(tx, "audit"),
                tx.now(),
                deed.actor().developerId(),
                deed.appId(),
                deed.action().name().toLowerCase(Locale.ROOT),
                deed.detail(),
                deed.actor().address(),
                deed.actor().requestId());
    }

    @Override
    public List<Entry> ofDeveloper(long developerId, long beforeId, int limit) {
        return database.read(sql ->
                sql.list(
                        "SELECT id, at, action, app_id, detail, address, request_id FROM audit"
                                + " WHERE developer_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
                        row -> {
                            long app = row.getLong(4);
                            return new Entry(
                                    row.getLong(1),
                                    row.getLong(2),
                                    Action.valueOf(row.getString(3).toUpperCase(Locale.ROOT)),
                                    app == 0 ? null : app,
                                    row.getString(5),
                                    row.getString(6),
                                    row.getString(7));
                        },
                        developerId,
                        beforeId,
                        limit));
    }
}
