package io.postrider.server.session;

import io.postrider.server.delivery.Message;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a session has presented and its device has not acknowledged, and when it is to be presented
 * again: the timer belongs to all of it, and begins anew with every ack. Confined to the session's
 * loop.
 */
final class InFlight {
    private final Window window;
    private final long[] resendMillis;

    /** Those that the first ack settles. */
    private @Nullable Set<Long> toSettle;

    private long timerFrom;
    private int resends;

    /** The lowest id that left the window unacknowledged; 0 for none. */
    private long leftUnacked;

    InFlight(SessionLimits limits) {
        this.window = new Window(limits.window());
        this.resendMillis = limits.resendMillis();
    }

    boolean isEmpty() {
        return window.isEmpty();
    }

    int room() {
        return window.room();
    }

    boolean contains(long id) {
        return window.contains(id);
    }

    List<Long> all() {
        return window.all();
    }

    void add(Message message, long now) {
        if (window.isEmpty()) {
            restartTimer(now);
        }
        window.add(message.id());
        if (message.firstAckSettles()) {
            toSettle = toSettle == null ? new HashSet<>() : toSettle;
            toSettle.add(message.id());
        }
    }

    /** Whether an ack of it may settle it. */
    boolean mayBeSettled(long id) {
        return toSettle != null && toSettle.contains(id);
    }

    void acknowledged(long id, long now) {
        if (remove(id)) {
            restartTimer(now);
        }
    }

    /** Whether it was here. */
    boolean remove(long id) {
        if (toSettle != null && toSettle.remove(id) && toSettle.isEmpty()) {
            toSettle = null;
        }
        return window.remove(id);
    }

    private void restartTimer(long now) {
        timerFrom = now;
        resends = 0;
    }

    /** Whether it is time to present it again. */
    boolean isDue(long now) {
        return !window.isEmpty() && now - timerFrom >= resendMillis[resends];
    }

    /** The number of the next presentation, the first one being 1. */
    int attempt() {
        return resends + 2;
    }

    /** It was presented again; after the last time it leaves, so that later messages flow. */
    void presentedAgain() {
        resends++;
        if (resends < resendMillis.length) {
            return;
        }
        if (!window.isEmpty() && leftUnacked == 0) {
            leftUnacked = window.first();
        }
        window.clear();
        toSettle = null;
        resends = 0;
    }

    /** The lowest id that was presented and may still be pending, at most {@code otherwise}. */
    long lowest(long otherwise) {
        long lowest = window.isEmpty() ? otherwise : Math.min(otherwise, window.first());
        return leftUnacked > 0 ? Math.min(lowest, leftUnacked) : lowest;
    }
}
