package io.postrider.server.clock;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Time that goes on when the machine's clock jumps (docs/adr/0008-the-stores-clock.md): it starts
 * at the machine's time, or where an earlier run left off if that is later, and then counts by the
 * monotonic clock. A difference to the machine's clock is made up slowly, a hundredth of the time
 * that passes; the whole of it is taken over when the machine was asleep, and by the next start if
 * the machine's time is the later one.
 */
final class SteadyClock implements Clock {
    private static final Logger LOG = LoggerFactory.getLogger(SteadyClock.class);
    private static final long LOOK_MILLIS = 1_000;
    private static final long JUMP_MILLIS = 60_000;
    private static final int SLEW = 100;

    private final LongSupplier wall;
    private final LongSupplier monotonic;
    private final LongSupplier uptime;

    /** What is added to the monotonic clock. */
    private volatile long offset;

    private volatile long lookedAt;

    /** Once time was adopted, the machine's own does not count. */
    private volatile boolean adopted;

    private final long startedAt;
    private final long uptimeAtStart;
    private long slept;
    private boolean warned;

    /**
     * @param wall the machine's clock, which may be set by anybody
     * @param monotonic never jumps, but may stand still while the machine sleeps
     * @param uptime counts while the machine sleeps too; negative where that is not known
     */
    SteadyClock(LongSupplier wall, LongSupplier monotonic, LongSupplier uptime) {
        this.wall = wall;
        this.monotonic = monotonic;
        this.uptime = uptime;
        this.startedAt = monotonic.getAsLong();
        this.lookedAt = startedAt;
        this.offset = wall.getAsLong() - startedAt;
        this.uptimeAtStart = uptime.getAsLong();
    }

    @Override
    public long millis() {
        long now = monotonic.getAsLong();
        if (now - lookedAt >= LOOK_MILLIS && !adopted) {
            look(now);
        }
        return now + offset;
    }

    @Override
    public long ticks() {
        return monotonic.getAsLong();
    }

    @Override
    public synchronized void notBefore(long millis) {
        offset = Math.max(offset, millis - monotonic.getAsLong());
    }

    @Override
    public synchronized long adopt(long millis) {
        adopted = true;
        offset = millis - monotonic.getAsLong();
        return millis;
    }

    private synchronized void look(long now) {
        long passed = now - lookedAt;
        if (passed < LOOK_MILLIS) {
            return;
        }
        lookedAt = now;
        long difference = wall.getAsLong() - (now + offset);
        if (Math.abs(difference) >= JUMP_MILLIS) {
            difference -= asleep(now);
        }
        warn(difference);
        long most = Math.max(1, passed / SLEW);
        long nearer = offset + Math.clamp(difference, -most, most);
        offset = nearer;
    }

    /** Takes over what the machine slept since the last time; answers how much that was. */
    private long asleep(long now) {
        long up = uptime.getAsLong();
        long more = up - uptimeAtStart - (now - startedAt) - slept;
        if (up < 0 || uptimeAtStart < 0 || more < JUMP_MILLIS) {
            return 0;
        }
        slept += more;
        long ahead = offset + more;
        offset = ahead;
        return more;
    }

    private void warn(long difference) {
        boolean jumped = Math.abs(difference) >= JUMP_MILLIS;
        if (jumped && !warned) {
            LOG.warn(
                    "the machine's clock was set by {} s; this node goes on with its own time, and"
                            + " makes the difference up slowly",
                    difference / 1_000);
        }
        warned = jumped;
    }

    /** Since the machine was started, sleep included; negative where that is not known. */
    static long machineUptimeMillis() {
        try {
            String line = Files.readString(Path.of("/proc/uptime"));
            return (long) (1_000 * Double.parseDouble(line.substring(0, line.indexOf(' '))));
        } catch (IOException | RuntimeException e) {
            return -1;
        }
    }
}
