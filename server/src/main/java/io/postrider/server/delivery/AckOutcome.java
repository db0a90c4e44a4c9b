package io.postrider.server.delivery;

/** How an ack was taken; ends are final, so a late ack is told how the message stands (G8). */
public enum AckOutcome {
    /** This device has it: recorded now, or had been before. */
    RECORDED,
    EXPIRED,
    RECALLED,
    /** No message of this id is, or is still, for this device. */
    UNKNOWN
}
