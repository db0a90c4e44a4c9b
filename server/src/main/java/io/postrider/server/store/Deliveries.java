package io.postrider.server.store;

import io.postrider.server.delivery.AckBatch;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.NewMessage.Target;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.store.OpenSets.OpenSet;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.roaringbitmap.RoaringBitmap;

/**
 * How the store keeps whom a message is for and how it ended for each: in the message's own row for
 * one device, in a row each for a few, as sets for many. Runs on the writer thread, inside its
 * transactions.
 */
final class Deliveries {
    static final int KIND_ONE = 1;
    static final int KIND_FEW = 2;
    static final int KIND_MANY = 3;
    static final int KIND_GROUPS = 4;

    /**
     * More recipients than this are kept as sets; docs/adr/0003-rows-and-sets.md has the
     * measurement.
     */
    static final int MOST_ROWS = 8;

    static final int PENDING = 0;
    static final int DELIVERED = 1;
    static final int OPENED = 2;
    static final int RECALLED = 3;
    static final int FAILED = 4;

    private static final String ACKNOWLEDGE_ONE =
            "UPDATE messages SET state = ?, at = ?, opened_at = ?"
                    + " WHERE id = ? AND app_id = ? AND number = ? AND state = 0"
                    + " AND expires_at > ?";

    private static final int LOOKED_AT_ONCE = 100;
    private static final String VALID =
            "SELECT id FROM messages WHERE id IN (?"
                    + ", ?".repeat(LOOKED_AT_ONCE - 1)
                    + ") AND recalled_at IS NULL AND expires_at > ? AND names_users >= ?"
                    + " ORDER BY id";

    private final OpenSets sets;
    private final PendingIndex pending;
    private final Settlements settlements;

    Deliveries(OpenSets sets, PendingIndex pending, Settlements settlements) {
        this.sets = sets;
        this.pending = pending;
        this.settlements = settlements;
    }

    /** Drops what is kept in memory of an app whose rows are deleted. */
    void forgetApp(Tx tx, long appId) {
        sets.forgetApp(appId);
        pending.forgetApp(tx, appId);
    }

    static int kindOf(int recipients) {
        return recipients == 1 ? KIND_ONE : recipients <= MOST_ROWS ? KIND_FEW : KIND_MANY;
    }

    static boolean isToMany(Recipients recipients) {
        return recipients.count() > MOST_ROWS;
    }

    /** Stores whom a message is for, but for a message to one, which is in its own row. */
    void insert(
            Tx tx,
            long appId,
            long messageId,
            long expiresAt,
            boolean namesUsers,
            Recipients recipients) {
        pending.stored(tx);
        switch (kindOf(recipients.count())) {
            case KIND_FEW ->
                    recipients.forEach(number -> {
                        tx.sql.updateLater(
                                "deliveries",
                                "INSERT INTO deliveries (message_id, number, app_id, state)"
                                        + " VALUES (?, ?, ?, 0)",
                                messageId,
                                number,
                                appId);
                        pending.add(tx, appId, number, messageId);
                    });
            case KIND_MANY ->
                    sets.insert(
                            tx,
                            new OpenSet(
                                    messageId, appId, expiresAt, namesUsers, recipients.copy()));
            default -> pending.add(tx, appId, recipients.first(), messageId);
        }
    }

    /** Opens a message in groups. Answers which devices it is to be presented to now. */
    Recipients insert(
            Tx tx,
            long appId,
            long messageId,
            long expiresAt,
            Target.Groups groups,
            @Nullable String filter) {
        pending.stored(tx);
        return settlements.open(tx, appId, messageId, expiresAt, groups, filter);
    }

