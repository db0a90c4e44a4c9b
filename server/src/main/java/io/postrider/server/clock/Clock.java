package io.postrider.server.clock;

/** Where every class takes its time from, so that tests can move it. Thread-safe. */
public interface Clock {
    /** The machine's clock, in milliseconds since 1970. May jump. */
    long millis();

    /** Milliseconds since some fixed moment. Never jumps, never goes back; for durations. */
    long ticks();

    /** The machine's own clocks. */
    static Clock system() {
        return new Clock() {
            @Override
            public long millis() {
                return System.currentTimeMillis();
            }

            @Override
            public long ticks() {
                return System.nanoTime() / 1_000_000;
            }
        };
    }
}
