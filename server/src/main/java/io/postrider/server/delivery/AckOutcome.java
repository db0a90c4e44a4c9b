package io.postrider.server.delivery;

/** How an ack was taken; ends are final, so a late ack is told how the message stands (G8). */
public enum AckOutcome {
    /** This device has it: recorded now, or had been before. */
    RECORDED,
    /** This ack settled a message for a group, or its device had settled it before (G7). */
    WON,
    /** Another device of the group was first. */
    ALREADY_SETTLED,
    EXPIRED,
    RECALLED,
    /** No message of this id is, or is still, for this device. */
    UNKNOWN;

    /** Whether whoever sent the ack waits to hear it. */
    public boolean isOfSettling() {
        return this == WON || this == ALREADY_SETTLED;
    }
}
