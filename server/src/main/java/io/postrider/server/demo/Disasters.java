package io.postrider.server.demo;

import io.postrider.server.demo.Stage.Disaster;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/**
 * Spreads disasters over a row of publishes, so that some are made while each of them happens: the
 * publishes after one do not wait for its end, the next disaster does. Thread-safe.
 */
final class Disasters {
    private final List<Disaster> disasters;
    private final int publishes;
    private final List<CountDownLatch> begun;
    private final List<CountDownLatch> ended;

    /**
     * @param publishes how many there are
     */
    Disasters(List<Disaster> disasters, int publishes) {
        this.disasters = disasters;
        this.publishes = publishes;
        this.begun = disasters.stream().map(each -> new CountDownLatch(1)).toList();
        this.ended = disasters.stream().map(each -> new CountDownLatch(1)).toList();
    }

    /** To be called before each publish; what is to happen before it does, here. */
    void before(int publish) throws InterruptedException {
        for (int i = disasters.size() - 1; i >= 0; i--) {
            int at = (i + 1) * publishes / (disasters.size() + 1);
            if (publish == at) {
                if (i > 0) {
                    ended.get(i - 1).await();
                }
                begun.get(i).countDown();
                try {
                    disasters.get(i).happening().run();
                } finally {
                    ended.get(i).countDown();
                }
            }
            if (publish >= at) {
                begun.get(i).await();
                return;
            }
        }
    }

    @Override
    public String toString() {
        return String.join(", ", disasters.stream().map(Disaster::what).toList());
    }
}
