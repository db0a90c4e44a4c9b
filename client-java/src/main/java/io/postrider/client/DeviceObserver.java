package io.postrider.client;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Sees what a {@link DeviceClient} otherwise hides. Called on the connection's thread or a timer's,
 * and must not block; what it throws is ignored.
 */
public interface DeviceObserver {
    /** Sees nothing. */
    DeviceObserver NONE = new DeviceObserver() {};

    default void onState(DeviceState state) {}

    /**
     * A connection, or an attempt to make one, has ended.
     *
     * @param closeCode the server's number, or 0 if there was none
     */
    default void onDropped(Gateway gateway, int closeCode, String reason) {}

    /** The next attempt, counted from 1 since the last success, comes after a delay. */
    default void onRetry(int attempt, long delayMillis, Gateway gateway) {}

    /** The device has a new token, to be kept in place of the old one. */
    default void onTokenRenewed(String token) {}

    /** A message came again and was not handed to the listener. */
    default void onDuplicate(long messageId, int attempt) {}

    /** The listener threw; the message was not acknowledged. */
    default void onListenerFailed(long messageId, Throwable failure) {}

    /**
     * The server has answered an ack: recorded, won, already_settled, expired, recalled, unknown.
     */
    default void onAckAnswered(long messageId, String outcome) {}

    /** The server's history is another than before; messages may have been lost to a restore. */
    default void onEpochChanged(@Nullable String before, String now) {}

    /**
     * What was acknowledged could not be kept in the client's file: after a restart it may be
     * handed to the listener again.
     */
    default void onMemoryFailed(IOException failure) {}
}
