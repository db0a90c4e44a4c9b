package io.postrider.server.cluster;

import io.postrider.server.delivery.Arrival;
import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.WakeUps;
import java.util.List;

/**
 * Wakes the sessions of this node, and hints at other nodes what to look for.
 *
 * @param here this node's sessions
 */
public record HintingWakeUps(WakeUps here, RedisHints hints) implements WakeUps {
    @Override
    public void committed(long afterId, long upTo, List<Arrival> arrivals, List<Change> changes) {
        here.committed(afterId, upTo, arrivals, changes);
        hints.committed(upTo);
    }

    @Override
    public void changed(Change change) {
        here.changed(change);
    }
}
