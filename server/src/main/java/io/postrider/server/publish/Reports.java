package io.postrider.server.publish;

import io.postrider.server.delivery.DeliveryState;
import io.postrider.server.delivery.Message;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How messages stand, read from the store. Calls block and see every answered ack. */
public interface Reports {
    /**
     * The sum holds at every moment: targeted = pending + delivered + expired + recalled + failed.
     *
     * @param opened lies within delivered
     * @param written to how many devices a message that asks for no ack was written
     */
    record Counts(
            int targeted,
            int pending,
            int delivered,
            int opened,
            int expired,
            int recalled,
            int failed,
            int written) {}

    /**
     * How a message to groups stands in one of them.
     *
     * @param winner the deviceId of who settled it
     * @param at when it ended; 0 while it is open
     * @param presented how many devices have had it before them
     */
    record Settlement(
            String group, DeliveryState state, @Nullable String winner, long at, int presented) {}

    /**
     * A message and how it stands, all as of one moment.
     *
     * @param settlements of a message to groups, by their names; of another, none
     */
    record Standing(
            Message message,
            String audience,
            String options,
            String requestId,
            @Nullable Long recalledAt,
            Counts counts,
            List<Settlement> settlements) {}

    /**
     * How a message stands for one device.
     *
     * @param deviceId null once the device was deleted
     * @param state {@code QUEUED} for everything that is pending, presented or not
     * @param presentedTo what is at or below this id was presented to the device, as far as the
     *     store knows
     */
    record DeviceStanding(
            int number,
            @Nullable String deviceId,
            DeliveryState state,
            long at,
            @Nullable String reason,
            long presentedTo) {}

    /**
     * A session of a device, as the store's log has it.
     *
     * @param node where it was
     * @param isOfThisRun of this node, so that this process has seen all of it
     */
    record SessionEntry(
            int generation,
            String node,
            boolean isOfThisRun,
            long startedAt,
            @Nullable Long endedAt,
            @Nullable String endReason) {}

    Optional<Standing> message(long appId, long messageId);

    /** The app's messages below an id, newest first. */
    List<Standing> newest(long appId, long belowId, int limit);

    /** The app that a message belongs to. */
    Optional<Long> appOf(long messageId);

    /** A message's devices with numbers above {@code afterNumber}, in the order of numbers. */
    List<DeviceStanding> devices(long appId, long messageId, int afterNumber, int limit);

    Optional<DeviceStanding> device(long appId, long messageId, int number);

    /** The sessions of a device that overlap a time. */
    List<SessionEntry> sessions(long appId, int number, long from, long to);
}
