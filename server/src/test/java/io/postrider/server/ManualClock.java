package io.postrider.server;

import io.postrider.server.clock.Clock;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** The machine's clock, plus what a test adds to it. */
public class ManualClock implements Clock {
    private final Clock system = Clock.system();
    private final AtomicLong added = new AtomicLong();

    @Override
    public long millis() {
        return system.millis() + added.get();
    }

    @Override
    public long ticks() {
        return system.ticks() + added.get();
    }

    @Override
    public void notBefore(long millis) {
        added.updateAndGet(now -> Math.max(now, millis - system.millis()));
    }

    /** A test moves the time of the database, too. */
    @Override
    public long adopt(long millis) {
        return millis();
    }

    public void advance(Duration time) {
        added.addAndGet(time.toMillis());
    }
}
