package io.postrider.server.delivery;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * What happened to messages on this node lately, for the question 'why did device X not get message
 * Y?': the events that the store does not keep. A ring in memory: the newest overwrite the oldest,
 * nothing is allocated. Thread-safe without locks; a reader may miss an event that is just being
 * written, or overwritten.
 */
public final class Trace {
    /** What the ring keeps. */
    public enum Event {
        WOKEN,
        SENT,
        RESENT,
        ACK_TIMED_OUT,
        /** {@link #WOKEN} and at once {@link #SENT}: told as both. */
        WOKEN_AND_SENT
    }

    /** One event, in milliseconds since 1970. */
    public record Entry(long at, Event event) {}

    private static final int LONGS = 3;
    private static final Event[] EVENTS = Event.values();

    private final int capacity;
    private final AtomicLongArray ring;
    private final AtomicLong next = new AtomicLong();
    private final long startedAt;

    /** Keeps the newest {@code capacity} events, in 24 bytes each. */
    public Trace(int capacity, long startedAt) {
        this.capacity = capacity;
        this.ring = new AtomicLongArray(capacity * LONGS);
        this.startedAt = startedAt;
    }

    /**
     * @param now the store's time
     */
    public void record(Event event, long deviceKey, long messageId, long now) {
        int at = (int) (next.getAndIncrement() % capacity) * LONGS;
        ring.setOpaque(at, messageId);
        ring.setOpaque(at + 1, deviceKey);
        ring.setOpaque(at + 2, (now << 3) | event.ordinal());
    }

    /** The device's events of a message, oldest first. */
    public List<Entry> of(long deviceKey, long messageId) {
        List<Entry> found = new ArrayList<>();
        long end = next.get();
        for (long i = Math.max(0, end - capacity); i < end; i++) {
            int at = (int) (i % capacity) * LONGS;
            if (ring.getOpaque(at) == messageId && ring.getOpaque(at + 1) == deviceKey) {
                long kept = ring.getOpaque(at + 2);
                Event event = EVENTS[(int) (kept & 7)];
                if (event == Event.WOKEN_AND_SENT) {
                    found.add(new Entry(kept >>> 3, Event.WOKEN));
                    found.add(new Entry(kept >>> 3, Event.SENT));
                } else {
                    found.add(new Entry(kept >>> 3, event));
                }
            }
        }
        return found;
    }

    /** Everything since this moment is still here. */
    public long completeSince() {
        long end = next.get();
        if (end <= capacity) {
            return startedAt;
        }
        int oldest = (int) (end % capacity) * LONGS;
        return Math.max(startedAt, ring.getOpaque(oldest + 2) >>> 3);
    }
}
