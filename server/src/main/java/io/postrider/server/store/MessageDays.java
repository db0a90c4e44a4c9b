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
                    "deliveries WHERE message_id >= ? AND message_id < ?",
                    "message_sets WHERE message_id >= ? AND message_id < ?",
                    "set_ends WHERE message_id >= ? AND message_id < ?",
                    "settlements WHERE message_id >= ? AND message_id < ?",
                    "presentations WHERE message_id >= ? AND message_id < ?");

    /** Values: twice from after which id, and up to which. */
    private static final String DELETE_PENDING =
            "DELETE FROM pending USING (SELECT app_id, number, id FROM messages"
                    + " WHERE id > ? AND id <= ? AND state = 0"
                    + " UNION ALL SELECT app_id, number, message_id FROM deliveries"
                    + " WHERE message_id > ? AND message_id <= ? AND state = 0) old"
                    + " WHERE pending.app_id = old.app_id AND pending.number = old.number"
                    + " AND pending.message_id = old.id";

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
        if (!hasRoom(tx, day)) {
            make(day).forEach(tx.sql::run);
        }
        tx.afterCommit(() -> {
            lastFrom = day.from();
            lastTo = day.to();
        });
    }

    /**
     * As {@link #makeRoom}, for the day after this one: on the day itself all who publish would
     * wait for whoever holds a lock on the messages, such as ANALYZE.
     */
    void makeRoomAhead(Writer writer) {
        writer.change(
                        tx -> {
                            Day next = new Day(Day.of(Tx.firstIdAt(tx.now())).date.plusDays(1));
                            if (!hasRoom(tx, next)) {
                                runSoon(tx, String.join("; ", make(next)));
                            }
                        })
                .join();
    }

    private static boolean hasRoom(Tx tx, Day day) {
        return tx.sql.number(
                        "SELECT count(*) FROM pg_class WHERE oid = to_regclass(?)", day.table())
                > 0;
    }

    /** In two steps, since the second locks nobody out who reads or writes. */
    private static List<String> make(Day day) {
        return List.of(
                "CREATE TABLE " + day.table() + " (LIKE messages INCLUDING DEFAULTS)",
                "ALTER TABLE messages ATTACH PARTITION "
                        + day.table()
                        + " FOR VALUES FROM ("
                        + day.from()
                        + ") TO ("
                        + day.to()
                        + ")");
    }

    /** Deletes the days that have ended before a time. Answers whether there were any. */
    boolean dropBefore(Readers readers, Writer writer, long millis) {
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
                                .toList());
        boolean dropped = false;
        for (Day day : old) {
            boolean isFree = writer.await(tx -> isFree(tx, day));
            if (isFree) {
                emptyPending(readers, writer, day);
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

    /** By so many messages: what of them is pending has no index. */
    private static void emptyPending(Readers readers, Writer writer, Day day) {
        String someFurther =
                "SELECT id FROM "
                        + day.table()
                        + " WHERE id > ? ORDER BY id LIMIT 1 OFFSET "
                        + (ROWS_AT_ONCE - 1);
        long from = day.from() - 1;
        while (from < day.to()) {
            long after = from;
            long upTo =
                    readers.readOne(sql -> sql.first(someFurther, row -> row.getLong(1), after))
                            .orElse(day.to());
            writer.await(tx -> tx.sql.update(DELETE_PENDING, after, upTo, after, upTo));
            from = upTo;
        }
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
