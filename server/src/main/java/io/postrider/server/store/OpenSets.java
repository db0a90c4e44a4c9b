package io.postrider.server.store;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.roaringbitmap.PeekableIntIterator;
import org.roaringbitmap.RoaringBitmap;
import org.roaringbitmap.buffer.ImmutableRoaringBitmap;

/**
 * The recipients and ends of messages to many, as the writer needs them to decide about acks.
 * Confined to the writer thread; what it holds is the committed state plus that of the transaction
 * in hand, so it is forgotten whole when one is rolled back.
 */
final class OpenSets {
    static final int DELIVERED = 1;
    static final int OPENED = 2;
    static final int FAILED = 4;

    private static final int RECIPIENTS = 0;
    private static final int PIECE_BITS = 16;
    private static final long MOST_BYTES = 64L << 20;
    private static final int UNFOLDED_ROWS = 256;

    private final LinkedHashMap<Long, OpenSet> byId = new LinkedHashMap<>(64, 0.75f, true);
    private final Map<EndKey, RoaringBitmap> ends = new HashMap<>();
    private @Nullable Tx endsOf;
    private long bytes;

    private record EndKey(OpenSet set, int outcome, @Nullable String reason) {}

    /** One message to many. */
    static final class OpenSet {
        final long messageId;
        final long appId;
        final long expiresAt;
        final boolean namesUsers;
        final RoaringBitmap recipients;
        final RoaringBitmap delivered = new RoaringBitmap();
        final RoaringBitmap opened = new RoaringBitmap();
        final RoaringBitmap failed = new RoaringBitmap();
        boolean recalled;
        long lastSeq;
        long foldedTo;

        OpenSet(
                long messageId,
                long appId,
                long expiresAt,
                boolean namesUsers,
                RoaringBitmap recipients) {
            this.messageId = messageId;
            this.appId = appId;
            this.expiresAt = expiresAt;
            this.namesUsers = namesUsers;
            this.recipients = recipients;
        }

        boolean isPending(int number, long now) {
            return recipients.contains(number)
                    && !recalled
                    && now < expiresAt
                    && !delivered.contains(number)
                    && !failed.contains(number);
        }

        /** Those who are pending, unless it was recalled or has expired. */
        RoaringBitmap pending() {
            RoaringBitmap pending = RoaringBitmap.andNot(recipients, delivered);
            pending.andNot(failed);
            return pending;
        }

        RoaringBitmap of(int outcome) {
            return switch (outcome) {
                case RECIPIENTS -> recipients;
                case DELIVERED -> delivered;
                case OPENED -> opened;
                case FAILED -> failed;
                default -> throw new IllegalArgumentException("outcome " + outcome);
            };
        }

        long bytes() {
            return 4 * recipients.getLongSizeInBytes() + 256;
        }
    }

    /** Stores the recipients of a new message. */
    void insert(Tx tx, OpenSet set) {
        insertPieces(tx, set, RECIPIENTS);
        keep(set);
    }

    /** The set if it is at hand. */
    @Nullable OpenSet cached(long messageId) {
        return byId.get(messageId);
    }

    /** The set of a message to many, read if need be. */
    OpenSet get(Tx tx, long messageId) {
        OpenSet known = byId.get(messageId);
        return known != null ? known : keep(load(tx.sql, messageId));
    }

    /** Reads the sets of messages to many; those of very many may not all stay. */
    void read(Tx tx, Collection<Long> messageIds) {
        List<Long> all = List.copyOf(messageIds);
        for (int from = 0; from < all.size(); from += Sql.IDS_AT_ONCE) {
            int to = Math.min(all.size(), from + Sql.IDS_AT_ONCE);
            load(tx.sql, all.subList(from, to)).values().forEach(this::keep);
        }
    }

    /** Puts a device among those who ended so; it must not be there yet. */
    void end(Tx tx, OpenSet set, int number, int outcome, @Nullable String reason) {
        set.of(outcome).add(number);
        if (endsOf != tx) {
            endsOf = tx;
            ends.clear();
            tx.beforeCommit(() -> writeEnds(tx));
        }
        ends.computeIfAbsent(new EndKey(set, outcome, reason), key -> new RoaringBitmap())
                .add(number);
    }

