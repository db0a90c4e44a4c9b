package io.postrider.server.delivery;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * The ordered pending messages of each device, and the sessions that read them. Reads block and see
 * what was committed before they began; futures are as in {@link MessageStore}.
 */
public interface Mailboxes {
    /** How the start of a session ended. */
    sealed interface Start {}

    /** The device does not exist, or its tokens of this generation are void. */
    record NoDevice() implements Start {}

    /** This run of the node was ended: to be tried again when it has another. */
    record NotNow() implements Start {}

    /** The device has since connected to another node, and is there. */
    record TakenOver() implements Start {}

    /**
     * A started session (G11).
     *
     * @param generation greater than that of every earlier session of the device
     * @param drainedTo nothing at or below this id is pending
     * @param presentedTo what is pending at or below this id may have been presented before (G5)
     * @param recalled messages that this device may have and that were recalled since it was last
     *     heard here
     * @param settled the same, that other devices have settled
     */
    record Begun(
            String deviceId,
            int generation,
            long drainedTo,
            long presentedTo,
            long beganAfter,
            List<Long> recalled,
            List<Long> settled)
            implements Start {}

    /**
     * Starts a session. What an earlier session of this device may have presented is settled here:
     * one that never ended counts as having presented everything that was stored before it was
     * declared dead. If it is at another node, that is told ({@link Change.Displaced}).
     *
     * @param connectedAt when the device connected, by the store's time as its node knows it
     */
    CompletableFuture<Start> begin(long appId, int number, int tokenGeneration, long connectedAt);

    /**
     * How a session ended.
     *
     * @param position the newest id up to which everything was presented
     * @param drainedTo the newest id up to which nothing is pending
     * @param heard whether the device was heard after the start, and so has been told what was
     *     recalled and settled before; if not, the next session's start answers that again
     */
    record Ended(long position, long drainedTo, boolean heard, String reason) {}

    /** Ends a session. Has no effect on a newer one. */
    CompletableFuture<Void> end(long appId, int number, int generation, Ended ended);

    /**
     * Pending messages in the order of their ids.
     *
     * @param upTo nothing pending between the id asked for and this one is missing from the list
     * @param more whether there may be more above {@code upTo}
     */
    record Drained(List<Message> messages, long upTo, boolean more) {}

    /**
     * What is pending for a device above {@code afterId}: at most {@code limit} messages. Empty
     * when another node has begun a session of the device with a higher generation (G11).
     */
    Optional<Drained> drain(long appId, int number, int generation, long afterId, int limit);

    /**
     * Those of the messages that are still pending for the device, in the order of their ids. Empty
     * when another node has begun a session of the device with a higher generation (G11).
     */
    Optional<List<Message>> stillPending(
            long appId, int number, int generation, List<Long> messageIds);
}
