package io.postrider.client;

import io.postrider.client.Acks.Overdue;
import io.postrider.client.RecentIds.Known;
import io.postrider.protocol.v1.ClientFrame;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Looks after acks until the server has confirmed them: sends them again, tries HTTP where the
 * connection does not get them through, and remembers what was acknowledged. Confined to its
 * client's lock, but for the call over HTTP.
 */
final class AckKeeper {
    /** The client whose acks these are. */
    interface Owner {
        boolean isReady();

        void send(ClientFrame frame);

        String token();

        void tell(Consumer<DeviceObserver> event);
    }

    private final Owner owner;
    private final ReentrantLock lock;
    private final Threads threads;
    private final Acks acks;
    private final @Nullable IdFile memory;
    private final @Nullable AckFallback fallback;
    private final long timeoutMillis;
    private @Nullable ScheduledFuture<?> timer;
    private boolean closed;
    private @Nullable String epoch;

    AckKeeper(DeviceClientBuilder builder, Owner owner, ReentrantLock lock) {
        this.owner = owner;
        this.lock = lock;
        this.threads = builder.threads;
        this.memory = open(builder.memory);
        this.epoch = epochOf(memory);
        this.timeoutMillis = builder.ackTimeoutMillis;
        this.acks =
                new Acks(
                        memory,
                        timeoutMillis,
                        failure -> owner.tell(watching -> watching.onMemoryFailed(failure)));
        this.fallback = builder.registered == null ? null : new AckFallback(builder.registered);
    }

    private static @Nullable IdFile open(@Nullable File file) {
        try {
            return file == null ? null : new IdFile(file, Acks.MOST_RECENT_IDS);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static @Nullable String epochOf(@Nullable IdFile file) {
        try {
            return file == null ? null : file.epoch();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Remembers the server's epoch; answers the one before, null if there was none. */
    @Nullable String epoch(String now) {
        String before = epoch;
        if (!now.equals(before)) {
            epoch = now;
            try {
                if (memory != null) {
                    memory.epoch(now);
                }
            } catch (IOException failure) {
                owner.tell(watching -> watching.onMemoryFailed(failure));
            }
        }
        return before;
    }

    Known receive(long id) {
        return acks.receive(id, Heartbeat.now());
    }

    void refuse(long id) {
        acks.refuse(id);
    }

    void acknowledge(long id) {
        acks.acknowledge(id, Heartbeat.now());
        watch();
    }

    void opened(long id) {
        acks.opened(id, Heartbeat.now());
        watch();
    }

    boolean areMany() {
        return acks.areMany();
    }

    void flush() {
        if (owner.isReady()) {
            acks.flush(owner::send);
        }
    }

    /** On a new connection everything unconfirmed is told again. */
    void startOver() {
        acks.startOver();
        flush();
    }

    void answered(long id, String outcome) {
        acks.confirmed(id);
        owner.tell(watching -> watching.onAckAnswered(id, outcome));
    }

    private void watch() {
        if (timer == null && !closed && !acks.allConfirmed()) {
            timer =
                    threads.timers()
                            .schedule(this::lookAfter, timeoutMillis, TimeUnit.MILLISECONDS);
        }
    }

    private void lookAfter() {
        lock.lock();
        try {
            timer = null;
            Overdue overdue = acks.timedOut(Heartbeat.now());
            flush();
            watch();
            AckFallback other = fallback;
            if (other != null && !overdue.isEmpty()) {
                String token = owner.token();
                threads.factory().newThread(() -> post(other, overdue, token)).start();
            }
        } finally {
            lock.unlock();
        }
    }

    private void post(AckFallback other, Overdue overdue, String token) {
        try {
            Map<Long, String> outcomes = other.post(overdue, token);
            lock.lock();
            try {
                outcomes.forEach(this::answered);
            } finally {
                lock.unlock();
            }
        } catch (IOException | RuntimeException stillUnconfirmed) {
            // They are told again on the connection, and here when that has failed again.
        }
    }

    /** Tells nothing more, and gives the file back. */
    void close() {
        closed = true;
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
        try {
            if (memory != null) {
                memory.close();
            }
        } catch (IOException failure) {
            owner.tell(watching -> watching.onMemoryFailed(failure));
        }
    }
}
