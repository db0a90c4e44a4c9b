package io.postrider.server.store;

import io.postrider.server.delivery.Presence;
import io.postrider.server.delivery.Recipients;
import org.roaringbitmap.RoaringBitmap;

/** Who is connected here or, by their sessions in the store, to another node. */
public final class SqlPresence implements Presence {
    private final Database database;
    private final Presence here;

    public SqlPresence(Database database, Presence here) {
        this.database = database;
        this.here = here;
    }

    @Override
    public Recipients online(long appId, Recipients among) {
        RoaringBitmap online = here.online(appId, among).copy();
        if (online.getCardinality() == among.count()) {
            return Recipients.of(online);
        }
        String one = among.count() == 1 ? " AND sessions.number = " + among.first() : "";
        database.read(sql -> {
            sql.read(
                    "SELECT sessions.number FROM sessions"
                            + " JOIN incarnations ON incarnations.id = sessions.incarnation"
                            + " WHERE sessions.app_id = ? AND sessions.ended_at IS NULL"
                            + " AND incarnations.ended_at IS NULL AND incarnations.id <> ?"
                            + one,
                    row -> {
                        if (among.contains(row.getInt(1))) {
                            online.add(row.getInt(1));
                        }
                        return true;
                    },
                    appId,
                    database.incarnation());
            return online;
        });
        return Recipients.of(online);
    }

    /** What another node has presented it says at its session's end. */
    @Override
    public boolean wasPresented(long deviceKey, long messageId) {
        return here.wasPresented(deviceKey, messageId);
    }
}
