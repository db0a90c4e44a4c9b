package io.postrider.client;

/**
 * What a device does with its messages. Called on the connection's thread, one call at a time, each
 * message once; the next one waits for it.
 */
public interface MessageListener {
    /**
     * A message has come. When this returns, the message is acknowledged (unless acks are manual);
     * when it throws, it is not, and will be presented again.
     */
    void onMessage(ReceivedMessage message) throws Exception;

    /** The publisher took a message back: do not show it, or take it away. */
    default void onRecall(long messageId) {}

    /** Another device of the group was first to acknowledge a message: take it away. */
    default void onSettled(long messageId) {}
}
