package io.postrider.server.identity;

import io.postrider.server.clock.Clock;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What one app may take of the server, as its operator has set it; 0 is no limit. Thread-safe. */
public final class Quotas {
    private final int connections;
    private final int publishesPerSecond;
    private final long storedMessages;
    private final @Nullable RateLimit publishes;

    public Quotas(int connections, int publishesPerSecond, long storedMessages, Clock clock) {
        this.connections = connections;
        this.publishesPerSecond = publishesPerSecond;
        this.storedMessages = storedMessages;
        this.publishes =
                publishesPerSecond == 0
                        ? null
                        : new RateLimit(publishesPerSecond, Duration.ofSeconds(1), clock);
    }

    /** Whether an app with so many connections may have one more. */
    public boolean allowsConnection(int open) {
        return connections == 0 || open < connections;
    }

    /** Takes one publish. Answers 0 when the app may, else the seconds until it may. */
    public long secondsUntilPublish(long appId) {
        return publishes == null ? 0 : publishes.secondsToWait(Long.toString(appId));
    }

    public int publishesPerSecond() {
        return publishesPerSecond;
    }

    public long storedMessages() {
        return storedMessages;
    }
}
