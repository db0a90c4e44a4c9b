package io.postrider.server.session;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The ids that a session has presented and that are not acknowledged, in ascending order. An empty
 * window holds no memory but its own. Confined to the session's loop.
 */
final class Window {
    private static final long[] NONE = new long[0];
    private static final int SMALL = 4;

    private final int limit;
    private long[] ids = NONE;
    private int count;

    Window(int limit) {
        this.limit = limit;
    }

    boolean isEmpty() {
        return count == 0;
    }

    int room() {
        return limit - count;
    }

    /** Adds an id that is not here; mostly it is greater than all that are. */
    void add(long id) {
        if (count == limit) {
            throw new IllegalStateException("the window is full");
        }
        if (count == ids.length) {
            ids = Arrays.copyOf(ids, Math.min(limit, Math.max(SMALL, 2 * count)));
        }
        int at = count;
        while (at > 0 && ids[at - 1] > id) {
            at--;
        }
        System.arraycopy(ids, at, ids, at + 1, count - at);
        ids[at] = id;
        count++;
    }

    boolean contains(long id) {
        return Arrays.binarySearch(ids, 0, count, id) >= 0;
    }

    /** Whether it was here. */
    boolean remove(long id) {
        int at = Arrays.binarySearch(ids, 0, count, id);
        if (at < 0) {
            return false;
        }
        System.arraycopy(ids, at + 1, ids, at, count - at - 1);
        count--;
        if (count == 0 && ids.length > SMALL) {
            ids = NONE;
        }
        return true;
    }

    /** The lowest id; the window must not be empty. */
    long first() {
        return ids[0];
    }

    List<Long> all() {
        List<Long> all = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            all.add(ids[i]);
        }
        return all;
    }

    void clear() {
        ids = NONE;
        count = 0;
    }
}
