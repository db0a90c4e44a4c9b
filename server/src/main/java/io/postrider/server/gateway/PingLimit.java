package io.postrider.server.gateway;

import io.postrider.server.clock.Clock;

/** How many pings of one connection are answered in a second. Confined to its event loop. */
final class PingLimit {
    private static final int MOST_A_SECOND = 50;

    private final Clock clock;
    private long second;
    private int count;

    PingLimit(Clock clock) {
        this.clock = clock;
    }

    /** Counts one more. */
    boolean isExceeded() {
        long now = clock.ticks() / 1_000;
        if (now != second) {
            second = now;
            count = 0;
        }
        return ++count > MOST_A_SECOND;
    }
}
