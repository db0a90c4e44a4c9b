package io.postrider.server.store;

import io.postrider.server.clock.Clock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that writes. It takes everything that waits, does it in one transaction, flushes,
 * and only then answers everybody (G1): the more wait, the less each pays for the flush.
 *
 * <p>If one piece of work fails, the transaction is rolled back and each piece is done again in a
 * transaction of its own, so that one bad item never fails its batch.
 */
final class Writer implements AutoCloseable {
    /** A piece of work inside a transaction. It may be run more than once; only one run commits. */
    interface Work<T> {
        T run(Tx tx);
    }

    /** A piece of work that answers nothing. */
    interface Change {
        void run(Tx tx);
    }

    private static final Logger LOG = LoggerFactory.getLogger(Writer.class);
    private static final int MOST_PER_COMMIT = 1_000;
    private static final long LAZY_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final Sql sql;
    private final Clock clock;
    private final Runnable onRollback;
    private final LongConsumer onCommit;
    private final Thread thread = new Thread(this::run, "store-writer");

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private final ArrayDeque<Item<?>> urgent = new ArrayDeque<>();
    private final ArrayDeque<Item<?>> lazy = new ArrayDeque<>();
    private long lazyDue;
    private boolean stopping;

    private volatile long lastId;
    private volatile boolean healthy = true;

    private static final class Item<T> {
        final Work<T> work;
        final CompletableFuture<T> answer = new CompletableFuture<>();
        @Nullable T result;

        Item(Work<T> work) {
            this.work = work;
        }

        void run(Tx tx) {
            result = work.run(tx);
        }

        @SuppressWarnings("NullAway") // a Void result is null
        void complete() {
            answer.complete(result);
        }
    }

    /**
     * @param onRollback called when what a transaction may have left in memory must be forgotten
     * @param onCommit called after each commit, with how many pieces of work it held
     */
    Writer(Sql sql, Clock clock, long lastId, Runnable onRollback, LongConsumer onCommit) {
        this.sql = sql;
        this.clock = clock;
        this.lastId = lastId;
        this.onRollback = onRollback;
        this.onCommit = onCommit;
    }

    void start() {
        thread.start();
    }

    /** Whether the last commit succeeded. */
    boolean isHealthy() {
        return healthy;
    }

    /** The newest committed message id. */
    long lastId() {
        return lastId;
    }

    /** Commits as soon as the writer is free. */
    <T> CompletableFuture<T> submit(Work<T> work) {
        return enqueue(work, false);
    }

    /** Rides on the next commit; forces one of its own only after 50 ms. */
    <T> CompletableFuture<T> submitLazily(Work<T> work) {
        return enqueue(work, true);
    }

    /** As {@link #submit}, for what answers nothing. */
    @SuppressWarnings("NullAway") // a Void is null
    CompletableFuture<Void> change(Change change) {
        return submit(tx -> {
            change.run(tx);
            return null;
        });
    }

    /** {@link #submit} and wait. */
    <T> T await(Work<T> work) {
        try {
            return submit(work).join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    private <T> CompletableFuture<T> enqueue(Work<T> work, boolean lazily) {
        Item<T> item = new Item<>(work);
        lock.lock();
        try {
            if (stopping) {
                item.answer.completeExceptionally(new StoreException("the store is closed"));
                return item.answer;
            }
            if (lazily && lazy.isEmpty()) {
                lazyDue = System.nanoTime() + LAZY_NANOS;
            }
            (lazily ? lazy : urgent).add(item);
            arrived.signal();
        } finally {
            lock.unlock();
        }
        return item.answer;
    }

    private void run() {
        for (List<Item<?>> batch = next(); !batch.isEmpty(); batch = next()) {
            try {
                commit(batch);
            } catch (RuntimeException | Error e) {
                LOG.warn("{} writes were not committed together: {}", batch.size(), e.getMessage());
                onRollback.run();
                batch.forEach(this::commitAlone);
            }
        }
    }

    /** Waits for work; empty when there is none and the writer is to stop. */
    private List<Item<?>> next() {
        lock.lock();
        try {
            while (true) {
                long untilDue = lazyDue - System.nanoTime();
                boolean due = !lazy.isEmpty() && (untilDue <= 0 || stopping);
                if (!urgent.isEmpty() || due) {
                    List<Item<?>> batch = new ArrayList<>();
                    take(urgent, batch);
                    take(lazy, batch);
                    return batch;
                }
                if (stopping) {
                    return List.of();
                }
                if (lazy.isEmpty()) {
                    arrived.awaitUninterruptibly();
                } else {
                    awaitNanos(untilDue);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    @SuppressWarnings("WaitNotInLoop") // the caller looks again, whatever ended the waiting
    private void awaitNanos(long nanos) {
        try {
            arrived.awaitNanos(nanos);
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts the writer", e);
        }
    }

    private static void take(ArrayDeque<Item<?>> from, List<Item<?>> into) {
        while (into.size() < MOST_PER_COMMIT && !from.isEmpty()) {
            into.add(from.poll());
        }
    }

    private void commit(List<Item<?>> batch) {
        Tx tx = new Tx(sql, clock, lastId);
        try {
            for (Item<?> item : batch) {
                item.run(tx);
            }
            tx.preparations().forEach(Runnable::run);
            if (tx.lastId() != tx.beganAfter()) {
                Sequences.keep(tx, Sequences.MESSAGES, tx.lastId());
            }
            sql.commit();
        } catch (RuntimeException | Error e) {
            sql.rollback();
            throw e;
        }
        healthy = true;
        lastId = tx.lastId();
        for (Runnable effect : tx.effects()) {
            try {
                effect.run();
            } catch (RuntimeException e) {
                LOG.error("an effect of a commit failed; the sweep will repair it", e);
            }
        }
        onCommit.accept(batch.size());
        for (Item<?> item : batch) {
            item.complete();
        }
    }

    private void commitAlone(Item<?> item) {
        try {
            commit(List.of(item));
        } catch (RuntimeException | Error e) {
            healthy = false;
            onRollback.run();
            LOG.error("a write failed: {}", e.getMessage());
            item.answer.completeExceptionally(e);
        }
    }

    /** Commits what waits, then stops. */
    @Override
    public void close() {
        lock.lock();
        try {
            stopping = true;
            arrived.signal();
        } finally {
            lock.unlock();
        }
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
