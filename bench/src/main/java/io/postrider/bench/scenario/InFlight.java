package io.postrider.bench.scenario;

import io.postrider.bench.Progress;
import io.postrider.bench.peer.Peer.Publishing;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Publishing as fast as is answered, with a bounded number of unanswered ones. */
final class InFlight {
    private static final int MOST = 1_000;
    private static final long PATIENCE_SECONDS = 60;

    private InFlight() {}

    /** Publishes to each device in turn; returns once everything is answered. */
    static void publish(
            Publishing publishing, int from, int devices, long messages, Progress progress)
            throws InterruptedException {
        Semaphore inFlight = new Semaphore(MOST);
        for (long i = 0; i < messages; i++) {
            if (!inFlight.tryAcquire(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the peer answers no more");
            }
            publishing.publish(from + (int) (i % devices), System.nanoTime(), inFlight::release);
            progress.show(i, messages);
        }
        if (!inFlight.tryAcquire(MOST, PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException("not every publish was answered");
        }
    }
}
