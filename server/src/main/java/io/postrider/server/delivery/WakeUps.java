package io.postrider.server.delivery;

import java.util.List;

/**
 * Hints that sessions may have something in their mailboxes. A hint may be lost, doubled or late:
 * that costs time, never a message (G4, G12). Called on the store's writer thread, so it must not
 * block; hints come in commit order.
 */
public interface WakeUps {
    /**
     * These messages were committed, in the order of their ids; of the ids above {@code afterId}
     * and up to {@code upTo}, no other message has one.
     */
    void committed(long afterId, long upTo, List<Arrival> arrivals);

    /** This was committed. */
    void changed(Change change);
}
