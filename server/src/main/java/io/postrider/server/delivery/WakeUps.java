package io.postrider.server.delivery;

import java.util.List;

/**
 * Hints that sessions may have something in their mailboxes. A hint may be lost, doubled or late:
 * that costs time, never a message (G4, G12). Called on the store's writer thread, so it must not
 * block; hints come in commit order.
 */
public interface WakeUps {
    /** These messages were committed, in this order, directly after the message {@code afterId}. */
    void stored(long afterId, List<Arrival> arrivals);

    /** A message was recalled: whoever has it should hear it. */
    void recalled(long appId, long messageId, Recipients recipients);

    /** A message was settled by another device: whoever of these has it should hear it (G7). */
    void settled(long appId, long messageId, Recipients others);

    /** A device has become a member of a group in which messages from this id on are open. */
    void joined(long appId, int number, long messageId);

    /** A device was deleted, or its tokens revoked: its session must end. */
    void revoked(long appId, int number);
}