    /** Answers one outcome per ack, in their order. */
    List<AckOutcome> acknowledge(Tx tx, AckBatch acks) {
        @Nullable AckOutcome[] outcomes = new @Nullable AckOutcome[acks.size()];
        readSetsOfRepeated(tx, acks);
        acknowledgeThoseOfOne(tx, acks, outcomes);
        Map<Long, Optional<Row>> rows = rowsOfRest(tx, acks, outcomes);
        List<AckOutcome> all = new ArrayList<>(outcomes.length);
        for (int i = 0; i < outcomes.length; i++) {
            AckOutcome outcome = outcomes[i];
            all.add(outcome == null ? acknowledge(tx, acks.get(i), rows) : outcome);
        }
        return all;
    }

    /** What several acknowledge is hardly to one: all of them find its set, once that is read. */
    private void readSetsOfRepeated(Tx tx, AckBatch acks) {
        Set<Long> seen = new HashSet<>();
        Set<Long> repeated = new HashSet<>();
        for (int i = 0; i < acks.size(); i++) {
            long id = acks.get(i).messageId();
            if (!isInMemory(id) && !seen.add(id)) {
                repeated.add(id);
            }
        }
        sets.read(tx, toMany(acks, rows(tx, repeated)));
    }

    /** Of what was not acknowledged by then; the sets of it are in memory after that. */
    private Map<Long, Optional<Row>> rowsOfRest(
            Tx tx, AckBatch acks, @Nullable AckOutcome[] outcomes) {
        Set<Long> rest = new HashSet<>();
        for (int i = 0; i < acks.size(); i++) {
            long id = acks.get(i).messageId();
            if (outcomes[i] == null && !isInMemory(id)) {
                rest.add(id);
            }
        }
        Map<Long, Optional<Row>> rows = rows(tx, rest);
        sets.read(tx, toMany(acks, rows));
        return rows;
    }

    /** Those that are acknowledged as messages of their own app. */
    private static Set<Long> toMany(AckBatch acks, Map<Long, Optional<Row>> rows) {
        Set<Long> toMany = new HashSet<>();
        for (int i = 0; i < acks.size(); i++) {
            AckBatch.Ack ack = acks.get(i);
            rows.getOrDefault(ack.messageId(), Optional.empty())
                    .filter(row -> row.kind == KIND_MANY && row.appId == ack.appId())
                    .ifPresent(row -> toMany.add(ack.messageId()));
        }
        return toMany;
    }

    private static Map<Long, Optional<Row>> rows(Tx tx, Set<Long> messageIds) {
        Map<Long, Optional<Row>> rows = new HashMap<>();
        messageIds.forEach(id -> rows.put(id, Optional.empty()));
        tx.sql.readByIds(
                "SELECT id, app_id, kind, number, state, expires_at FROM messages"
                        + " WHERE id IN (ids)",
                List.copyOf(messageIds),
                row -> {
                    rows.put(row.getLong(1), Optional.of(Row.read(row)));
                    return true;
                });
        return rows;
    }

    private boolean isInMemory(long messageId) {
        return settlements.knows(messageId) || sets.cached(messageId) != null;
    }

    /** Most messages are to one device; for those all acks are one way to the database. */
    private void acknowledgeThoseOfOne(Tx tx, AckBatch acks, @Nullable AckOutcome[] outcomes) {
        List<Integer> which = new ArrayList<>();
        List<@Nullable Object[]> values = new ArrayList<>();
        for (int i = 0; i < acks.size(); i++) {
            AckBatch.Ack ack = acks.get(i);
            if (!isInMemory(ack.messageId())) {
                which.add(i);
                values.add(
                        new @Nullable Object[] {
                            ack.opened() ? OPENED : DELIVERED,
                            tx.now(),
                            ack.opened() ? tx.now() : null,
                            ack.messageId(),
                            ack.appId(),
                            ack.number(),
                            tx.now()
                        });
            }
        }
        int[] changed = tx.sql.updateEach(ACKNOWLEDGE_ONE, values);
        for (int i = 0; i < changed.length; i++) {
            if (changed[i] == 1) {
                AckBatch.Ack ack = acks.get(which.get(i));
                pending.remove(tx, ack.appId(), ack.number(), ack.messageId());
                outcomes[which.get(i)] = AckOutcome.RECORDED;
            }
        }
    }

