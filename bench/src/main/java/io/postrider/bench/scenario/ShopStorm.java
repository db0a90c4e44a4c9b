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

/** All tills of all shops come back at once, and each gets the orders that wait in its shop. */
public final class ShopStorm implements Scenario {
    private static final int ORDERS = 5;
    private static final int BACK_OFF_MILLIS = 5_000;
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    @Override
    public Figures run(Peer peer, Loops loops, Load load, Progress progress) throws Exception {
        PostriderPeer postrider = Messages.ofPostrider(peer);
        int tills = load.connections();
        int shops = tills / PostriderPeer.TILLS;
        try (Crowd crowd = Crowd.connected(peer, loops, tills, progress)) {
            postrider.openShops(tills, progress);
            postrider.acknowledge(false);
            crowd.cut();
            progress.begin("orders");
            Publishing publishing = peer.publishing(loops, Delivery.ANY);
            InFlight.publish(publishing, 0, shops, (long) shops * ORDERS, progress);
            SplittableRandom random = new SplittableRandom(1);
            Probe probe = new Probe(peer.pids());
            double cpu = probe.cpuSeconds();
            long expected = crowd.received() + (long) shops * PostriderPeer.TILLS * ORDERS;
            long over = System.nanoTime() + Duration.ofMillis(BACK_OFF_MILLIS).toNanos();
            for (int till = 0; till < tills; till++) {
                crowd.reconnectAfter(till, random.nextInt(BACK_OFF_MILLIS), nanos -> {});
            }
            progress.begin("storming");
            crowd.awaitReceived(expected, PATIENCE);
            long last = System.nanoTime();
            progress.end();
            return new Figures()
                    .put("connections", tills)
                    .put("deliveries", crowd.received())
                    .put("lastOrderAfterStormMs", Math.max(0, last - over) / 1e6)
                    .put("cpuMsPerConnect", (probe.cpuSeconds() - cpu) / tills * 1_000)
                    .put("lost", expected - crowd.received());
        }
    }
}
