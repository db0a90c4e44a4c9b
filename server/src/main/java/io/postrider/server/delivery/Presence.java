package io.postrider.server.delivery;

/** Who is connected. Thread-safe; an answer may be old at once. May block where there are nodes. */
public interface Presence {
    /** Those of the recipients that are connected. */
    Recipients online(long appId, Recipients among);

    /**
     * Whether the device's live session here was presented everything pending up to the message.
     */
    boolean wasPresented(long deviceKey, long messageId);
}
