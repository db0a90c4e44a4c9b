package io.postrider.bench.scenario;

import io.postrider.bench.Figures;
import io.postrider.bench.Probe;
import io.postrider.bench.Progress;
import io.postrider.bench.peer.Loops;
import io.postrider.bench.peer.Peer;
import io.postrider.bench.peer.Peer.Delivery;
import io.postrider.bench.peer.Peer.Publishing;
import io.postrider.bench.peer.PostriderPeer;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/**
 * Messages to connected devices: each to all of them (fan-out), to one (1:1), or to a shop, whose
 * first ack settles it. At a rate, latency counts from when a message was due, whether or not it
 * could be sent then; without one, a new message follows each that has arrived everywhere, or was
 * settled.
 */
public final class Messages implements Scenario {
    /** Shorter ones measure the compiler. */
    public static final int WARM_UP_SECONDS = 15;

    private static final long LONGEST_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final To to;
    private final int warmUpSeconds;

    private enum To {
        ALL,
        ONE,
        SHOP
    }

    private Messages(To to, int warmUpSeconds) {
        this.to = to;
        this.warmUpSeconds = warmUpSeconds;
    }

    public static Scenario fanout(int warmUpSeconds) {
        return new Messages(To.ALL, warmUpSeconds);
    }

    public static Scenario unicast(int warmUpSeconds) {
        return new Messages(To.ONE, warmUpSeconds);
    }

    public static Scenario shops(int warmUpSeconds) {
        return new Messages(To.SHOP, warmUpSeconds);
    }

    static PostriderPeer ofPostrider(Peer peer) {
        if (peer instanceof PostriderPeer postrider) {
            return postrider;
        }
        throw new IllegalArgumentException("only Postrider has shops");
    }

    @Override
    public Figures run(Peer peer, Loops loops, Load load, Progress progress) throws Exception {
        try (Crowd crowd = Crowd.connected(peer, loops, load.connections(), progress)) {
            if (to == To.SHOP) {
                ofPostrider(peer).openShops(crowd.size(), progress);
            }
            return new Run(peer, loops, load, crowd).measure(progress);
        }
    }

    private final class Run {
        private final Peer peer;
        private final Load load;
        private final Crowd crowd;
        private final Probe probe;
        private final Publishing publishing;
        private final int copies;

        /** Rises by {@link #copies} with each message that has come to its end. */
        private final Count done;

        private final SplittableRandom random = new SplittableRandom(1);
        private final AtomicLong taken = new AtomicLong();
        private long published;

        Run(Peer peer, Loops loops, Load load, Crowd crowd) throws Exception {
            this.load = load;
            this.crowd = crowd;
            this.peer = peer;
            this.probe = new Probe(peer.pids());
            this.publishing =
                    peer.publishing(loops, to == To.SHOP ? Delivery.ANY : load.delivery());
            this.copies = to == To.ALL ? crowd.size() : 1;
            this.done = to == To.SHOP ? crowd.settlements() : crowd.messages();
        }

        private void publish(long sentNanos) {
            int device =
                    switch (to) {
                        case ALL -> Publishing.ALL;
                        case ONE -> random.nextInt(crowd.size());
                        case SHOP -> random.nextInt(crowd.size() / PostriderPeer.TILLS);
                    };
            published++;
            publishing.publish(device, sentNanos, taken::incrementAndGet);
        }

        Figures measure(Progress progress) {
            progress.begin("warming up");
            warmUp(progress);
            crowd.latencies();
            long doneBefore = done.get();
            double cpuBefore = probe.cpuSeconds();
            long began = System.nanoTime();
            progress.begin("measuring");
            publishFor(TimeUnit.SECONDS.toNanos(load.seconds()), progress);
            double seconds = (System.nanoTime() - began) / 1e9;
            double cpu = probe.cpuSeconds() - cpuBefore;
            long received = done.get() - doneBefore;
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
                    .put("lost", expected() - done.get())
                    .put("refused", peer.refused())
                    .put("unanswered", published - taken.get());
        }

        /** A cold server refuses what a warm one takes, so a tenth of the rate comes first. */
        private void warmUp(Progress progress) {
            long nanos = TimeUnit.SECONDS.toNanos(warmUpSeconds);
            if (load.rate() == 0) {
                publishAsTheyArrive(nanos, progress);
                return;
            }
            publishAtTheRate(load.rate() / 10, nanos / 3, progress);
            publishAtTheRate(load.rate(), nanos - nanos / 3, progress);
            awaitTheRest();
        }

        private void publishFor(long nanos, Progress progress) {
            if (load.rate() > 0) {
                publishAtTheRate(load.rate(), nanos, progress);
            } else {
                publishAsTheyArrive(nanos, progress);
            }
        }

        private void publishAtTheRate(double rate, long nanos, Progress progress) {
            long began = System.nanoTime();
            double gap = 1e9 / rate;
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
            done.onEach(count -> {
                if (count % copies == 0) {
                    LockSupport.unpark(publisher);
                }
            });
            long began = System.nanoTime();
            while (System.nanoTime() - began < nanos) {
                if (published - peer.refused() - done.get() / copies < load.outstanding()) {
                    publish(System.nanoTime());
                } else {
                    LockSupport.parkNanos(LONGEST_WAIT_NANOS);
                }
                progress.show(System.nanoTime() - began, nanos);
            }
            done.onEach(count -> {});
        }

        private long expected() {
            return (published - peer.refused()) * copies;
        }

        /** What is refused is known once everything is answered. */
        private void awaitTheRest() {
            long until = System.nanoTime() + PATIENCE.toNanos();
            while (published > taken.get() && System.nanoTime() < until) {
                LockSupport.parkNanos(LONGEST_WAIT_NANOS);
            }
            done.await(expected(), PATIENCE);
        }
    }
}
