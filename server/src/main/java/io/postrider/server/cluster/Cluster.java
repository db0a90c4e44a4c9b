package io.postrider.server.cluster;

import io.postrider.server.clock.Clock;
import io.postrider.server.delivery.NodeRegistry;
import io.postrider.server.delivery.NodeRegistry.Node;
import io.postrider.server.delivery.NodeRegistry.Self;
import io.postrider.server.delivery.Placement;
import io.postrider.server.delivery.WakeUps;
import io.postrider.server.metrics.Metrics;
import io.postrider.server.session.Sessions;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** This node among others on the same store. Thread-safe. */
public final class Cluster implements AutoCloseable {
    /** One renews the lease, which never waits; one does what may. */
    private static final int THREADS = 2;

    /** How old what is known of other nodes, and of Redis, may be. */
    private static final long LOOK_MILLIS = 1_000;

    private static final int MOST_IN_VAIN = 3;

    private final NodeRegistry registry;
    private final Clock clock;
    private final Parting parting;
    private final Members members;
    private final @Nullable RedisHints hints;
    private final ScheduledExecutorService chores =
            Executors.newScheduledThreadPool(
                    THREADS, Thread.ofPlatform().name("cluster-", 0).daemon().factory());
    private final AtomicBoolean sendingAway = new AtomicBoolean();
    private volatile @Nullable Lease lease;
    private volatile List<String> here = List.of();

    /** When a hint came last, by the clock's ticks. */
    private volatile long heardAt;

    /** Turns of renewing; confined to them. */
    private int inVain;

    /** How a node parts with its devices. Each call blocks until it has. */
    public interface Parting {
        /** Others took it for dead, and may present what its sessions were to. */
        void takenForDead();

        /** It cannot reach the store, which others can: its devices are better off with them. */
        void cutOff();
    }

    /**
     * @param redis null where nodes find out by looking
     * @param channel names the store among those that use the same Redis
     */
    public Cluster(
            NodeRegistry registry,
            Sessions sessions,
            Clock clock,
            Metrics metrics,
            @Nullable RedisAddress redis,
            String channel,
            Parting parting) {
        this.registry = registry;
        this.clock = clock;
        this.parting = parting;
        this.heardAt = clock.ticks();
        this.members = new Members(registry);
        this.hints =
                redis == null
                        ? null
                        : new RedisHints(
                                redis,
                                channel,
                                id -> {
                                    heardAt = clock.ticks();
                                    sessions.heardOf(id);
                                },
                                sessions::look);
        metrics.health("lease.held", "Whether this node may present messages", this::mayPresent);
        if (hints != null) {
            metrics.health(
                    "redis.connected", "Whether nodes hear of each other at once", this::hasHints);
        }
    }

    /** These, and hints for other nodes with them. */
    public WakeUps around(WakeUps here) {
        return hints == null ? here : new HintingWakeUps(here, hints);
    }

    /** Joins the others: when it returns, the node may present messages. Blocks. */
    public void join(Self self) {
        Lease mine = new Lease(registry, self, clock, parting::takenForDead);
        here = self.gateways();
        mine.renew().join();
        lease = mine;
        members.refresh();
        chores.scheduleAtFixedRate(
                () -> renew(mine), Lease.RENEW_MILLIS, Lease.RENEW_MILLIS, TimeUnit.MILLISECONDS);
        chores.scheduleWithFixedDelay(this::keepUp, 0, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    /**
     * A hint proves that the store works for others. Who had no lease by then, and still has none
     * after some turns more, is cut off; not so soon, since a store that comes back does not come
     * back for all of them at once.
     */
    private void renew(Lease mine) {
        inVain = mine.hasEndedBy(heardAt - Lease.RENEW_MILLIS) ? inVain + 1 : 0;
        if (inVain >= MOST_IN_VAIN && sendingAway.compareAndSet(false, true)) {
            Thread.ofVirtual().start(this::part);
        }
        mine.renew();
    }

    private void part() {
        try {
            parting.cutOff();
        } finally {
            sendingAway.set(false);
        }
    }

    private void keepUp() {
        if (hints != null) {
            hints.keepConnected();
        }
        members.refresh();
    }

    /** Whether this node's sessions may present messages (G11). Never blocks. */
    public boolean mayPresent() {
        Lease mine = lease;
        return mine != null && mine.isHeld();
    }

    /** Whether Redis can be used; false, too, where none was named. */
    public boolean hasHints() {
        return hints != null && hints.isConnected();
    }

    /** The nodes that run, in the order of their starts. Never blocks. */
    public List<Node> nodes() {
        return members.running();
    }

    /** The gateways of all nodes, in the order in which this device is to try them. */
    public List<String> gatewaysFor(String deviceId) {
        return members.gatewaysFor(Placement.of(deviceId));
    }

    /**
     * The gateways of the other nodes, in the order in which a device is to try them.
     *
     * @param device its {@link Placement}
     */
    public List<String> elsewhereFor(long device) {
        return members.gatewaysFor(device, here);
    }

    @Override
    public void close() {
        chores.shutdownNow();
        if (hints != null) {
            hints.close();
        }
    }
}
