package io.postrider.server.store;

import io.postrider.server.identity.Device;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which messages to one or to a few are pending for each device: in memory the newest, in the table
 * {@code pending} the rest. The table is in the order of devices, so that each of its rows costs a
 * commit a page of its own; most messages are acknowledged in memory and never get there. What
 * stays is moved in bulk, a device's rows together (docs/adr/0010-pending-in-memory-first.md).
 *
 * <p>The rows of messages say what is pending; this only finds them, so nothing is lost with the
 * memory. Writes are the writer thread's and are seen after their commit; {@link #recent} may be
 * called by any thread, and never blocks.
 */
final class PendingInMemory implements PendingIndex {
    /** Pointers in memory from which on they are moved; messages, four times as many. */
    static final int MOST_IN_MEMORY = 16_384;

    private static final int MESSAGES_PER_POINTER = 4;

    /** One commit moves so large a part of what is in memory: it takes about 10 ms. */
    private static final int SLICES = 4;

    private static final Pointer FIRST = new Pointer(Long.MIN_VALUE, 0);

    private final PendingRows table = new PendingRows();
    private final int mostInMemory;
    private final Function<Writer.Change, CompletableFuture<Void>> writing;
    private final ConcurrentSkipListSet<Pointer> recent = new ConcurrentSkipListSet<>();

    /** Everything committed up to here is in memory or in the table. */
    private volatile long upTo;

    /** The table may hold what is pending up to here, so that what ends must be deleted there. */
    private long movingTo;

    private int inMemory;
    private long storedSinceMove;
    private @Nullable Move move;

    private @Nullable Tx changing;
    private final List<Pointer> added = new ArrayList<>();
    private final List<Pointer> ended = new ArrayList<>();

    private record Pointer(long device, long messageId) implements Comparable<Pointer> {
        @Override
        public int compareTo(Pointer other) {
            int byDevice = Long.compare(device, other.device);
            return byDevice != 0 ? byDevice : Long.compare(messageId, other.messageId);
        }

        long appId() {
            return device >> 32;
        }

        int number() {
            return (int) device;
        }
    }

    /** One move, over several commits. What is left of one that was given up does nothing. */
    private static final class Move {
        final long upTo;
        Pointer last = FIRST;

        Move(long upTo) {
            this.upTo = upTo;
        }
    }

    /**
     * @param writing how the work of moving is submitted
     */
    PendingInMemory(int mostInMemory, Function<Writer.Change, CompletableFuture<Void>> writing) {
        this.mostInMemory = mostInMemory;
        this.writing = writing;
    }

    @Override
    public void load(Sql sql) {
        long movedTo = Sequences.last(sql, Sequences.PENDING);
        Set<Pointer> pending = new HashSet<>();
        read(sql, pending, "messages WHERE kind = 1 AND state = 0 AND id > ?", "id", movedTo);
        read(sql, pending, "deliveries WHERE state = 0 AND message_id > ?", "message_id", movedTo);
        // In this order, so that a reader may see too much for a moment, but not too little.
        recent.addAll(pending);
        recent.retainAll(pending);
        inMemory = pending.size();
        storedSinceMove = sql.number("SELECT count(*) FROM messages WHERE id > ?", movedTo);
        move = null;
        upTo = Sequences.last(sql, Sequences.MESSAGES);
        // A move that was cut short may have left rows.
        movingTo = upTo;
        forget();
    }

    private static void read(Sql sql, Set<Pointer> into, String where, String id, long movedTo) {
        sql.read(
                "SELECT app_id, number, " + id + " FROM " + where,
                row -> {
                    long device = Device.key(row.getLong(1), row.getInt(2));
                    into.add(new Pointer(device, row.getLong(3)));
                    return true;
                },
                movedTo);
    }

    @Override
    public void stored(Tx tx) {
        storedSinceMove++;
        changing(tx);
    }

