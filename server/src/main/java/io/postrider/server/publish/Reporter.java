package io.postrider.server.publish;

import io.postrider.server.clock.Clock;
import io.postrider.server.delivery.DeliveryState;
import io.postrider.server.delivery.Message;
import io.postrider.server.delivery.Presence;
import io.postrider.server.delivery.Trace;
import io.postrider.server.identity.Device;
import io.postrider.server.publish.Reports.Counts;
import io.postrider.server.publish.Reports.DeviceStanding;
import io.postrider.server.publish.Reports.SessionEntry;
import io.postrider.server.publish.Reports.Settlement;
import io.postrider.server.publish.Reports.Standing;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How messages stand, for whoever asks: what the store knows, and what this node knows beyond. */
public final class Reporter {
    private final Reports reports;
    private final Presence presence;
    private final Trace trace;
    private final Clock clock;
    private final String node;

    public Reporter(Reports reports, Presence presence, Trace trace, Clock clock, String node) {
        this.reports = reports;
        this.presence = presence;
        this.trace = trace;
        this.clock = clock;
        this.node = node;
    }

    public Optional<Long> appOf(long messageId) {
        return reports.appOf(messageId);
    }

    public Optional<Standing> message(long appId, long messageId) {
        return reports.message(appId, messageId);
    }

    public List<Standing> newest(long appId, long belowId, int limit) {
        return reports.newest(appId, belowId, limit);
    }

    /**
     * A message as a whole: recalled once it was; while any device is pending, sent if any device
     * has ended and else queued; then the first of delivered, failed and expired that any device
     * reached.
     */
    public DeliveryState stateOf(Standing standing) {
        Counts counts = standing.counts();
        if (standing.recalledAt() != null) {
            return DeliveryState.RECALLED;
        }
        if (counts.pending() > 0) {
            return counts.pending() < counts.targeted() ? DeliveryState.SENT : DeliveryState.QUEUED;
        }
        if (counts.delivered() > 0) {
            return DeliveryState.DELIVERED;
        }
        return counts.failed() > 0 ? DeliveryState.FAILED : DeliveryState.EXPIRED;
    }

    /** How a message stands for one device; a deleted device has lost its name. */
    public record DeviceState(
            String deviceId, DeliveryState state, long at, @Nullable String reason) {}

    /**
     * @param next where the next page begins, null at the end
     */
    public record DevicePage(List<DeviceState> items, @Nullable Integer next) {}

    /** A page of a message's devices in a state, or in any. */
    public DevicePage devices(
            Standing message, @Nullable DeliveryState state, int afterNumber, int limit) {
        long appId = message.message().appId();
        long id = message.message().id();
        List<DeviceState> items = new ArrayList<>();
        int after = afterNumber;
        while (true) {
            List<DeviceStanding> found = reports.devices(appId, id, after, limit);
            for (DeviceStanding device : found) {
                if (items.size() == limit) {
                    return new DevicePage(items, after);
                }
                after = device.number();
                DeviceState item = state(appId, id, device);
                if (state == null || item.state == state) {
                    items.add(item);
                }
            }
            if (found.size() < limit) {
                return new DevicePage(items, null);
            }
        }
    }

    private DeviceState state(long appId, long messageId, DeviceStanding device) {
        DeliveryState state = device.state();
        if (state == DeliveryState.QUEUED && wasPresented(appId, messageId, device)) {
            state = DeliveryState.SENT;
        }
        String deviceId = device.deviceId();
        return new DeviceState(
                deviceId == null ? "deleted-" + device.number() : deviceId,
                state,
                device.at(),
                device.reason());
    }

    private boolean wasPresented(long appId, long messageId, DeviceStanding device) {
        return messageId <= device.presentedTo()
                || presence.wasPresented(Device.key(appId, device.number()), messageId);
    }

    /**
     * Something that happened to a message.
     *
     * @param node that of the session for what happened to one, else the one that was asked
     */
    public record TraceEvent(long at, String node, String event, @Nullable String detail) {}

    /**
     * @param partial there may have been more: what a node does with a message on a connection it
     *     keeps in memory, for a while
     */
    public record Traced(List<TraceEvent> items, boolean partial) {}

    /** What happened to a message, for one device or as far as it concerns all, oldest first. */
    public Traced trace(Standing standing, @Nullable Device device) {
        Message message = standing.message();
        List<TraceEvent> items = new ArrayList<>();
        boolean isHere = true;
        add(items, message.createdAt(), "accepted", "request " + standing.requestId());
        add(items, message.createdAt(), "stored", null);
        if (device == null) {
            addEnds(items, standing);
        } else {
            isHere = addSessions(items, message, device);
            for (Trace.Entry entry : trace.of(device.key(), message.id())) {
                String event = entry.event().name().toLowerCase(Locale.ROOT);
                add(items, entry.at(), event, null);
            }
            reports.device(message.appId(), message.id(), device.number())
                    .ifPresentOrElse(
                            end -> addEnd(items, end),
                            () ->
                                    add(
                                            items,
                                            message.createdAt(),
                                            "not_targeted",
                                            "the device was not in the audience"));
        }
        items.sort(Comparator.comparingLong(TraceEvent::at));
        return new Traced(items, !isHere || trace.completeSince() > message.createdAt());
    }

    private void add(List<TraceEvent> items, long at, String event, @Nullable String detail) {
        items.add(new TraceEvent(at, node, event, detail));
    }

    private void addEnds(List<TraceEvent> items, Standing standing) {
        for (Settlement settlement : standing.settlements()) {
            if (settlement.winner() != null) {
                String detail = settlement.group() + " by " + settlement.winner();
                add(items, settlement.at(), "settled", detail);
            }
        }
        Counts counts = standing.counts();
        if (standing.recalledAt() != null) {
            add(items, standing.recalledAt(), "recalled", counts.recalled() + " devices");
        } else if (counts.expired() > 0) {
            add(items, standing.message().expiresAt(), "expired", counts.expired() + " devices");
        }
    }

    /** Answers whether all of them were at this process. */
    private boolean addSessions(List<TraceEvent> items, Message message, Device device) {
        long until = Math.min(message.expiresAt(), clock.millis());
        List<SessionEntry> sessions =
                reports.sessions(message.appId(), device.number(), message.createdAt(), until);
        boolean connected = false;
        for (SessionEntry session : sessions) {
            connected |= session.startedAt() <= message.createdAt();
            String at = session.node();
            String detail = "generation " + session.generation();
            items.add(new TraceEvent(session.startedAt(), at, "session_started", detail));
            if (session.endedAt() != null) {
                String why = detail + ", " + session.endReason();
                items.add(new TraceEvent(session.endedAt(), at, "session_ended", why));
            }
        }
        if (!connected) {
            add(items, message.createdAt(), "not_connected", null);
        }
        return sessions.stream().allMatch(SessionEntry::isOfThisRun);
    }

    private void addEnd(List<TraceEvent> items, DeviceStanding end) {
        switch (end.state()) {
            case DELIVERED -> add(items, end.at(), "acked", null);
            case SETTLED_ELSEWHERE -> add(items, end.at(), "settled", "by another device");
            case EXPIRED, RECALLED, FAILED ->
                    add(items, end.at(), end.state().word(), end.reason());
            case QUEUED, SENT -> {}
        }
    }
}
