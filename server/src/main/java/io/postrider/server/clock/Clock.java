package io.postrider.server.clock;

/** Where every class takes its time from, so that tests can move it. Thread-safe. */
public interface Clock {
    /**
     * The store's time, in milliseconds since 1970: what expiry, tokens and ids go by. Follows the
     * machine's clock, but not its jumps; see {@link SteadyClock}.
     */
    long millis();

    /** Milliseconds since some fixed moment. Never jumps, never goes back; for durations. */
    long ticks();

    /** Time was at least this late before: {@link #millis} does not fall behind it. */
    void notBefore(long millis);

    /**
     * A database that several machines share says what time it is: {@link #millis} goes by that
     * from now on, and not by the machine's clock. Answers the time as this clock tells it.
     */
    long adopt(long millis);

    /** By the machine's own clocks. */
    static Clock system() {
        return new SteadyClock(
                System::currentTimeMillis,
                () -> System.nanoTime() / 1_000_000,
                SteadyClock::machineUptimeMillis);
    }
}
