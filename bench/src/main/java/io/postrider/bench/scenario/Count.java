package io.postrider.bench.scenario;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;

/** Counts what comes on event loops, and lets somebody wait for so many. Thread-safe. */
final class Count {
    private final AtomicLong count = new AtomicLong();
    private volatile LongConsumer onEach = now -> {};

    void increment() {
        onEach.accept(count.incrementAndGet());
    }

    long get() {
        return count.get();
    }

    /** Called after each with how many there are, on event loops. */
    void onEach(LongConsumer task) {
        onEach = task;
    }

    /** Waits until there are so many; answers whether there are. */
    boolean await(long wanted, Duration patience) {
        Thread waiting = Thread.currentThread();
        LongConsumer before = onEach;
        onEach =
                now -> {
                    if (now == wanted) {
                        LockSupport.unpark(waiting);
                    }
                };
        long until = System.nanoTime() + patience.toNanos();
        for (long left = patience.toNanos();
                get() < wanted && left > 0;
                left = until - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
        onEach = before;
        return get() >= wanted;
    }
}
