package io.postrider.bench.scenario;

import io.postrider.bench.Figures;
import io.postrider.bench.Probe;
import io.postrider.bench.Progress;
import io.postrider.bench.peer.Loops;
import io.postrider.bench.peer.Peer;
import io.postrider.bench.peer.Peer.Delivery;
import io.postrider.bench.peer.Peer.Publishing;
import java.time.Duration;

/**
 * Whether a delivery costs more the more is stored: 1:1 at ten thousand stored messages, and again
 * at each ten times as many. What is stored between is for devices that are away.
 */
public final class Growth implements Scenario {
    private static final int FIRST = 10_000;
    private static final int MEASURED = 200_000;
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final long most;

    /**
     * @param most how many messages are stored in the end, about
     */
    public Growth(long most) {
        this.most = most;
    }

    @Override
    public Figures run(Peer peer, Loops loops, Load load, Progress progress) throws Exception {
        int connected = load.connections();
        peer.prepare(2 * connected, progress);
        Figures figures = new Figures().put("connections", connected);
        try (Crowd crowd = Crowd.connected(peer, loops, connected, progress)) {
            Publishing publishing = peer.publishing(loops, Delivery.EACH);
            // To be warm.
            InFlight.publish(publishing, 0, connected, MEASURED, progress);
            long expected = MEASURED;
            long stored = MEASURED;
            Probe probe = new Probe(peer.pids());
            for (long size = FIRST; size <= most; size *= 10) {
                long missing = size - stored;
                if (missing > 0) {
                    progress.begin("storing " + size);
                    InFlight.publish(publishing, connected, connected, missing, progress);
                    stored += missing;
                }
                crowd.awaitReceived(expected, PATIENCE);
                double cpu = probe.cpuSeconds();
                progress.begin("1:1 at " + size);
                InFlight.publish(publishing, 0, connected, MEASURED, progress);
                expected += MEASURED;
                stored += MEASURED;
                crowd.awaitReceived(expected, PATIENCE);
                figures.put(
                        "cpuSecondsPerMillionAt" + size,
                        (probe.cpuSeconds() - cpu) / MEASURED * 1e6);
            }
            return figures.put("deliveries", crowd.received())
                    .put("lost", expected - crowd.received());
        }
    }
}
