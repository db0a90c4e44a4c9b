package io.postrider.server.store;

import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Messages on PostgreSQL are in partitions of a day each, by their ids, so that what is old goes
 * without being looked at. Runs on the writer thread, inside its transactions.
 */
final class MessageDays {
    private static final Logger LOG = LoggerFactory.getLogger(MessageDays.class);
    private static final String PREFIX = "messages_";
    private static final DateTimeFormatter NAME = DateTimeFormatter.BASIC_ISO_DATE;
    private static final int ROWS_AT_ONCE = 5_000;
    private static final int LOCK_MILLIS = 50;

    /** What goes with a day, by the piece. Values: the day's first id and the next day's. */
    private static final List<String> BELONGINGS =
            List.of(
                    "pending JOIN messages ON messages.app_id = pending.app_id"
                            + " AND messages.number = pending.number"
                            + " AND messages.id = pending.message_id"
                            + " WHERE messages.state = 0 AND messages.id >= ? AND messages.id < ?",
                    "pending JOIN deliveries ON deliveries.app_id = pending.app_id"
                            + " AND deliveries.number = pending.number"
                            + " AND deliveries.message_id = pending.message_id"
                            + " WHERE deliveries.state = 0"
                            + " AND deliveries.message_id >= ? AND deliveries.message_id < ?",
                    "deliveries WHERE message_id >= ? AND message_id < ?",
                    "message_sets WHERE message_id >= ? AND message_id < ?",
                    "set_ends WHERE message_id >= ? AND message_id < ?",
                    "settlements WHERE message_id >= ? AND message_id < ?",
                    "presentations WHERE message_id >= ? AND message_id < ?");

    private long lastFrom;
    private long lastTo;

    private record Day(LocalDate date) {
        static Day of(long messageId) {
            return new Day(
                    LocalDate.ofInstant(
                            Instant.ofEpochMilli(Tx.timeOf(messageId)), ZoneOffset.UTC));
        }

        String table() {
            return PREFIX + NAME.format(date);
        }

        long from() {
            return Tx.firstIdAt(millis(date));
        }

        long to() {
            return Tx.firstIdAt(millis(date.plusDays(1)));
        }

        boolean endsBefore(long millis) {
            return millis(date.plusDays(1)) <= millis;
        }

        private static long millis(LocalDate date) {
            return date.atStartOfDay(ZoneOffset.UTC).toInstant().toEpochMilli();
        }
    }

    /** Makes the day's partition if there is none. */
    void makeRoom(Tx tx, long messageId) {
        if (messageId >= lastFrom && messageId < lastTo) {
            return;
        }
        Day day = Day.of(messageId);
        if (tx.sql.number("SELECT count(*) FROM pg_class WHERE oid = to_regclass(?)", day.table())
                == 0) {
            // In two steps, since the second locks nobody out.
            tx.sql.run("CREATE TABLE " + day.table() + " (LIKE messages INCLUDING DEFAULTS)");
            tx.sql.run(
                    "ALTER TABLE messages ATTACH PARTITION "
                            + day.table()
                            + " FOR VALUES FROM ("
                            + day.from()
                            + ") TO ("
                            + day.to()
                            + ")");
        }
        tx.afterCommit(() -> {
            lastFrom = day.from();
            lastTo = day.to();
        });
    }

    /**
     * Deletes the days that have ended before, but not those with messages that are valid still.
     * Answers whether there were any.
     */
    boolean dropBefore(Writer writer, long millis) {
        List<Day> old =
                writer.await(tx ->
                        tx
                                .sql
                                .list(
                                        "SELECT relname FROM pg_inherits JOIN pg_class"
                                                + " ON pg_class.oid = inhrelid"
                                                + " WHERE inhparent = 'messages'::regclass",
                                        row -> row.getString(1))
                                .stream()
                                .map(name -> name.substring(PREFIX.length()))
                                .map(date -> new Day(LocalDate.parse(date, NAME)))
                                .filter(day -> day.endsBefore(millis))
                                .filter(day -> !isValid(tx, day))
                                .toList());
        boolean dropped = false;
        for (Day day : old) {
            boolean isFree = writer.await(tx -> isFree(tx, day));
            if (isFree) {
                BELONGINGS.forEach(rows -> empty(writer, rows, day));
            }
            if (isFree && writer.await(tx -> drop(tx, day))) {
                LOG.info("messages of {} are deleted", day.date);
                dropped = true;
            } else {
                LOG.info("messages of {} are deleted later, since somebody reads", day.date);
            }
        }
        return dropped;
    }

    private static boolean drop(Tx tx, Day day) {
        return runSoon(tx, "DROP TABLE IF EXISTS " + day.table());
    }

    /** What belongs to a day is not deleted while the day would have to stay. */
    private static boolean isFree(Tx tx, Day day) {
        return runSoon(tx, "LOCK TABLE ONLY messages, " + day.table());
    }

    /**
     * Runs what locks out all who read messages: while it waited for one that reads for long, such
     * as a back-up, they would all wait behind it. Answers false if it was not to be had at once.
     */
    static boolean runSoon(Tx tx, String sql) {
        tx.sql.run("SAVEPOINT soon");
        try {
            tx.sql.run("SET LOCAL lock_timeout = " + LOCK_MILLIS);
            tx.sql.run(sql);
            tx.sql.run("SET LOCAL lock_timeout TO DEFAULT");
            tx.sql.run("RELEASE SAVEPOINT soon");
            return true;
        } catch (StoreException e) {
            if (!e.isOfALock()) {
                throw e;
            }
            tx.sql.run("ROLLBACK TO SAVEPOINT soon");
            return false;
        }
    }

    private static boolean isValid(Tx tx, Day day) {
        return tx.sql.number(
                        "SELECT count(*) FROM (SELECT 1 FROM "
                                + day.table()
                                + " WHERE expires_at >= ? LIMIT 1) AS one",
                        tx.now())
                > 0;
    }

    private static void empty(Writer writer, String rows, Day day) {
        String table = rows.substring(0, rows.indexOf(' '));
        String delete =
                "DELETE FROM "
                        + table
                        + " WHERE ctid = ANY(ARRAY(SELECT "
                        + table
                        + ".ctid FROM "
                        + rows
                        + " LIMIT "
                        + ROWS_AT_ONCE
                        + "))";
        int deleted = ROWS_AT_ONCE;
        while (deleted == ROWS_AT_ONCE) {
            deleted = writer.await(tx -> tx.sql.update(delete, day.from(), day.to()));
        }
    }
}
