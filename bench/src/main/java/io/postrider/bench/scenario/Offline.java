package io.postrider.bench.scenario;

import io.postrider.bench.Figures;
import io.postrider.bench.Probe;
import io.postrider.bench.Progress;
import io.postrider.bench.peer.Loops;
import io.postrider.bench.peer.Peer;
import io.postrider.bench.peer.Peer.Delivery;
import io.postrider.bench.peer.Peer.Publishing;
import java.time.Duration;

/** Messages to devices that are away, each to one; then all of them come and take theirs. */
public final class Offline implements Scenario {
    private static final int MESSAGES_EACH = 400;
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @Override
    public Figures run(Peer peer, Loops loops, Load load, Progress progress) throws Exception {
        progress.begin(peer.name() + ": registering");
        peer.prepareAbsent(load.connections(), loops, progress);
        Probe probe = new Probe(peer.pid());
        Publishing publishing = peer.publishing(loops, Delivery.EACH);
        long total = (long) load.connections() * MESSAGES_EACH;
        // Once to be warm, once to be measured.
        progress.begin("publishing");
        Growth.publish(publishing, 0, load.connections(), total, progress);

        double cpu = probe.cpuSeconds();
        long began = System.nanoTime();
        progress.begin("publishing");
        Growth.publish(publishing, 0, load.connections(), total, progress);
        double publishSeconds = (System.nanoTime() - began) / 1e9;
        double publishCpu = probe.cpuSeconds() - cpu;

        long measured = total;
        total += measured;
        try (Crowd crowd = new Crowd(peer, loops, load.connections())) {
            cpu = probe.cpuSeconds();
            began = System.nanoTime();
            crowd.connect(progress);
            progress.begin("draining");
            crowd.awaitReceived(total, PATIENCE);
            double draining = (System.nanoTime() - began) / 1e9;
            progress.end();
            return new Figures()
                    .put("connections", crowd.size())
                    .put("deliveries", crowd.received())
                    .put("publishedPerSecond", measured / publishSeconds)
                    .put("publishCpuSecondsPerMillion", publishCpu / measured * 1e6)
                    .put("perSecond", crowd.received() / draining)
                    .put(
                            "cpuSecondsPerMillion",
                            (probe.cpuSeconds() - cpu) / crowd.received() * 1e6)
                    .put("lost", total - crowd.received());
        }
    }
}
