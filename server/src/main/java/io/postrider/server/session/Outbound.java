package io.postrider.server.session;

import io.postrider.protocol.CloseCode;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.Message;
import java.util.List;

/**
 * The way from a session to its device. Used on the session's loop only. Nothing is sent before
 * {@link #flush}; what is written to a closed connection is dropped.
 */
public interface Outbound {
    /** Whether the socket takes more at present. */
    boolean isWritable();

    /** Presents a message; {@code attempt} above 1 marks that it may have been before (G5). */
    void push(Message message, int attempt);

    /** One answer to an ack. */
    record Answer(long messageId, AckOutcome outcome) {}

    void acked(List<Answer> answers);

    /** The store could not take an ack; the message will be presented again. */
    void unanswered(long messageId);

    void recall(long messageId);

    /** Another device has settled a message. */
    void settled(long messageId);

    /** Everything that was pending when the session began has been written. */
    void caughtUp();

    /** Asks the device to come back after the first time and a random part of the second. */
    void goAway(String reason, int reconnectAfterMillis, int spreadMillis, List<String> gateways);

    void flush();

    /** Reads nothing more from the device until it is resumed. */
    void pauseReading(boolean paused);

    /** Closes the connection; the device is told the code. */
    void close(CloseCode code);
}
