package io.postrider.server.delivery;

/** Who is connected, as far as this node knows. Thread-safe; an answer may be old at once. */
public interface Presence {
    boolean isOnline(long deviceKey);

    /** Whether the device's live session was presented everything pending up to the message. */
    boolean wasPresented(long deviceKey, long messageId);

    /** How many of the recipients are connected. */
    int countOnline(long appId, Recipients recipients);
}
