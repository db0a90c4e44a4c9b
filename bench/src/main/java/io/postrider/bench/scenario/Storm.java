package io.postrider.bench.scenario;

import io.postrider.bench.Figures;
import io.postrider.bench.Probe;
import io.postrider.bench.Progress;
import io.postrider.bench.peer.Loops;
import io.postrider.bench.peer.Peer;
import io.postrider.bench.peer.Peer.Publishing;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;

/** Everyone is cut at once and comes back by his own back-off, while a few others get messages. */
public final class Storm implements Scenario {
    private static final int OTHERS = 100;
    private static final int BACK_OFF_MILLIS = 5_000;
    private static final long GAP_MILLIS = 5;
    private static final int DIGITS = 3;

    @Override
    public Figures run(Peer peer, Loops loops, Load load, Progress progress) throws Exception {
        progress.begin(peer.name() + ": registering");
        peer.prepare(OTHERS + load.connections(), progress);
        // Otherwise they would wait for what our own loop has to do for those who are cut.
        try (Loops ofOthers = new Loops(1);
                Crowd others = Crowd.connected(peer, ofOthers, OTHERS, progress);
                Crowd cut =
                        Crowd.connected(
                                new Shifted(peer, OTHERS), loops, load.connections(), progress)) {
            Publishing publishing = peer.publishing(ofOthers, load.delivery());
            Probe probe = new Probe(peer.pids());
            CountDownLatch back = new CountDownLatch(cut.size());
            Recorder took = new Recorder(DIGITS);
            SplittableRandom random = new SplittableRandom(1);
            AtomicLong taken = new AtomicLong();
            double cpu = probe.cpuSeconds();
            cut.cut();
            for (int device = 0; device < cut.size(); device++) {
                cut.reconnectAfter(
                        device,
                        random.nextInt(BACK_OFF_MILLIS),
                        nanos -> {
                            took.recordValue(nanos);
                            back.countDown();
                        });
            }
            progress.begin("storming");
            long published = 0;
            long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (!back.await(GAP_MILLIS, TimeUnit.MILLISECONDS) && System.nanoTime() < until) {
                publishing.publish(
                        (int) (published % OTHERS), System.nanoTime(), taken::incrementAndGet);
                published++;
                progress.show(cut.size() - back.getCount(), cut.size());
            }
            long notBack = back.getCount();
            others.awaitReceived(published, Duration.ofMinutes(1));
            progress.end();
            Histogram reconnects = took.getIntervalHistogram();
            Histogram latencies = others.latencies();
            return new Figures()
                    .put("connections", cut.size())
                    .put("deliveries", others.received())
                    .put("notBack", notBack)
                    .put("reconnectP50Ms", reconnects.getValueAtPercentile(50) / 1e6)
                    .put("reconnectMaxMs", reconnects.getMaxValue() / 1e6)
                    .put("cpuMsPerConnect", (probe.cpuSeconds() - cpu) / cut.size() * 1_000)
                    .put("p50Ms", latencies.getValueAtPercentile(50) / 1e6)
                    .put("p99Ms", latencies.getValueAtPercentile(99) / 1e6)
                    .put("lost", published - others.received());
        }
    }
}
