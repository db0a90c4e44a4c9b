package io.postrider.server.session;

import io.postrider.protocol.CloseCode;
import io.postrider.server.clock.Clock;
import io.postrider.server.delivery.AckBatch;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.Arrival;
import io.postrider.server.delivery.Mailboxes;
import io.postrider.server.delivery.MessageStore;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.delivery.Trace;
import io.postrider.server.metrics.Metrics;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One event loop's sessions and what they share: the batch of acks that waits for the store, one
 * tick instead of a timer for each, one flush for each turn. Confined to its event loop, but for
 * {@link #execute}.
 */
public final class SessionLoop {
    /** How often {@link #tick} is to be called. */
    public static final int TICK_MILLIS = 250;

    private static final Logger LOG = LoggerFactory.getLogger(SessionLoop.class);
    private static final int TICKS_PER_LOOK = 4;

    /** So many flushes take long enough that the next message for many may have come meanwhile. */
    private static final int FLUSHES_AT_ONCE = 64;

    private static final int ENDS_AT_ONCE = 500;

    private final Executor eventLoop;
    private final Executor nextTurn;
    private final Executor virtual;
    private final Sessions sessions;
    private final SessionLimits limits;
    private final Clock clock;
    private final Trace trace;
    private final Metrics metrics;

    private final Map<Long, Map<Integer, Session>> byApp = new HashMap<>();
    private final ArrayDeque<Session> toFlush = new ArrayDeque<>();
    private final Map<Long, int[]> written = new HashMap<>();
    private List<MessageStore.Presentation> presented = new ArrayList<>();
    private final ArrayDeque<Answered> answered = new ArrayDeque<>();
    private List<Session> toAnswer = new ArrayList<>();
    private boolean flushScheduled;

    private AckBatch waiting = new AckBatch();
    private List<Session> waitingSessions = new ArrayList<>();
    private boolean acksAreOut;

    /** Of sessions that have ended while the store failed. */
    private final ArrayDeque<SessionEnd> unsavedEnds = new ArrayDeque<>();

    private int ticks;
    private @Nullable Runnable idleSignal;

    /** How a session ended. */
    record SessionEnd(long appId, int number, int generation, Mailboxes.Ended ended) {}

    /** Whose answers wait for something that takes them along, and since when. */
    private record Answered(long since, List<Session> sessions) {}

    SessionLoop(
            Executor eventLoop,
            Executor nextTurn,
            Executor virtual,
            Sessions sessions,
            SessionLimits limits,
            Clock clock,
            Trace trace,
            Metrics metrics) {
        this.eventLoop = eventLoop;
        this.nextTurn = nextTurn;
        this.virtual = virtual;
        this.sessions = sessions;
        this.limits = limits;
        this.clock = clock;
        this.trace = trace;
        this.metrics = metrics;
    }

    SessionLimits limits() {
        return limits;
    }

    Clock clock() {
        return clock;
    }

    List<String> elsewhere(long placement) {
        return sessions.elsewhere(placement);
    }

    boolean mayPresent() {
        return sessions.mayPresent();
    }

    Mailboxes mailboxes() {
        return sessions.mailboxes();
    }

    private MessageStore store() {
        return sessions.store();
    }

    /** Runs a task on the event loop, after those given before. Any thread. */
    void execute(Runnable task) {
        eventLoop.execute(task);
    }

    /** As {@link #execute}, for one session. */
    void execute(Session session, Runnable task) {
        execute(() -> alone(session, task));
    }

    /** Again and again until the store has it: to other nodes the device would seem connected. */
    void save(SessionEnd end) {
        mailboxes()
                .end(end.appId, end.number, end.generation, end.ended)
                .whenComplete((done, failure) -> {
                    if (failure != null) {
                        execute(() -> unsavedEnds.add(end));
                    }
                });
    }

    /** Some at a time: after an outage there may be as many as there were sessions. */
    private void saveEnds() {
        for (int i = 0;
                i < ENDS_AT_ONCE
                        && !unsavedEnds.isEmpty()
                        && store().intake() == MessageStore.Intake.OPEN;
                i++) {
            save(unsavedEnds.remove());
        }
    }

    /** What fails for one session costs no other one its turn (G13): that session is closed. */
    private static void alone(Session session, Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            LOG.error("a session failed and is closed", e);
            try {
                session.close(CloseCode.INTERNAL_ERROR);
            } catch (Throwable again) {
                LOG.error("it could not be told", again);
            }
        }
    }

    private static Consumer<Session> alone(Consumer<Session> task) {
        return session -> alone(session, () -> task.accept(session));
    }

    /**
     * Runs what a session waits for on a virtual thread, and comes back with its answer or its
     * failure.
     */
    <T> void blocking(Session session, Supplier<T> work, Consumer<T> then, Runnable otherwise) {
        virtual.execute(() -> {
            try {
                T answer = work.get();
                execute(session, () -> then.accept(answer));
            } catch (RejectedExecutionException e) {
                LOG.debug("the node has stopped while a session read", e);
            } catch (Throwable e) {
                // Of an Error, too, a session must hear, or it waits for ever.
                LOG.warn("reading for a session failed: {}", e.toString());
                execute(session, otherwise);
            }
        });
    }

    /** A device has proved who it is. Displaces its older connection, wherever that is. */
    public Session open(long appId, int number, int tokenGeneration, Outbound out) {
        Session session = new Session(this, appId, number, tokenGeneration, out);
        byApp.computeIfAbsent(appId, app -> new HashMap<>()).put(number, session);
        metrics.sessionOpened();
        sessions.opened(session);
        return session;
    }

    void remove(Session session) {
        Map<Integer, Session> ofApp = byApp.get(session.appId);
        if (ofApp != null && ofApp.remove(session.number, session) && ofApp.isEmpty()) {
            byApp.remove(session.appId);
        }
        sessions.closed(session);
    }

    /** Offers a message to those of its recipients that are connected here. */
    void offer(Arrival arrival) {
        forEach(
                arrival.message().appId(),
                arrival.recipients(),
                session -> session.offer(arrival.message()));
    }

    /** Those of an app's recipients that are connected here. */
    void forEach(long appId, Recipients recipients, Consumer<Session> task) {
        Consumer<Session> each = alone(task);
        Map<Integer, Session> ofApp = byApp.get(appId);
        if (ofApp == null) {
            return;
        }
        if (ofApp.size() < recipients.count()) {
            for (Session session : List.copyOf(ofApp.values())) {
                if (recipients.contains(session.number)) {
                    each.accept(session);
                }
            }
        } else {
            recipients.forEach(number -> {
                Session session = ofApp.get(number);
                if (session != null) {
                    each.accept(session);
                }
            });
        }
    }

    void forEachSession(Consumer<Session> task) {
        all().forEach(alone(task));
    }

    private List<Session> all() {
        List<Session> all = new ArrayList<>();
        byApp.values().forEach(ofApp -> all.addAll(ofApp.values()));
        return all;
    }

    /** One flush after this turn, however much is written until then. */
    void flushSoon(Session session) {
        if (!session.flushIsDue) {
            session.flushIsDue = true;
            toFlush.add(session);
        }
        if (!flushScheduled) {
            flushScheduled = true;
            execute(this::flush);
        }
    }

    /**
     * Some, and the rest when the loop has read what came in: a message for many that is stored
     * meanwhile goes along to those who wait.
     */
    private void flush() {
        flushScheduled = false;
        for (int i = 0; i < FLUSHES_AT_ONCE && !toFlush.isEmpty(); i++) {
            Session session = toFlush.remove();
            session.flushIsDue = false;
            alone(session, session::flush);
        }
        if (!toFlush.isEmpty() && !flushScheduled) {
            flushScheduled = true;
            nextTurn.execute(this::flush);
        }
    }

    void answerLater(Session session) {
        toAnswer.add(session);
    }

    /**
     * @param settles the device waits to hear whether it was the first
     */
    void acknowledge(Session session, long messageId, boolean opened, boolean settles) {
        waiting.add(session.appId, session.number, messageId, opened);
        if (settles) {
            waiting.setUrgent();
        }
        waitingSessions.add(session);
        if (!acksAreOut) {
            acksAreOut = true;
            execute(this::sendAcks);
        }
    }

    /** One batch is with the store at a time; what comes meanwhile is the next. */
    private void sendAcks() {
        if (waiting.isEmpty()) {
            acksAreOut = false;
            return;
        }
        AckBatch batch = waiting;
        List<Session> batchSessions = waitingSessions;
        waiting = new AckBatch();
        waitingSessions = new ArrayList<>();
        metrics.acked(batch.size());
        store().acknowledge(batch)
                .whenComplete((outcomes, failure) ->
                        execute(() -> acksAnswered(batch, batchSessions, outcomes)));
    }

    private void acksAnswered(
            AckBatch batch, List<Session> batchSessions, @Nullable List<AckOutcome> outcomes) {
        for (int i = 0; i < batch.size(); i++) {
            Session session = batchSessions.get(i);
            long id = batch.get(i).messageId();
            if (outcomes == null) {
                alone(session, () -> session.unanswered(id));
            } else {
                AckOutcome outcome = outcomes.get(i);
                alone(session, () -> session.answered(id, outcome));
            }
        }
        List<Session> answering = toAnswer;
        toAnswer = new ArrayList<>();
        answering.forEach(alone(Session::writeAnswers));
        answered.add(new Answered(clock.ticks(), answering));
        flushAnswers();
        signalIfIdle();
        sendAcks();
    }

    /**
     * No device waits for these answers: its next message takes them along. Those that have waited
     * a tick go a few at a time, as new ones come.
     */
    private void flushAnswers() {
        long longEnough = clock.ticks() - TICK_MILLIS;
        while (!answered.isEmpty() && answered.element().since() <= longEnough) {
            answered.remove().sessions().forEach(this::flushSoon);
        }
    }

    void written(long messageId) {
        written.computeIfAbsent(messageId, id -> new int[1])[0]++;
    }

    /** A message to groups was written to one of their devices. */
    void presented(Session session, long messageId) {
        presented.add(new MessageStore.Presentation(session.appId, session.number, messageId));
    }

    void pushed(boolean first) {
        if (first) {
            metrics.pushed();
        } else {
            metrics.repeated();
        }
    }

    void slow() {
        metrics.sessionSlow();
    }

    void trace(Trace.Event event, Session session, long messageId, long now) {
        trace.record(event, session.key(), messageId, now);
    }

    void trace(Trace.Event event, Session session, long messageId) {
        trace.record(event, session.key(), messageId, clock.millis());
    }

    /** Tells every session to go; runs the signal, once, when none waits for an ack any more. */
    void leave(int reconnectAfterMillis, int spreadMillis, Runnable whenIdle) {
        forEachSession(session -> session.goAway(reconnectAfterMillis, spreadMillis));
        idleSignal = whenIdle;
        signalIfIdle();
    }

    private void signalIfIdle() {
        Runnable signal = idleSignal;
        if (signal != null && all().stream().allMatch(Session::isIdle)) {
            idleSignal = null;
            signal.run();
        }
    }

    /** To be called every {@link #TICK_MILLIS} on the event loop. */
    public void tick() {
        flushAnswers();
        written.forEach((messageId, devices) -> {
            store().addWritten(messageId, devices[0]);
        });
        written.clear();
        if (!presented.isEmpty()) {
            store().addPresented(presented);
            presented = new ArrayList<>();
        }
        ticks++;
        if (ticks % TICKS_PER_LOOK == 0) {
            // Before those devices begin again.
            saveEnds();
            long now = clock.ticks();
            forEachSession(session -> session.tick(now));
            signalIfIdle();
        }
    }
}
