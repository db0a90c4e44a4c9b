package io.postrider.bench.scenario;

import io.postrider.bench.Figures;
import io.postrider.bench.Progress;
import io.postrider.bench.peer.Loops;
import io.postrider.bench.peer.Peer;
import io.postrider.bench.peer.Peer.Delivery;

/** One kind of load. */
public interface Scenario {
    /**
     * How much of it.
     *
     * @param rate messages a second, at fixed times; 0 for as many as go through
     * @param outstanding at rate 0, how many messages may be under way at once
     */
    record Load(int connections, double rate, int seconds, int outstanding, Delivery delivery) {}

    Figures run(Peer peer, Loops loops, Load load, Progress progress) throws Exception;
}
