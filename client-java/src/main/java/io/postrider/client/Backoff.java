package io.postrider.client;

import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongUnaryOperator;

/**
 * How long to wait before the next attempt: any time up to a bound that doubles with each failure
 * (full jitter), so that clients which were cut together do not come back together.
 */
final class Backoff {
    static final long BASE_MILLIS = 1_000;
    static final long CAP_MILLIS = 60_000;
    private static final int MOST_DOUBLINGS = 20;

    private final LongUnaryOperator random;
    private int failures;

    /**
     * @param random answers a number from 0 to below its argument
     */
    Backoff(LongUnaryOperator random) {
        this.random = random;
    }

    /** With real chance. */
    static Backoff random() {
        return new Backoff(bound -> ThreadLocalRandom.current().nextLong(bound));
    }

    /** Starts over after a success. */
    void reset() {
        failures = 0;
    }

    int failures() {
        return failures;
    }

    /** The delay after one more failure; the first is up to a second. */
    long nextMillis() {
        long bound = Math.min(CAP_MILLIS, BASE_MILLIS << Math.min(failures, MOST_DOUBLINGS));
        failures++;
        return random.applyAsLong(bound + 1);
    }

    /** A delay that the server asked for: at least {@code afterMillis}, spread over more. */
    long hintedMillis(long afterMillis, long spreadMillis) {
        return afterMillis + random.applyAsLong(spreadMillis + 1);
    }
}