    private AckOutcome acknowledge(Tx tx, AckBatch.Ack ack, Map<Long, Optional<Row>> rows) {
        if (settlements.knows(ack.messageId())) {
            return settlements.acknowledge(tx, ack);
        }
        OpenSet set = sets.cached(ack.messageId());
        if (set == null) {
            // Without one its set was in memory, and went for want of room.
            Optional<Row> row =
                    rows.computeIfAbsent(ack.messageId(), id -> rows(tx, Set.of(id)).get(id))
                            .filter(found -> found.appId == ack.appId());
            if (row.isEmpty()) {
                return AckOutcome.UNKNOWN;
            }
            switch (row.get().kind) {
                case KIND_ONE -> {
                    return standingOfOne(tx, ack, row.get());
                }
                case KIND_FEW -> {
                    return acknowledgeAmongFew(tx, ack, row.get());
                }
                case KIND_GROUPS -> {
                    return settlements.acknowledge(tx, ack);
                }
                default -> set = sets.get(tx, ack.messageId());
            }
        }
        return acknowledgeAmongMany(tx, ack, set);
    }

    private record Row(long appId, int kind, int number, int state, long expiresAt) {
        static Row read(ResultSet row) throws SQLException {
            return new Row(
                    row.getLong(2), row.getInt(3), row.getInt(4), row.getInt(5), row.getLong(6));
        }
    }

    private static AckOutcome standingOfOne(Tx tx, AckBatch.Ack ack, Row row) {
        if (row.number != ack.number()) {
            return AckOutcome.UNKNOWN;
        }
        if (row.state == DELIVERED && ack.opened()) {
            tx.sql.update(
                    "UPDATE messages SET state = 2, opened_at = ? WHERE id = ?",
                    tx.now(),
                    ack.messageId());
        }
        return standing(row.state);
    }

    private AckOutcome acknowledgeAmongFew(Tx tx, AckBatch.Ack ack, Row message) {
        Optional<Integer> state =
                tx.sql.first(
                        "SELECT state FROM deliveries WHERE message_id = ? AND number = ?",
                        row -> row.getInt(1),
                        ack.messageId(),
                        ack.number());
        if (state.isEmpty()) {
            return AckOutcome.UNKNOWN;
        }
        if (state.get() == PENDING && tx.now() < message.expiresAt) {
            tx.sql.update(
                    "UPDATE deliveries SET state = ?, at = ?, opened_at = ?"
                            + " WHERE message_id = ? AND number = ?",
                    ack.opened() ? OPENED : DELIVERED,
                    tx.now(),
                    ack.opened() ? tx.now() : null,
                    ack.messageId(),
                    ack.number());
            pending.remove(tx, ack.appId(), ack.number(), ack.messageId());
            return AckOutcome.RECORDED;
        }
        if (state.get() == DELIVERED && ack.opened()) {
            tx.sql.update(
                    "UPDATE deliveries SET state = 2, opened_at = ?"
                            + " WHERE message_id = ? AND number = ?",
                    tx.now(),
                    ack.messageId(),
                    ack.number());
        }
        return standing(state.get());
    }

    private static AckOutcome standing(int state) {
        return switch (state) {
            case PENDING -> AckOutcome.EXPIRED;
            case DELIVERED, OPENED -> AckOutcome.RECORDED;
            case RECALLED -> AckOutcome.RECALLED;
            default -> AckOutcome.UNKNOWN;
        };
    }

