package io.postrider.server.session;

import io.postrider.protocol.CloseCode;
import io.postrider.server.clock.Clock;
import io.postrider.server.delivery.Arrival;
import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.Change.AppChanged;
import io.postrider.server.delivery.Change.Displaced;
import io.postrider.server.delivery.Change.Joined;
import io.postrider.server.delivery.Change.Recalled;
import io.postrider.server.delivery.Change.Revoked;
import io.postrider.server.delivery.Change.Settled;
import io.postrider.server.delivery.Mailboxes;
import io.postrider.server.delivery.MessageStore;
import io.postrider.server.delivery.Placement;
import io.postrider.server.delivery.Presence;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.delivery.Trace;
import io.postrider.server.delivery.WakeUps;
import io.postrider.server.identity.Device;
import io.postrider.server.metrics.Metrics;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.roaringbitmap.RoaringBitmap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All sessions of this node: finds those that a wake-up is for, and makes a newer connection of a
 * device displace the older. Thread-safe.
 */
public final class Sessions implements WakeUps, Presence {
    private static final Logger LOG = LoggerFactory.getLogger(Sessions.class);

    private final SessionLimits limits;
    private final Clock clock;
    private final Trace trace;
    private final Metrics metrics;
    private final Executor virtual;
    private final List<SessionLoop> loops = new CopyOnWriteArrayList<>();
    private final Map<Long, Session> byDevice = new ConcurrentHashMap<>();
    private final Map<Long, Integer> countByApp = new ConcurrentHashMap<>();
    private @Nullable MessageStore store;
    private @Nullable Mailboxes mailboxes;

    private @Nullable Feed feed;
    private volatile Consumer<Change> readChange = change -> {};
    private BooleanSupplier mayPresent = () -> true;
    private volatile LongFunction<List<String>> elsewhere = placement -> List.of();

    public Sessions(SessionLimits limits, Clock clock, Trace trace, Metrics metrics) {
        this(limits, clock, trace, metrics, Executors.newVirtualThreadPerTaskExecutor());
    }

    Sessions(SessionLimits limits, Clock clock, Trace trace, Metrics metrics, Executor virtual) {
        this.virtual = virtual;
        this.limits = limits;
        this.clock = clock;
        this.trace = trace;
        this.metrics = metrics;
        metrics.sessions(byDevice::size);
    }

    /**
     * Names who hears, too, of changes that are read from the store, as all by other nodes are;
     * once, before {@link #look}.
     */
    public void onReadChange(Consumer<Change> listener) {
        readChange = listener;
    }

    /** Names who says whether sessions may present anything; once, before the first loop. */
    public void presentOnlyWhile(BooleanSupplier allowed) {
        mayPresent = allowed;
    }

    /**
     * Names who knows other nodes' gateways for a device of a {@link Placement}, in its order;
     * before {@link #sendAway}.
     */
    public void leaveTo(LongFunction<List<String>> gateways) {
        elsewhere = gateways;
    }

    List<String> elsewhere(long placement) {
        return elsewhere.apply(placement);
    }

    boolean mayPresent() {
        return mayPresent.getAsBoolean();
    }

    /** Names what sessions read from; once, before the first loop. */
    public void readFrom(MessageStore messageStore, Mailboxes from) {
        this.store = messageStore;
        this.mailboxes = from;
        this.feed = new Feed(this, messageStore, virtual, change -> readChange.accept(change));
    }

    private Feed feed() {
        return Objects.requireNonNull(feed);
    }

    MessageStore store() {
        return Objects.requireNonNull(store);
    }

    Mailboxes mailboxes() {
        return Objects.requireNonNull(mailboxes);
    }

    /**
     * The sessions of one more event loop.
     *
     * @param eventLoop runs tasks in the order they are given
     * @param nextTurn runs tasks there after the next look at the sockets
     */
    public SessionLoop addLoop(Executor eventLoop, Executor nextTurn) {
        SessionLoop loop =
                new SessionLoop(eventLoop, nextTurn, virtual, this, limits, clock, trace, metrics);
        loops.add(loop);
        return loop;
    }

    public int count() {
        return byDevice.size();
    }

    /** How many sessions an app has here; those just being opened may not be among them. */
    public int count(long appId) {
        return countByApp.getOrDefault(appId, 0);
    }

    void opened(Session session) {
        Session older = byDevice.put(session.key(), session);
        if (older == null) {
            countByApp.merge(session.appId, 1, Integer::sum);
            session.begin();
            return;
        }
        older.loop.execute(() -> {
            older.close(CloseCode.TAKEN_OVER);
            session.loop.execute(session, session::begin);
        });
    }

    void closed(Session session) {
        if (byDevice.remove(session.key(), session)) {
            countByApp.computeIfPresent(
                    session.appId, (app, count) -> count == 1 ? null : count - 1);
        }
    }

    @Override
    public void committed(long afterId, long upTo, List<Arrival> arrivals, List<Change> changes) {
        feed().committed(afterId, upTo, arrivals, changes);
    }

    @Override
    public void changed(Change change) {
        feed().changed(change);
    }

