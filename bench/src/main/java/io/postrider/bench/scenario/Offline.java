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
    private static final int MESSAGES_EACH = 800;
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @Override
    public Figures run(Peer peer, Loops loops, Load load, Progress progress) throws Exception {
        progress.begin(peer.name() + ": registering");
        peer.prepareAbsent(load.connections(), loops, progress);
        Publishing publishing = peer.publishing(loops, Delivery.EACH);
        Run run = new Run(peer, loops, publishing, load.connections(), progress);
        // To be warm.
        run.publish();
        run.drain();
        return new Figures()
                .put("connections", load.connections())
                .putAll(run.publish())
                .putAll(run.drain());
    }

    private record Run(
            Peer peer, Loops loops, Publishing publishing, int devices, Progress progress) {
        private long messages() {
            return (long) devices * MESSAGES_EACH;
        }

        Figures publish() throws Exception {
            Probe probe = new Probe(peer.pids());
            double cpu = probe.cpuSeconds();
            long began = System.nanoTime();
            progress.begin("publishing");
            InFlight.publish(publishing, 0, devices, messages(), progress);
            return new Figures()
                    .put("publishedPerSecond", messages() / secondsSince(began))
                    .put(
                            "publishCpuSecondsPerMillion",
                            (probe.cpuSeconds() - cpu) / messages() * 1e6);
        }

        Figures drain() throws Exception {
            Probe probe = new Probe(peer.pids());
            double cpu = probe.cpuSeconds();
            long began = System.nanoTime();
            try (Crowd crowd = new Crowd(peer, loops, devices)) {
                crowd.connect(progress);
                progress.begin("draining");
                crowd.awaitReceived(messages(), PATIENCE);
                double seconds = secondsSince(began);
                progress.end();
                return new Figures()
                        .put("deliveries", crowd.received())
                        .put("perSecond", crowd.received() / seconds)
                        .put(
                                "cpuSecondsPerMillion",
                                (probe.cpuSeconds() - cpu) / crowd.received() * 1e6)
                        .put("lost", messages() - crowd.received());
            }
        }

        private static double secondsSince(long began) {
            return (System.nanoTime() - began) / 1e9;
        }
    }
}