    private AckOutcome acknowledgeAmongMany(Tx tx, AckBatch.Ack ack, OpenSet set) {
        int number = ack.number();
        if (set.appId != ack.appId()
                || !set.recipients.contains(number)
                || set.failed.contains(number)) {
            return AckOutcome.UNKNOWN;
        }
        if (!set.delivered.contains(number)) {
            if (set.recalled) {
                return AckOutcome.RECALLED;
            }
            if (tx.now() >= set.expiresAt) {
                return AckOutcome.EXPIRED;
            }
            sets.end(tx, set, number, OpenSets.DELIVERED, null);
        }
        if (ack.opened() && !set.opened.contains(number)) {
            sets.end(tx, set, number, OpenSets.OPENED, null);
        }
        return AckOutcome.RECORDED;
    }

    /** Ends what is pending of a message. Answers whom it was for. */
    Recipients recall(Tx tx, long appId, long messageId, int kind, int number) {
        forgetPending(tx, appId, messageId);
        switch (kind) {
            case KIND_ONE -> {
                tx.sql.update(
                        "UPDATE messages SET state = 3, at = ? WHERE id = ? AND state = 0",
                        tx.now(),
                        messageId);
                return Recipients.of(number);
            }
            case KIND_FEW -> {
                tx.sql.update(
                        "UPDATE deliveries SET state = 3, at = ?"
                                + " WHERE message_id = ? AND state = 0",
                        tx.now(),
                        messageId);
                return recipientsOfFew(tx.sql, messageId);
            }
            case KIND_GROUPS -> {
                return Settlements.recall(tx, appId, messageId);
            }
            default -> {
                OpenSet set = sets.get(tx, messageId);
                set.recalled = true;
                return Recipients.of(set.recipients.clone());
            }
        }
    }

    private void forgetPending(Tx tx, long appId, long messageId) {
        List<Integer> numbers =
                tx.sql.list(
                        "SELECT number FROM messages WHERE id = ? AND kind = 1 AND state = 0"
                                + " UNION ALL"
                                + " SELECT number FROM deliveries"
                                + " WHERE message_id = ? AND state = 0",
                        row -> row.getInt(1),
                        messageId,
                        messageId);
        numbers.forEach(number -> pending.remove(tx, appId, number, messageId));
    }

    static Recipients recipientsOfFew(Sql sql, long messageId) {
        return numbersOfFew(sql, "", messageId);
    }

    /** Those for whom it has not ended. */
    static Recipients pendingOfFew(Sql sql, long messageId) {
        return numbersOfFew(sql, " AND state = 0", messageId);
    }

    private static Recipients numbersOfFew(Sql sql, String condition, long messageId) {
        RoaringBitmap numbers = new RoaringBitmap();
        sql.read(
                "SELECT number FROM deliveries WHERE message_id = ?" + condition,
                row -> {
                    numbers.add(row.getInt(1));
                    return true;
                },
                messageId);
        return Recipients.of(numbers);
    }

    /**
     * Ends as failed what is pending for a device.
     *
     * @param onlyNamed only messages whose audience named users
     */
    void fail(Tx tx, long appId, int number, long drainedTo, boolean onlyNamed, String reason) {
        int least = onlyNamed ? 1 : 0;
        for (long messageId : valid(tx, pending.of(tx, appId, number), least)) {
            if (failAmongRows(tx, number, messageId, reason)) {
                pending.remove(tx, appId, number, messageId);
            }
        }
        for (long messageId : valid(tx, manyAfter(tx.sql, appId, number, drainedTo), least)) {
            OpenSet set = sets.get(tx, messageId);
            if (set.isPending(number, tx.now())) {
                sets.end(tx, set, number, OpenSets.FAILED, reason);
            }
        }
    }

    /**
     * Those of the messages that can still end. Of a device that is long away most have expired.
     *
     * @param least 1 for those only whose audience named users
     */
    private static List<Long> valid(Tx tx, List<Long> messageIds, int least) {
        List<Long> valid = new ArrayList<>();
        for (int from = 0; from < messageIds.size(); from += LOOKED_AT_ONCE) {
            @Nullable Object[] values = new @Nullable Object[LOOKED_AT_ONCE + 2];
            Arrays.fill(values, 0L);
            for (int i = 0; i < LOOKED_AT_ONCE && from + i < messageIds.size(); i++) {
                values[i] = messageIds.get(from + i);
            }
            values[LOOKED_AT_ONCE] = tx.now();
            values[LOOKED_AT_ONCE + 1] = least;
            valid.addAll(tx.sql.list(VALID, row -> row.getLong(1), values));
        }
        return valid;
    }