    private void writeEnds(Tx tx) {
        ends.forEach((key, numbers) -> {
            key.set.lastSeq++;
            tx.sql.updateLater(
                    "set_ends",
                    "INSERT INTO set_ends"
                            + " (message_id, seq, outcome, at, devices, reason, bits)"
                            + " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    key.set.messageId,
                    key.set.lastSeq,
                    key.outcome,
                    tx.now(),
                    numbers.getCardinality(),
                    key.reason,
                    serialize(numbers));
            if (key.set.lastSeq - key.set.foldedTo > UNFOLDED_ROWS) {
                fold(tx, key.set);
            }
        });
        ends.clear();
        endsOf = null;
    }

    /** Writes the ends so far as sets, so that readers need only the log's newest rows. */
    private void fold(Tx tx, OpenSet set) {
        for (int outcome : new int[] {DELIVERED, OPENED, FAILED}) {
            insertPieces(tx, set, outcome);
        }
        set.foldedTo = set.lastSeq;
        tx.sql.update(
                "UPDATE messages SET folded_to = ? WHERE id = ?", set.foldedTo, set.messageId);
    }

    /** Deletes a message's sets and its log of ends. */
    void delete(Tx tx, long messageId) {
        byId.remove(messageId);
        ends.keySet().removeIf(key -> key.set.messageId == messageId);
        tx.sql.update("DELETE FROM message_sets WHERE message_id = ?", messageId);
        tx.sql.update("DELETE FROM set_ends WHERE message_id = ?", messageId);
    }

    /** What is deleted with its app. */
    void forgetApp(long appId) {
        byId.values().removeIf(set -> set.appId == appId);
        ends.keySet().removeIf(key -> key.set.appId == appId);
    }

    /** What a transaction that was rolled back has left. */
    void forget() {
        byId.clear();
        ends.clear();
        endsOf = null;
        bytes = 0;
    }

    private OpenSet keep(OpenSet set) {
        byId.put(set.messageId, set);
        bytes += set.bytes();
        if (bytes > MOST_BYTES) {
            dropOldest(set);
        }
        return set;
    }

    /** Keeps those that the transaction in hand has yet to write. */
    private void dropOldest(OpenSet inHand) {
        Set<OpenSet> unwritten = new HashSet<>(Set.of(inHand));
        ends.keySet().forEach(key -> unwritten.add(key.set));
        bytes = byId.values().stream().mapToLong(OpenSet::bytes).sum();
        var oldest = byId.values().iterator();
        while (bytes > MOST_BYTES / 2 && oldest.hasNext()) {
            OpenSet set = oldest.next();
            if (!unwritten.contains(set)) {
                bytes -= set.bytes();
                oldest.remove();
            }
        }
    }

    private static void insertPieces(Tx tx, OpenSet set, int outcome) {
        pieces(set.of(outcome))
                .forEach((piece, low) ->
                        tx.sql.update(
                                "INSERT INTO message_sets"
                                        + " (app_id, piece, message_id, outcome, bits)"
                                        + " VALUES (?, ?, ?, ?, ?)"
                                        + " ON CONFLICT (app_id, piece, message_id, outcome)"
                                        + " DO UPDATE SET bits = excluded.bits",
                                set.appId,
                                piece,
                                set.messageId,
                                outcome,
                                serialize(low)));
    }

    /** Reads the set of a message to many. */
    static OpenSet load(Sql sql, long messageId) {
        OpenSet set = load(sql, List.of(messageId)).get(messageId);
        if (set == null) {
            throw new StoreException("no message " + messageId);
        }
        return set;
    }