    @Override
    public void add(Tx tx, long appId, int number, long messageId) {
        added.add(new Pointer(Device.key(appId, number), messageId));
    }

    @Override
    public void remove(Tx tx, long appId, int number, long messageId) {
        ended.add(new Pointer(Device.key(appId, number), messageId));
        changing(tx);
        if (messageId <= movingTo) {
            table.remove(tx, appId, number, messageId);
        }
    }

    @Override
    public void forgetApp(Tx tx, long appId) {
        Stream.concat(recent.stream(), added.stream())
                .filter(pointer -> pointer.appId() == appId)
                .forEach(ended::add);
        changing(tx);
    }

    private void changing(Tx tx) {
        if (changing != tx) {
            changing = tx;
            tx.afterCommit(() -> committed(tx));
        }
    }

    private void committed(Tx tx) {
        recent.addAll(added);
        inMemory += added.size();
        for (Pointer pointer : ended) {
            if (recent.remove(pointer)) {
                inMemory--;
            }
        }
        forget();
        upTo = tx.lastId();
        boolean due =
                inMemory > mostInMemory
                        || storedSinceMove > (long) MESSAGES_PER_POINTER * mostInMemory;
        if (due && move == null) {
            movingTo = upTo;
            storedSinceMove = 0;
            move = new Move(upTo);
            goOn(move);
        }
    }

    @Override
    public void forget() {
        changing = null;
        added.clear();
        ended.clear();
    }

    private void goOn(Move going) {
        writing.apply(tx -> moveSome(tx, going))
                .whenComplete((done, failure) -> {
                    if (failure != null && move == going) {
                        move = null;
                    }
                });
    }

    private void moveSome(Tx tx, Move going) {
        if (move != going) {
            return;
        }
        int slice = Math.max(1, mostInMemory / SLICES);
        List<Pointer> some =
                recent.tailSet(going.last, false).stream()
                        .filter(pointer -> pointer.messageId <= going.upTo)
                        .limit(slice)
                        .toList();
        // What has ended in this transaction is still in memory.
        Set<Pointer> endedNow = changing == tx ? new HashSet<>(ended) : Set.of();
        some.stream()
                .filter(pointer -> !endedNow.contains(pointer))
                .forEach(pointer ->
                        tx.sql.update(
                                "INSERT INTO pending (app_id, number, message_id) VALUES (?, ?, ?)"
                                        + " ON CONFLICT DO NOTHING",
                                pointer.appId(),
                                pointer.number(),
                                pointer.messageId));
        if (some.size() == slice) {
            tx.afterCommit(() -> {
                going.last = some.getLast();
                goOn(going);
            });
        } else {
            Sequences.keep(tx, Sequences.PENDING, going.upTo);
            tx.afterCommit(() -> {
                move = null;
                forgetIf(pointer -> pointer.messageId <= going.upTo);
            });
        }
    }

    private void forgetIf(Predicate<Pointer> which) {
        recent.removeIf(which);
        inMemory = recent.size();
    }

    @Override
    public Recent recent(Sql sql, long appId, int number, long afterId, int limit) {
        long committed = upTo;
        long device = Device.key(appId, number);
        List<Long> ids = new ArrayList<>();
        for (Pointer pointer : recent.tailSet(new Pointer(device, afterId), false)) {
            if (pointer.device != device || pointer.messageId > committed) {
                break;
            }
            if (ids.size() == limit) {
                return new Recent(ids, ids.getLast(), true);
            }
            ids.add(pointer.messageId);
        }
        return new Recent(ids, committed, false);
    }

    @Override
    public List<Long> of(Tx tx, long appId, int number) {
        long device = Device.key(appId, number);
        List<Long> all = table.of(tx, appId, number);
        all.addAll(recent(tx.sql, appId, number, 0, Integer.MAX_VALUE).ids());
        added.stream()
                .filter(each -> each.device == device)
                .forEach(each -> all.add(each.messageId));
        return all.stream().distinct().toList();
    }
}
