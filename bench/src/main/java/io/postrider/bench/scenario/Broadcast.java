package io.postrider.bench.scenario;

import io.postrider.bench.Figures;
import io.postrider.bench.Progress;
import io.postrider.bench.peer.Loops;
import io.postrider.bench.peer.Peer;
import io.postrider.bench.peer.Peer.Delivery;
import io.postrider.bench.peer.Peer.Publishing;
import io.postrider.bench.peer.PostriderPeer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** One message to an app with very many devices, few of which are connected. Postrider only. */
public final class Broadcast implements Scenario {
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final int ROUNDS = 5;

    private final int registered;

    /**
     * @param registered how many devices the app has
     */
    public Broadcast(int registered) {
        this.registered = registered;
    }

    @Override
    public Figures run(Peer peer, Loops loops, Load load, Progress progress) throws Exception {
        if (!(peer instanceof PostriderPeer postrider)) {
            throw new IllegalArgumentException("only Postrider knows who is not connected");
        }
        postrider.prepare(registered, progress);
        try (Crowd crowd = Crowd.connected(peer, loops, load.connections(), progress)) {
            Publishing publishing = peer.publishing(loops, Delivery.EACH);
            // The first one makes the index of the audience; it is not what a message costs.
            publish(publishing);
            long answered = 0;
            long last = 0;
            long expected = crowd.size();
            crowd.awaitReceived(expected, PATIENCE);
            long before = postrider.storedBytes();
            for (int round = 0; round < ROUNDS; round++) {
                long began = System.nanoTime();
                publish(publishing);
                answered = Math.max(answered, System.nanoTime() - began);
                expected += crowd.size();
                crowd.awaitReceived(expected, PATIENCE);
                last = Math.max(last, System.nanoTime() - began);
            }
            double growth = (postrider.storedBytes() - before) / (double) ROUNDS;
            return new Figures()
                    .put("connections", crowd.size())
                    .put("registered", registered)
                    .put("answeredMs", answered / 1e6)
                    .put("lastDeviceMs", last / 1e6)
                    .put("storedMb", growth / 1e6)
                    .put("countsMs", postrider.millisToRead(""))
                    .put("devicesMs", postrider.millisToRead("/devices"))
                    .put("lost", expected - crowd.received());
        }
    }

    private static void publish(Publishing publishing) throws Exception {
        CompletableFuture<Boolean> taken = new CompletableFuture<>();
        publishing.publish(Publishing.ALL, System.nanoTime(), () -> taken.complete(true));
        taken.get(60, TimeUnit.SECONDS);
    }
}
