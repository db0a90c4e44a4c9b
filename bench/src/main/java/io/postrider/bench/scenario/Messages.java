package io.postrider.bench.scenario;

import io.postrider.bench.Figures;
import io.postrider.bench.Probe;
import io.postrider.bench.Progress;
import io.postrider.bench.peer.Loops;
import io.postrider.bench.peer.Peer;
import io.postrider.bench.peer.Peer.Publishing;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/**
 * Messages to connected devices: each to all of them (fan-out), or each to one (1:1). At a rate,
 * latency counts from when a message was due, whether or not it could be sent then; without one, a
 * new message follows each that has arrived everywhere.
 */
public final class Messages implements Scenario {
    private static final long WARM_UP_NANOS = TimeUnit.SECONDS.toNanos(15);
    private static final long LONGEST_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final boolean toAll;

    private Messages(boolean toAll) {
        this.toAll = toAll;
    }

    public static Scenario fanout() {
        return new Messages(true);
    }

    public static Scenario unicast() {
        return new Messages(false);
    }

    @Override
    public Figures run(Peer peer, Loops loops, Load load, Progress progress) throws Exception {
        try (Crowd crowd = Crowd.connected(peer, loops, load.connections(), progress)) {
            return new Run(peer, loops, load, crowd).measure(progress);
        }
    }

    private final class Run {
        private final Load load;
        private final Crowd crowd;
        private final Probe probe;
        private final Publishing publishing;
        private final int copies;
        private final SplittableRandom random = new SplittableRandom(1);
        private final AtomicLong taken = new AtomicLong();
        private long published;

        Run(Peer peer, Loops loops, Load load, Crowd crowd) throws Exception {
            this.load = load;
            this.crowd = crowd;
            this.probe = new Probe(peer.pid());
            this.publishing = peer.publishing(loops, load.delivery());
            this.copies = toAll ? crowd.size() : 1;
        }

        private void publish(long sentNanos) {
            int device = toAll ? Publishing.ALL : random.nextInt(crowd.size());
            published++;
            publishing.publish(device, sentNanos, taken::incrementAndGet);
        }

        Figures measure(Progress progress) {
            progress.begin("warming up");
            publishFor(WARM_UP_NANOS, progress);
            if (load.rate() > 0) {
                awaitTheRest();
            }
            crowd.latencies();
            long receivedBefore = crowd.received();
            double cpuBefore = probe.cpuSeconds();
            long began = System.nanoTime();
            progress.begin("measuring");
            publishFor(TimeUnit.SECONDS.toNanos(load.seconds()), progress);
            double seconds = (System.nanoTime() - began) / 1e9;
            double cpu = probe.cpuSeconds() - cpuBefore;
            long received = crowd.received() - receivedBefore;
            awaitTheRest();
            // The slowest ones are among those that come last.
            Histogram latencies = crowd.latencies();
            progress.end();
            return new Figures()
                    .put("connections", crowd.size())
                    .put("deliveries", received)
                    .put("perSecond", received / seconds)
                    .put("cpuSecondsPerMillion", cpu / received * 1e6)
                    .put("p50Ms", latencies.getValueAtPercentile(50) / 1e6)
                    .put("p99Ms", latencies.getValueAtPercentile(99) / 1e6)
                    .put("lost", published * copies - crowd.received())
                    .put("unanswered", published - taken.get());
        }

        private void publishFor(long nanos, Progress progress) {
            if (load.rate() > 0) {
                publishAtTheRate(nanos, progress);
            } else {
                publishAsTheyArrive(nanos, progress);
            }
        }

        private void publishAtTheRate(long nanos, Progress progress) {
            long began = System.nanoTime();
            double gap = 1e9 / load.rate();
            long total = Math.round(nanos / gap);
            for (long i = 0; i < total; i++) {
                long due = began + Math.round(i * gap);
                for (long left = due - System.nanoTime();
                        left > 0;
                        left = due - System.nanoTime()) {
                    LockSupport.parkNanos(left);
                }
                publish(due);
                progress.show(i, total);
            }
        }

        private void publishAsTheyArrive(long nanos, Progress progress) {
            Thread publisher = Thread.currentThread();
            crowd.onMessage(count -> {
                if (count % copies == 0) {
                    LockSupport.unpark(publisher);
                }
            });
            long began = System.nanoTime();
            while (System.nanoTime() - began < nanos) {
                if (published - crowd.received() / copies < load.outstanding()) {
                    publish(System.nanoTime());
                } else {
                    LockSupport.parkNanos(LONGEST_WAIT_NANOS);
                }
                progress.show(System.nanoTime() - began, nanos);
            }
            crowd.onMessage(count -> {});
        }

        private void awaitTheRest() {
            crowd.awaitReceived(published * copies, PATIENCE);
            long until = System.nanoTime() + PATIENCE.toNanos();
            long waiting = published - taken.get();
            while (waiting > 0 && System.nanoTime() < until) {
                LockSupport.parkNanos(LONGEST_WAIT_NANOS);
                waiting = published - taken.get();
            }
        }
    }
}
