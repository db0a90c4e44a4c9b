package io.postrider.server.delivery;

import java.util.List;

/**
 * Hints that sessions may have something in their mailboxes. A hint may be lost, doubled or late:
 * that costs time, never a message (G4, G12). Called on the store's writer thread, so it must not
 * block; hints come in commit order.
 */
public interface WakeUps {
    /**
     * This is all that was committed with ids above {@code afterId} and up to {@code upTo}. Whoever
     * has not heard of everything up to {@code afterId} must read, to hear it in its order: {@link
     * MessageStore#committedAfter} has all of it.
     *
     * @param arrivals in the order of their ids
     * @param changes what changed after them
     */
    void committed(long afterId, long upTo, List<Arrival> arrivals, List<Change> changes);

    /** This was committed in a store that keeps no log of changes, since nobody else uses it. */
    void changed(Change change);
}
