package io.postrider.server.cluster;

import io.postrider.server.clock.Clock;
import io.postrider.server.delivery.NodeRegistry;
import io.postrider.server.delivery.NodeRegistry.Self;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node's right to present messages, in a store that others use, too. It ends by this node's
 * own ticking before it ends in the store, so that a process that stood still, or is cut off,
 * presents nothing after others may have begun to (G11). Thread-safe.
 */
public final class Lease {
    private static final Logger LOG = LoggerFactory.getLogger(Lease.class);

    /** Long enough for a pause of the JVM or of the database. */
    public static final long MILLIS = 10_000;

    /** How often {@link #renew} is to be called. */
    public static final long RENEW_MILLIS = 2_500;

    private final NodeRegistry registry;
    private final Self self;
    private final Clock clock;
    private final Runnable lost;
    private final AtomicBoolean renewing = new AtomicBoolean();
    private volatile long until;
    private volatile long heldSince;
    private volatile boolean isInterrupted;

    /**
     * @param lost ends all sessions of this node; when it returns, none presents anything any more
     */
    public Lease(NodeRegistry registry, Self self, Clock clock, Runnable lost) {
        this.registry = registry;
        this.self = self;
        this.clock = clock;
        this.lost = lost;
        this.until = clock.ticks();
        this.heldSince = until;
    }

    /** Whether the node may present messages. Never blocks. */
    public boolean isHeld() {
        return clock.ticks() < until;
    }

    /** Whether it is not held, and was not then, by the clock's ticks. Never blocks. */
    boolean hasEndedBy(long ticks) {
        return ticks >= until;
    }

    /**
     * Asks the store for more time, unless it is being asked. Who has held a lease for as long as
     * one lasts, and was answered soon each time, ends those that were not renewed meanwhile: after
     * a store's outage nobody's was, and everybody gets as much time to ask again. Completes with
     * the store's answer.
     */
    public CompletableFuture<Void> renew() {
        if (!renewing.compareAndSet(false, true)) {
            return CompletableFuture.completedFuture(null);
        }
        long asked = clock.ticks();
        if (asked >= until || isInterrupted) {
            heldSince = asked;
            isInterrupted = false;
        }
        return registry.renew(self, MILLIS)
                .whenComplete((renewed, failure) -> {
                    if (failure != null) {
                        LOG.warn("the lease was not renewed: {}", failure.getMessage());
                        isInterrupted = true;
                        renewing.set(false);
                    } else if (renewed) {
                        held(asked);
                    } else {
                        Thread.ofVirtual().start(this::startAgain);
                    }
                })
                .thenAccept(renewed -> {});
    }

    private void held(long asked) {
        until = asked + MILLIS;
        isInterrupted = clock.ticks() - asked > RENEW_MILLIS;
        renewing.set(false);
        if (!isInterrupted && asked - heldSince >= MILLIS) {
            registry.endSilent()
                    .thenAccept(ended -> {
                        if (ended > 0) {
                            LOG.warn("{} nodes were not heard of any more, and have ended", ended);
                        }
                    });
        }
    }

    private void startAgain() {
        try {
            LOG.warn("this node was not heard of for too long: its devices have to come again");
            lost.run();
            long asked = clock.ticks();
            registry.startAgain(self, MILLIS).join();
            heldSince = asked;
            held(asked);
        } catch (RuntimeException e) {
            LOG.warn("the node could not start again, will be tried again: {}", e.getMessage());
            renewing.set(false);
        }
    }
}