    /** Another node may have committed something up to this id. Any thread; never blocks. */
    public void heardOf(long id) {
        feed().heardOf(id);
    }

    /** As {@link #look}; completes when all that others had changed at the call was told. */
    public CompletableFuture<Void> caughtUp() {
        return feed().caughtUp();
    }

    /** Hints may have been lost: reads what has been committed meanwhile. Never blocks. */
    public void look() {
        feed().look();
    }

    /** Finds what was committed and never fed here (G4). To be called every few seconds. */
    public void sweep() {
        feed().sweep();
    }

    void offer(List<Arrival> arrivals) {
        for (SessionLoop loop : loops) {
            List<Arrival> here =
                    arrivals.stream().filter(arrival -> mayConcern(loop, arrival)).toList();
            if (!here.isEmpty()) {
                loop.execute(() -> here.forEach(loop::offer));
            }
        }
    }

    /** A message to one goes to its session's loop only, if it has one. */
    private boolean mayConcern(SessionLoop loop, Arrival arrival) {
        if (arrival.recipients().count() > 1) {
            return true;
        }
        if (arrival.recipients().count() == 0) {
            return false;
        }
        Session session =
                byDevice.get(Device.key(arrival.message().appId(), arrival.recipients().first()));
        return session != null && session.loop == loop;
    }

    void wake(Arrival arrival) {
        forEachLoop(loop ->
                loop.forEach(arrival.message().appId(), arrival.recipients(), Session::wake));
    }

    void apply(Change change) {
        switch (change) {
            case Recalled(long appId, long id, Recipients recipients) ->
                    forEachLoop(loop ->
                            loop.forEach(appId, recipients, session -> session.recalled(id)));
            case Settled(long appId, long id, Recipients others) ->
                    others.forEach(number -> onLoop(appId, number, session -> session.settled(id)));
            case Joined(long appId, int number, long id) ->
                    onLoop(appId, number, session -> session.joined(id));
            case Revoked(long appId, int number, int generation) ->
                    onLoop(appId, number, session -> session.revoked(generation));
            case Displaced(long appId, int number, int generation) ->
                    onLoop(appId, number, session -> session.displaced(generation));
            case AppChanged(long appId) -> {}
        }
    }

    private void onLoop(long appId, int number, Consumer<Session> task) {
        Session session = byDevice.get(Device.key(appId, number));
        if (session != null) {
            session.loop.execute(session, () -> task.accept(session));
        }
    }

    /** Closes all sessions, whose devices are to come again. Blocks until they have ended. */
    public void endAll(CloseCode code) {
        CountDownLatch ended = new CountDownLatch(loops.size());
        forEachLoop(loop -> {
            loop.forEachSession(session -> session.close(code));
            ended.countDown();
        });
        try {
            ended.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts who ends sessions", e);
        }
    }

    /** Closes all sessions of an app whose device tokens have become void. */
    public void revokedAll(long appId) {
        forEachLoop(loop ->
                loop.forEachSession(session -> {
                    if (session.appId == appId) {
                        session.close(CloseCode.TOKEN_REFUSED);
                    }
                }));
    }

    private void forEachLoop(Consumer<SessionLoop> task) {
        for (SessionLoop loop : loops) {
            loop.execute(() -> task.accept(loop));
        }
    }

    /** Whether the device has a session here. */
    public boolean isOnline(long deviceKey) {
        return byDevice.containsKey(deviceKey);
    }

    @Override
    public boolean wasPresented(long deviceKey, long messageId) {
        Session session = byDevice.get(deviceKey);
        return session != null && messageId <= session.presentedTo();
    }

    @Override
    public Recipients online(long appId, Recipients among) {
        RoaringBitmap online = new RoaringBitmap();
        if (byDevice.size() < among.count()) {
            byDevice.values()
                    .forEach(session -> {
                        if (session.appId == appId && among.contains(session.number)) {
                            online.add(session.number);
                        }
                    });
        } else {
            among.forEach(number -> {
                if (isOnline(Device.key(appId, number))) {
                    online.add(number);
                }
            });
        }
        return Recipients.of(online);
    }

    /**
     * Tells every device to come back later, each at another time; waits, for at most {@code
     * patienceMillis}, for acks of what is in flight; then closes. Blocks.
     */
    public void sendAway(int reconnectAfterMillis, int spreadMillis, long patienceMillis) {
        CountDownLatch idle = new CountDownLatch(loops.size());
        forEachLoop(loop -> loop.leave(reconnectAfterMillis, spreadMillis, idle::countDown));
        await(idle, patienceMillis);
        CountDownLatch closed = new CountDownLatch(loops.size());
        forEachLoop(loop -> {
            loop.forEachSession(session -> session.close(CloseCode.SHUTDOWN));
            closed.countDown();
        });
        await(closed, patienceMillis);
    }

    private static void await(CountDownLatch latch, long millis) {
        try {
            if (!latch.await(millis, TimeUnit.MILLISECONDS)) {
                LOG.info("some sessions had not finished after {} ms", millis);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
