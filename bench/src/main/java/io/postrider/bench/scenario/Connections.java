package io.postrider.bench.scenario;

import io.postrider.bench.Figures;
import io.postrider.bench.Probe;
import io.postrider.bench.Progress;
import io.postrider.bench.peer.Loops;
import io.postrider.bench.peer.Peer;
import java.util.concurrent.TimeUnit;

/** What a connection costs: to be opened and to prove itself, and to be there. */
public final class Connections {
    /** Connections before it counts: with fewer, half of a JVM's CPU is its compiler's. */
    private static final int WARM_UP = 60_000;

    private static final int FIRST = 1_000;

    private Connections() {}

    /** CPU of connecting, once the peer is warm: everyone has been there before. */
    public static Scenario connect() {
        return (peer, loops, load, progress) -> {
            Probe probe = new Probe(peer.pids());
            for (int done = 0; done < WARM_UP; done += load.connections()) {
                Crowd.connected(peer, loops, load.connections(), progress).close();
            }
            double cpuBefore = probe.cpuSeconds();
            long began = System.nanoTime();
            try (Crowd crowd = Crowd.connected(peer, loops, load.connections(), progress)) {
                double seconds = (System.nanoTime() - began) / 1e9;
                double cpu = probe.cpuSeconds() - cpuBefore;
                return new Figures()
                        .put("connections", crowd.size())
                        .put("perSecond", crowd.size() / seconds)
                        .put("cpuMsPerConnect", cpu / crowd.size() * 1_000);
            }
        };
    }

    /** Memory of connections that do nothing, garbage collected before each look. */
    public static Scenario idle() {
        return Connections::idle;
    }

    private static Figures idle(Peer peer, Loops loops, Scenario.Load load, Progress progress)
            throws Exception {
        Probe probe = new Probe(peer.pids());
        peer.prepare(load.connections(), progress);
        // Code and pools are there once the first ones have come and gone.
        Crowd.connected(peer, loops, Math.min(FIRST, load.connections()), progress).close();
        long residentBefore = resident(peer, probe);
        Figures figures = new Figures().put("connections", load.connections());
        long heapBefore = peer.isJava() ? probe.liveHeapBytes() : 0;
        try (Crowd crowd = Crowd.connected(peer, loops, load.connections(), progress)) {
            progress.begin("being idle");
            double cpuBefore = probe.cpuSeconds();
            TimeUnit.SECONDS.sleep(load.seconds());
            double cpu = probe.cpuSeconds() - cpuBefore;
            progress.end();
            if (peer.isJava()) {
                figures.put(
                        "liveHeapKb",
                        (probe.liveHeapBytes() - heapBefore) / 1_024.0 / crowd.size());
            }
            return figures.put(
                            "residentKb",
                            (double) (resident(peer, probe) - residentBefore) / crowd.size())
                    .put("cpuMicrosPerSecond", cpu / load.seconds() / crowd.size() * 1e6)
                    .put("lost", crowd.gone());
        }
    }

    private static long resident(Peer peer, Probe probe) {
        if (peer.isJava()) {
            probe.collect();
        }
        return probe.residentKb();
    }
}
