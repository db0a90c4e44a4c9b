package io.postrider.server.store;

import io.postrider.server.delivery.MessageStore;
import io.postrider.server.delivery.MessageStore.Intake;
import io.postrider.server.delivery.StoreUnavailable;
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
 *
 * <p>If the disk fails, everything that waits fails with it. The connection is given up and nothing
 * is written until one that was opened anew has committed and flushed: after a failed flush, what
 * the old one believes to be on disk may not be there.
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

    /** What is kept in memory of what was written. On the writer thread. */
    interface Memory {
        /** Reads it anew, from a connection in place of one that failed. */
        void load(Sql sql);

        /** This was, and has new ids. After its effects, before its news. */
        void committed(Tx tx);

        /** It may be other than what is committed. */
        void forget();

        /** It may be older than what is committed. */
        void othersWrote();
    }

    private static final Logger LOG = LoggerFactory.getLogger(Writer.class);
    private static final int MOST_PER_COMMIT = 1_000;
    private static final long LAZY_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    /**
     * How long the turn is left to other nodes after one's own, unless enough waits. Where each
     * takes its turn as soon as it can, all of them wait for each other, and for small groups.
     */
    private static final long REST_NANOS = TimeUnit.MILLISECONDS.toNanos(12);

    private static final int ENOUGH_ITEMS = 100;

    private static final long REOPEN_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long IDLE_NANOS = TimeUnit.HOURS.toNanos(1);

    /** What waits when the writer takes a second for it, by its rate on a slow disk. */
    private static final int CONGESTED_ITEMS = 5_000;

    private static final long CONGESTED_NANOS = TimeUnit.SECONDS.toNanos(1);

    private Sql sql;
    private final Engine engine;
    private final Memory memory;
    private final LongConsumer onCommit;
    private final Thread thread = new Thread(this::run, "store-writer");

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private final ArrayDeque<Item<?>> urgent = new ArrayDeque<>();
    private final ArrayDeque<Item<?>> lazy = new ArrayDeque<>();
    private long lazyDue;
    private volatile boolean stopping;
    private long restUntil = System.nanoTime();

    private volatile long lastId;
    private volatile boolean broken;

    private static final class Item<T> {
        final Work<T> work;
        final CompletableFuture<T> answer = new CompletableFuture<>();
        final long since = System.nanoTime();
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
     * @param sql the engine's connection, in a transaction that has done nothing
     * @param onCommit called after each commit, with how many pieces of work it held
     */
    Writer(Sql sql, Engine engine, long lastId, Memory memory, LongConsumer onCommit) {
        this.sql = sql;
        this.engine = engine;
        this.lastId = lastId;
        this.memory = memory;
        this.onCommit = onCommit;
    }

    void start() {
        thread.start();
    }

    /** See {@link MessageStore#intake}. */
    Intake intake() {
        if (broken) {
            return Intake.BROKEN;
        }
        lock.lock();
        try {
            Item<?> oldest = urgent.peek();
            boolean late = oldest != null && System.nanoTime() - oldest.since > CONGESTED_NANOS;
            return late || urgent.size() > CONGESTED_ITEMS ? Intake.CONGESTED : Intake.OPEN;
        } finally {
            lock.unlock();
        }
    }

    /** The files have failed elsewhere: writes nothing more before they are opened anew. */
    void distrust() {
        lock.lock();
        try {
            broken = true;
            arrived.signal();
        } finally {
            lock.unlock();
        }
    }

    boolean isCurrentThread() {
        return Thread.currentThread().equals(thread);
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
                item.answer.completeExceptionally(new StoreUnavailable("the store is closed"));
                return item.answer;
            }
            if (lazily && lazy.isEmpty()) {
                lazyDue = System.nanoTime() + LAZY_NANOS;
            }
            ArrayDeque<Item<?>> waiting = lazily ? lazy : urgent;
            waiting.add(item);
            if (waiting.size() == 1 || urgent.size() == ENOUGH_ITEMS) {
                arrived.signal();
            }
        } finally {
            lock.unlock();
        }
        return item.answer;
    }

    private void run() {
        boolean running = true;
        while (running) {
            running = awaitWork();
            if (broken) {
                takeAll().forEach(Writer::failUnavailable);
                if (running) {
                    reopen();
                }
            } else if (running) {
                commitTogether();
            }
        }
    }

    /** What comes while another node has its turn goes with what waited for it. */
    private void commitTogether() {
        List<Item<?>> batch = List.of();
        try {
            Tx tx = begin();
            batch = takeAll();
            commit(tx, batch);
        } catch (RuntimeException | Error e) {
            memory.forget();
            if (batch.isEmpty()) {
                batch = takeAll();
            }
            if (isOfTheDatabase(e)) {
                breakDown(e);
                batch.forEach(Writer::failUnavailable);
                return;
            }
            LOG.warn("{} writes were not committed together: {}", batch.size(), e.getMessage());
            batch.forEach(this::commitAlone);
        }
    }

    private static boolean isOfTheDatabase(Throwable failure) {
        return failure instanceof StoreException store && store.isOfTheDatabase();
    }

    private void breakDown(Throwable failure) {
        broken = true;
        LOG.error(
                "the database failed, nothing is accepted until it works: {}",
                failure.getMessage());
    }

    private static void failUnavailable(Item<?> item) {
        item.answer.completeExceptionally(
                new StoreUnavailable("the database is full, failing or gone"));
    }

    private void reopen() {
        sql.abandon();
        try {
            sql = engine.connectAgain();
            memory.load(sql);
            lastId = Sequences.last(sql, Sequences.MESSAGES);
            sql.begin();
        } catch (RuntimeException e) {
            LOG.debug("the database still fails", e);
            return;
        }
        memory.forget();
        broken = false;
        LOG.info("the database works again");
    }

    /**
     * Waits for work, or until it is time to look whether a broken disk works again. False when
     * there is none and the writer is to stop.
     */
    private boolean awaitWork() {
        lock.lock();
        try {
            long reopenAt = System.nanoTime() + REOPEN_NANOS;
            while (!stopping) {
                long until = broken ? reopenAt : takingAt();
                long left = until - System.nanoTime();
                if (left <= 0) {
                    return true;
                }
                awaitNanos(left);
            }
            return !urgent.isEmpty() || !lazy.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /** When what waits is taken, by {@link System#nanoTime}. */
    private long takingAt() {
        if (urgent.size() >= ENOUGH_ITEMS) {
            return System.nanoTime();
        }
        if (!urgent.isEmpty()) {
            return restUntil;
        }
        return lazy.isEmpty() ? System.nanoTime() + IDLE_NANOS : lazyDue;
    }

    @SuppressWarnings("WaitNotInLoop") // the caller looks again, whatever ended the waiting
    private void awaitNanos(long nanos) {
        try {
            arrived.awaitNanos(nanos);
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts the writer", e);
        }
    }

    private List<Item<?>> takeAll() {
        List<Item<?>> batch = new ArrayList<>();
        lock.lock();
        try {
            if (!lazy.isEmpty() && lazyDue - System.nanoTime() <= 0) {
                // However many others wait.
                take(lazy, batch);
            }
            take(urgent, batch);
            take(lazy, batch);
        } finally {
            lock.unlock();
        }
        return batch;
    }

    private static void take(ArrayDeque<Item<?>> from, List<Item<?>> into) {
        while (into.size() < MOST_PER_COMMIT && !from.isEmpty()) {
            into.add(from.poll());
        }
    }

    private Tx begin() {
        try {
            Tx tx = engine.begin(sql, lastId);
            if (tx.othersWrote) {
                memory.othersWrote();
            }
            return tx;
        } catch (RuntimeException | Error e) {
            rollBack(e);
            throw e;
        }
    }

    /** A connection that failed is given up. */
    private void rollBack(Throwable failure) {
        if (!isOfTheDatabase(failure)) {
            sql.rollback();
        }
    }

    private void commit(Tx tx, List<Item<?>> batch) {
        try {
            for (Item<?> item : batch) {
                item.run(tx);
            }
            tx.preparations().forEach(Runnable::run);
            engine.keep(tx);
            sql.commit();
        } catch (RuntimeException | Error e) {
            rollBack(e);
            throw e;
        }
        if (tx.othersWrote) {
            restUntil = System.nanoTime() + REST_NANOS;
        }
        lastId = tx.lastId();
        // Whoever is told of it looks at once, and must find it.
        tx.effects().forEach(Writer::effect);
        if (tx.lastId() != tx.beganAfter()) {
            effect(() -> memory.committed(tx));
        }
        tx.news().forEach(Writer::effect);
        onCommit.accept(batch.size());
        for (Item<?> item : batch) {
            item.complete();
        }
    }

    private static void effect(Runnable effect) {
        try {
            effect.run();
        } catch (RuntimeException | Error e) {
            // Passed on, it would have the batch done a second time.
            LOG.error("an effect of a commit failed; the sweep will repair it", e);
        }
    }

    private void commitAlone(Item<?> item) {
        if (broken) {
            failUnavailable(item);
            return;
        }
        try {
            commit(begin(), List.of(item));
        } catch (RuntimeException | Error e) {
            memory.forget();
            if (isOfTheDatabase(e)) {
                breakDown(e);
                failUnavailable(item);
                return;
            }
            LOG.error("a write failed: {}", e.getMessage());
            item.answer.completeExceptionally(e);
        }
    }

    /** Commits what waits, stops, and closes its connection. */
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
        sql.abandon();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
