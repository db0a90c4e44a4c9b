package io.postrider.server.store;

import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.WakeUps;
import org.jspecify.annotations.Nullable;

/** Tells the sessions of this node what was committed. */
final class Changes {
    private volatile @Nullable WakeUps wakeUps;

    /** Names who is told; once, before the first message is accepted. */
    void onCommit(WakeUps woken) {
        wakeUps = woken;
    }

    /** Tells of a change once the transaction is flushed. */
    void tell(Tx tx, Change change) {
        tx.afterCommit(() -> {
            WakeUps woken = wakeUps;
            if (woken != null) {
                woken.changed(change);
            }
        });
    }

    /** Tells of the messages of a transaction that is flushed. */
    void committed(Tx tx) {
        WakeUps woken = wakeUps;
        if (woken != null) {
            woken.committed(tx.beganAfter(), tx.lastId(), tx.arrivals);
        }
    }
}