    /** Reads the sets of messages to many, and the ends that are not yet in them. */
    private static Map<Long, OpenSet> load(Sql sql, List<Long> messageIds) {
        Map<Long, OpenSet> sets = new HashMap<>();
        sql.readByIds(
                "SELECT id, app_id, expires_at, names_users, recalled_at IS NOT NULL, folded_to"
                        + " FROM messages WHERE id IN (ids)",
                messageIds,
                row -> {
                    OpenSet set =
                            new OpenSet(
                                    row.getLong(1),
                                    row.getLong(2),
                                    row.getLong(3),
                                    row.getBoolean(4),
                                    new RoaringBitmap());
                    set.recalled = row.getBoolean(5);
                    set.foldedTo = row.getLong(6);
                    set.lastSeq = set.foldedTo;
                    sets.put(set.messageId, set);
                    return true;
                });
        List<Long> found = List.copyOf(sets.keySet());
        sql.readByIds(
                "SELECT message_id, piece, outcome, bits FROM message_sets"
                        + " WHERE message_id IN (ids)",
                found,
                row -> {
                    long offset = row.getLong(2) << PIECE_BITS;
                    RoaringBitmap low = deserialize(row.getBytes(4));
                    of(sets, row.getLong(1))
                            .of(row.getInt(3))
                            .or(RoaringBitmap.addOffset(low, offset));
                    return true;
                });
        sql.readByIds(
                "SELECT set_ends.message_id, set_ends.outcome, set_ends.seq, set_ends.bits"
                        + " FROM messages JOIN set_ends ON set_ends.message_id = messages.id"
                        + " AND set_ends.seq > messages.folded_to"
                        + " WHERE messages.id IN (ids)",
                found,
                row -> {
                    OpenSet set = of(sets, row.getLong(1));
                    set.of(row.getInt(2)).or(deserialize(row.getBytes(4)));
                    set.lastSeq = Math.max(set.lastSeq, row.getLong(3));
                    return true;
                });
        return sets;
    }

    private static OpenSet of(Map<Long, OpenSet> sets, long messageId) {
        return Objects.requireNonNull(sets.get(messageId));
    }

    private static Map<Integer, RoaringBitmap> pieces(RoaringBitmap numbers) {
        Map<Integer, RoaringBitmap> pieces = new HashMap<>();
        List<Integer> starts = new ArrayList<>();
        PeekableIntIterator i = numbers.getIntIterator();
        while (i.hasNext()) {
            int piece = i.peekNext() >>> PIECE_BITS;
            starts.add(piece);
            i.advanceIfNeeded((piece + 1) << PIECE_BITS);
        }
        for (int piece : starts) {
            long from = (long) piece << PIECE_BITS;
            RoaringBitmap part = RoaringBitmap.bitmapOfRange(from, from + (1 << PIECE_BITS));
            part.and(numbers);
            pieces.put(piece, RoaringBitmap.addOffset(part, -from));
        }
        return pieces;
    }

    static byte[] serialize(RoaringBitmap numbers) {
        numbers.runOptimize();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(numbers.serializedSizeInBytes());
        try {
            numbers.serialize(new DataOutputStream(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return bytes.toByteArray();
    }

    /** Whether a device is a recipient of a message to many; reads the device's piece only. */
    static boolean isRecipient(Sql sql, long appId, long messageId, int number) {
        return sql.first(
                        "SELECT bits FROM message_sets WHERE app_id = ? AND piece = ?"
                                + " AND message_id = ? AND outcome = 0",
                        row -> contains(row.getBytes(1), number & 0xffff),
                        appId,
                        number >> PIECE_BITS,
                        messageId)
                .orElse(false);
    }

    /** The next recipients after a number; reads the pieces in which they are. */
    static List<Integer> recipientsAfter(
            Sql sql, long appId, long messageId, int after, int limit) {
        List<Integer> numbers = new ArrayList<>();
        sql.read(
                "SELECT piece, bits FROM message_sets WHERE message_id = ? AND app_id = ?"
                        + " AND outcome = 0 AND piece >= ? ORDER BY piece",
                row -> {
                    int begin = row.getInt(1) << PIECE_BITS;
                    PeekableIntIterator low = stored(row.getBytes(2)).getIntIterator();
                    low.advanceIfNeeded(Math.max(0, after + 1 - begin));
                    while (low.hasNext() && numbers.size() < limit) {
                        numbers.add(begin + low.next());
                    }
                    return numbers.size() < limit;
                },
                messageId,
                appId,
                (after + 1) >> PIECE_BITS);
        return numbers;
    }

    /** Whether a stored set holds a number, without reading the rest of it. */
    static boolean contains(byte[] bytes, int number) {
        return stored(bytes).contains(number);
    }

    /** A stored set as it is, of which only what is asked for is read. */
    static ImmutableRoaringBitmap stored(byte[] bytes) {
        return new ImmutableRoaringBitmap(ByteBuffer.wrap(bytes));
    }

    static RoaringBitmap deserialize(byte[] bytes) {
        RoaringBitmap numbers = new RoaringBitmap();
        try {
            numbers.deserialize(ByteBuffer.wrap(bytes));
        } catch (IOException e) {
            throw new StoreException("a set in the store cannot be read", e);
        }
        return numbers;
    }
}