    private static boolean failAmongRows(Tx tx, int number, long messageId, String reason) {
        int one =
                tx.sql.update(
                        "UPDATE messages SET state = 4, at = ?, reason = ?"
                                + " WHERE id = ? AND number = ? AND state = 0",
                        tx.now(),
                        reason,
                        messageId,
                        number);
        return one == 1
                || tx.sql.update(
                                "UPDATE deliveries SET state = 4, at = ?, reason = ?"
                                        + " WHERE message_id = ? AND number = ? AND state = 0",
                                tx.now(),
                                reason,
                                messageId,
                                number)
                        == 1;
    }

    /** Deletes whom a message was for, and how it ended for each. */
    void delete(Tx tx, long appId, long messageId, int kind) {
        switch (kind) {
            case KIND_ONE -> forgetPending(tx, appId, messageId);
            case KIND_FEW -> {
                forgetPending(tx, appId, messageId);
                tx.sql.update("DELETE FROM deliveries WHERE message_id = ?", messageId);
            }
            case KIND_GROUPS -> settlements.delete(tx, messageId);
            default -> sets.delete(tx, messageId);
        }
    }

    /** The messages to many above an id that a device is a recipient of, oldest first. */
    static List<Long> manyAfter(Sql sql, long appId, int number, long afterId) {
        List<Long> found = new ArrayList<>();
        forEachMany(
                sql,
                appId,
                number,
                afterId,
                (messageId, delivered, failed) -> {
                    found.add(messageId);
                    return true;
                });
        return found;
    }

    /** Looks at a message to many and its folded ends; false ends the reading. */
    interface ManyReader {
        boolean read(
                long messageId, @Nullable RoaringBitmap delivered, @Nullable RoaringBitmap failed);
    }

    /** Reads the device's piece of each message to many above an id of which it is a recipient. */
    static void forEachMany(Sql sql, long appId, int number, long afterId, ManyReader reader) {
        PieceReader pieces = new PieceReader(number & 0xffff, reader);
        sql.read(
                "SELECT message_id, outcome, bits FROM message_sets"
                        + " WHERE app_id = ? AND piece = ? AND message_id > ?"
                        + " ORDER BY message_id, outcome",
                row -> pieces.row(row.getLong(1), row.getInt(2), row.getBytes(3)),
                appId,
                number >> 16,
                afterId);
        pieces.end();
    }

    /** Gathers the rows of one message, which come one after another, its recipients first. */
    private static final class PieceReader {
        private final int low;
        private final ManyReader reader;
        private long messageId;
        private boolean recipient;
        private @Nullable RoaringBitmap delivered;
        private @Nullable RoaringBitmap failed;
        private boolean ended;

        PieceReader(int low, ManyReader reader) {
            this.low = low;
            this.reader = reader;
        }

        boolean row(long id, int outcome, byte[] bits) {
            if (id != messageId) {
                if (!emit()) {
                    return false;
                }
                messageId = id;
                delivered = null;
                failed = null;
                recipient = outcome == 0 && OpenSets.contains(bits, low);
            } else if (recipient && outcome == OpenSets.DELIVERED) {
                delivered = OpenSets.deserialize(bits);
            } else if (recipient && outcome == OpenSets.FAILED) {
                failed = OpenSets.deserialize(bits);
            }
            return true;
        }

        private boolean emit() {
            if (recipient && !reader.read(messageId, delivered, failed)) {
                recipient = false;
                ended = true;
                return false;
            }
            recipient = false;
            return true;
        }

        void end() {
            if (!ended) {
                emit();
            }
        }
    }
}
