package io.postrider.server.session;

import io.postrider.protocol.CloseCode;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.Mailboxes;
import io.postrider.server.delivery.Mailboxes.Begun;
import io.postrider.server.delivery.Mailboxes.Drained;
import io.postrider.server.delivery.Mailboxes.NoDevice;
import io.postrider.server.delivery.Mailboxes.NotNow;
import io.postrider.server.delivery.Mailboxes.Start;
import io.postrider.server.delivery.Mailboxes.TakenOver;
import io.postrider.server.delivery.Message;
import io.postrider.server.delivery.Placement;
import io.postrider.server.delivery.Trace.Event;
import io.postrider.server.identity.Device;
import io.postrider.server.session.Outbound.Answer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One live connection of one device. Live delivery, catching up and presenting again are one path:
 * it reads the mailbox from its position. Confined to its loop, but for the constructor and {@link
 * #presentedTo}.
 *
 * <p>Caught up, it takes a message straight from the commit that stored it. In every other state
 * (starting, reading, window full, socket full) it only notes that it is behind, and reads when it
 * can; nothing queues here (G9).
 */
public final class Session {
    private static final int MOST_UNANSWERED_ACKS = 4_096;

    final SessionLoop loop;
    final long appId;
    final int number;
    private final int tokenGeneration;
    private final long connectedAt;
    private final Outbound out;
    private final InFlight inFlight;

    /** For its loop: it is among those of the next flush. */
    boolean flushIsDue;

    /** Everything pending up to here has been presented, by this session or an earlier one. */
    private long position;

    /** The highest position there has been; it goes back when the device joins a group. */
    private volatile long presentedTo;

    /** What is pending up to here may have been presented before. */
    private long markedTo;

    /** Messages for those online then were not for us, up to here. */
    private long beganAfter;

    /** The oldest message in groups that it joined while it began or read; 0 for none. */
    private long joinedFrom;

    private int generation;

    /** Any until the session has begun, since not all are to be sent to the same node. */
    private long placement = ThreadLocalRandom.current().nextLong();

    /** Sessions of this generation, and of earlier ones, are over. */
    private int displacedTo;

    private boolean mustBegin;
    private boolean draining;
    private boolean behind = true;
    private boolean resending;
    private boolean leaving;
    private boolean ended;
    private @Nullable String endedBecause;
    private boolean slow;
    private int unansweredAcks;
    private long heardAt;

    /** It lives, and so has been told what ended while it was away. */
    private boolean heardSinceBegun;

    private long unwritableSince;

    /** What is not to be presented any more, though it may just be read, and how to tell it. */
    private @Nullable Map<Long, LongConsumer> endedWhileReading;

    private boolean caughtUp;
    private @Nullable List<Answer> answers;

    Session(SessionLoop loop, long appId, int number, int tokenGeneration, Outbound out) {
        this.loop = loop;
        this.appId = appId;
        this.number = number;
        this.tokenGeneration = tokenGeneration;
        this.out = out;
        this.inFlight = new InFlight(loop.limits());
        this.heardAt = loop.clock().ticks();
        this.connectedAt = loop.clock().millis();
    }

    long key() {
        return Device.key(appId, number);
    }

    /** Everything pending up to this id was presented. Any thread. */
    long presentedTo() {
        return presentedTo;
    }

    private void advance(long id) {
        position = id;
        if (id > presentedTo) {
            presentedTo = id;
        }
    }

    boolean isIdle() {
        return inFlight.isEmpty() && unansweredAcks == 0;
    }

    /**
     * Starts the session in the store; what an earlier one of the device left must be there. While
     * the store fails it is tried again, and the connection lives.
     */
    void begin() {
        if (ended) {
            // A newer one may have begun meanwhile, and a later start here would displace it.
            return;
        }
        loop.mailboxes()
                .begin(appId, number, tokenGeneration, connectedAt)
                .whenComplete((begun, failure) ->
                        loop.execute(
                                this,
                                () -> {
                                    if (failure != null) {
                                        mustBegin = true;
                                    } else {
                                        started(begun);
                                    }
                                }));
    }

    private void started(Start start) {
        switch (start) {
            case Begun begun -> began(begun);
            case NotNow later -> mustBegin = true;
            case NoDevice none -> close(CloseCode.TOKEN_REFUSED);
            case TakenOver elsewhere -> close(CloseCode.TAKEN_OVER);
        }
    }

    private void began(Begun begun) {
        generation = begun.generation();
        placement = Placement.of(begun.deviceId());
        advance(begun.drainedTo());
        markedTo = begun.presentedTo();
        beganAfter = begun.beganAfter();
        if (ended) {
            saveEnd();
            return;
        }
        if (generation <= displacedTo) {
            close(CloseCode.TAKEN_OVER);
            return;
        }
        Map<Long, LongConsumer> ends = new TreeMap<>();
        begun.recalled().forEach(id -> ends.put(id, out::recall));
        begun.settled().forEach(id -> ends.put(id, out::settled));
        if (endedWhileReading != null) {
            ends.putAll(endedWhileReading);
        }
        ends.forEach((id, tell) -> {
            if (id <= markedTo) {
                tell.accept(id);
            }
        });
        // What is read from here on is later than all that.
        endedWhileReading = null;
        loop.flushSoon(this);
        goBackToJoined();
        drain();
    }

    /** Something was stored for this device, with an id above all that it was offered before. */
    void offer(Message message) {
        if (ended || message.id() <= position) {
            return;
        }
        if (canTakeDirectly()) {
            present(message, true);
            loop.flushSoon(this);
        } else {
            loop.trace(Event.WOKEN, this, message.id());
            behind = true;
            drain();
        }
    }

    private boolean canTakeDirectly() {
        return !behind
                && !draining
                && !leaving
                && inFlight.room() > 0
                && out.isWritable()
                && loop.mayPresent();
    }

    /** The mailbox may hold something, whatever was fed here. */
    void wake() {
        behind = true;
        drain();
    }

    /** Another node has begun a session of the device, after those up to this generation. */
    void displaced(int until) {
        displacedTo = Math.max(displacedTo, until);
        if (generation > 0 && generation <= displacedTo) {
            close(CloseCode.TAKEN_OVER);
        }
    }

    /** Tokens of earlier generations than this are void. */
    void revoked(int from) {
        if (tokenGeneration < from) {
            close(CloseCode.TOKEN_REFUSED);
        }
    }

    /** The device has joined a group in which messages from this id on are open. */
    void joined(long id) {
        joinedFrom = joinedFrom == 0 ? id : Math.min(joinedFrom, id);
        // What is being read, as its start, may have been decided before, and is told after.
        if (generation > 0 && !draining) {
            goBackToJoined();
            drain();
        }
    }

    private void goBackToJoined() {
        if (joinedFrom > 0 && joinedFrom <= position) {
            markedTo = Math.max(markedTo, position);
            position = joinedFrom - 1;
        }
        behind |= joinedFrom > 0;
        joinedFrom = 0;
    }

    /** Reads on, if there may be something and enough of it could be presented to be worth it. */
    private void drain() {
        if (2 * inFlight.room() >= loop.limits().window()) {
            drainIfOpen();
        }
    }

    private void drainIfOpen() {
        if (!behind || draining || ended || leaving || generation == 0) {
            return;
        }
        if (inFlight.room() == 0 || !out.isWritable() || !loop.mayPresent()) {
            return;
        }
        behind = false;
        draining = true;
        long from = position;
        int limit = inFlight.room();
        loop.blocking(
                this,
                () -> loop.mailboxes().drain(appId, number, generation, from, limit),
                drained -> drained.ifPresentOrElse(this::drained, this::superseded),
                () -> {
                    draining = false;
                    behind = true;
                    endedWhileReading = null;
                    goBackToJoined();
                });
    }

    private void superseded() {
        draining = false;
        close(CloseCode.TAKEN_OVER);
    }

    /** Asked again after each read: the node may have stood still, and another presents by now. */
    private boolean mayPresent() {
        return !ended && !leaving && loop.mayPresent();
    }

    private void drained(Drained drained) {
        draining = false;
        boolean all = true;
        boolean may = mayPresent();
        for (Message message : drained.messages()) {
            if (!may || !out.isWritable() || inFlight.room() == 0) {
                all = false;
                break;
            }
            present(message, false);
        }
        endedWhileReading = null;
        if (all) {
            advance(Math.max(position, drained.upTo()));
        }
        if (drained.more() || !all) {
            behind = true;
        } else if (!caughtUp) {
            caughtUp = true;
            out.caughtUp();
        }
        goBackToJoined();
        loop.flushSoon(this);
        drain();
    }

    /**
     * @param woken its commit has just been told
     */
    private void present(Message message, boolean woken) {
        long id = message.id();
        if (id <= position) {
            return;
        }
        if (inFlight.contains(id)) {
            advance(id);
            return;
        }
        boolean notForUs = message.onlineOnly() && id <= beganAfter;
        boolean gone = endedWhileReading != null && endedWhileReading.containsKey(id);
        long now = loop.clock().millis();
        if (notForUs || gone || message.expiresAt() <= now) {
            advance(id);
            if (woken) {
                loop.trace(Event.WOKEN, this, id, now);
            }
            return;
        }
        if (message.wantsAck()) {
            inFlight.add(message, loop.clock().ticks());
            if (message.firstAckSettles()) {
                loop.presented(this, id);
            }
        } else {
            loop.written(id);
        }
        // Should writing it fail, the session is closed. What is in flight the next one reads
        // again.
        advance(id);
        boolean first = id > markedTo;
        out.push(message, first ? 1 : 2);
        loop.pushed(first);
        Event sent = woken ? Event.WOKEN_AND_SENT : Event.SENT;
        loop.trace(first ? sent : Event.RESENT, this, id, now);
    }

    /** The device says that it has these messages. */
    public void acknowledge(List<Long> ids, boolean opened) {
        for (long id : ids) {
            loop.acknowledge(this, id, opened, inFlight.mayBeSettled(id));
        }
        unansweredAcks += ids.size();
        if (unansweredAcks > MOST_UNANSWERED_ACKS) {
            out.pauseReading(true);
        }
    }

    /** The store has answered an ack: what is being read may still have the message as pending. */
    void answered(long id, AckOutcome outcome) {
        if (draining) {
            notAnyMore(id, acknowledged -> {});
        }
        unansweredAcks--;
        if (unansweredAcks == MOST_UNANSWERED_ACKS) {
            out.pauseReading(false);
        }
        inFlight.acknowledged(id, loop.clock().ticks());
        if (ended) {
            return;
        }
        if (answers == null) {
            answers = new ArrayList<>();
            loop.answerLater(this);
        }
        answers.add(new Answer(id, outcome));
        if (outcome.isOfSettling()) {
            loop.flushSoon(this);
        }
    }

    /** The store could not take an ack; the device will be asked again. */
    void unanswered(long id) {
        unansweredAcks--;
        out.unanswered(id);
        out.pauseReading(false);
    }

    /** Writes the answers to acks since the last time, and reads on if the window has opened. */
    void writeAnswers() {
        if (answers != null && !ended) {
            out.acked(answers);
        }
        answers = null;
        drain();
    }

    /** A message was taken back. */
    void recalled(long id) {
        withdrawn(id, out::recall);
    }

    /** Another device has settled a message. */
    void settled(long id) {
        withdrawn(id, out::settled);
    }

    private void withdrawn(long id, LongConsumer tell) {
        if (ended) {
            return;
        }
        if (draining || generation == 0) {
            notAnyMore(id, tell);
        }
        // An earlier session may have presented what this one has not come to yet.
        if (id <= Math.max(presentedTo, markedTo)) {
            inFlight.remove(id);
            tell.accept(id);
            loop.flushSoon(this);
        }
    }

    private void notAnyMore(long id, LongConsumer tell) {
        if (endedWhileReading == null) {
            endedWhileReading = new HashMap<>();
        }
        endedWhileReading.put(id, tell);
    }

    /** Anything at all came from the device. */
    public void heard() {
        heardAt = loop.clock().ticks();
        heardSinceBegun = generation > 0;
    }

    /** The socket takes more again, or does not. */
    public void writabilityChanged() {
        if (out.isWritable()) {
            slow = false;
            drain();
        } else if (!slow) {
            slow = true;
            unwritableSince = loop.clock().ticks();
        }
    }

    /** Looks at everything that time decides. */
    void tick(long now) {
        if (now - heardAt > loop.limits().silenceMillis()) {
            close(CloseCode.HEARTBEAT_MISSED);
        } else if (slow && now - unwritableSince > loop.limits().slowReaderMillis()) {
            loop.slow();
            close(CloseCode.SLOW_READER);
        } else if (mustBegin) {
            mustBegin = false;
            begin();
        } else {
            drainIfOpen();
            resendIfDue(now);
        }
    }

    private void resendIfDue(long now) {
        boolean can = !resending && !leaving && out.isWritable() && loop.mayPresent();
        if (!can || !inFlight.isDue(now)) {
            return;
        }
        resending = true;
        List<Long> unacked = inFlight.all();
        unacked.forEach(id -> loop.trace(Event.ACK_TIMED_OUT, this, id));
        loop.blocking(
                this,
                () -> loop.mailboxes().stillPending(appId, number, generation, unacked),
                pending ->
                        pending.ifPresentOrElse(still -> resend(unacked, still), this::superseded),
                () -> resending = false);
    }

    private void resend(List<Long> asked, List<Message> pending) {
        resending = false;
        boolean may = mayPresent();
        Set<Long> gone = new HashSet<>(asked);
        for (Message message : pending) {
            gone.remove(message.id());
            boolean expired = message.expiresAt() <= loop.clock().millis();
            if (expired) {
                inFlight.remove(message.id());
            } else if (inFlight.contains(message.id()) && may) {
                out.push(message, inFlight.attempt());
                loop.pushed(false);
                loop.trace(Event.RESENT, this, message.id());
            }
        }
        gone.forEach(inFlight::remove);
        if (may) {
            inFlight.presentedAgain();
        }
        loop.flushSoon(this);
        drain();
    }

    /** Presents nothing new from here on, since the node is about to stop. */
    void goAway(int reconnectAfterMillis, int spreadMillis) {
        leaving = true;
        out.goAway("shutdown", reconnectAfterMillis, spreadMillis, loop.elsewhere(placement));
        out.flush();
    }

    void flush() {
        out.flush();
    }

    /** Ends the session from this side. */
    void close(CloseCode code) {
        if (!ended) {
            end(code.reason());
            out.close(code);
        }
    }

    /** The connection is gone, whoever ended it. */
    public void disconnected() {
        end("disconnected");
    }

    private void end(String reason) {
        if (ended) {
            return;
        }
        ended = true;
        endedBecause = reason;
        answers = null;
        loop.remove(this);
        if (generation > 0) {
            saveEnd();
        }
    }

    private void saveEnd() {
        String reason = endedBecause == null ? "disconnected" : endedBecause;
        loop.save(
                new SessionLoop.SessionEnd(
                        appId,
                        number,
                        generation,
                        new Mailboxes.Ended(presentedTo, drainedTo(), heardSinceBegun, reason)));
    }

    /** Nothing at or below this id is pending. */
    private long drainedTo() {
        return inFlight.lowest(position + 1) - 1;
    }
}
