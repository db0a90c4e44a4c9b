package io.postrider.server.session;

import io.postrider.server.clock.Clock;
import io.postrider.server.delivery.Arrival;
import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.Message;
import io.postrider.server.delivery.Trace;
import io.postrider.server.delivery.Trace.Entry;
import io.postrider.server.delivery.Trace.Event;
import io.postrider.server.identity.Device;
import io.postrider.server.metrics.Metrics;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.stream.LongStream;

/**
 * Sessions over a store in memory, by a clock that stands. One thread, the test's, is every thread:
 * nothing runs until {@link #run}, and after it nothing is left to run.
 */
final class FakeNode implements Clock {
    static final int TOKEN_GENERATION = 3;
    static final long APP = 7;
    static final int WINDOW = 8;
    static final SessionLimits LIMITS =
            new SessionLimits(WINDOW, 30_000, 30_000, new long[] {10_000, 30_000, 90_000});

    final Metrics metrics = new Metrics();
    final FakeStore store = new FakeStore();
    long now = 1_000_000;
    final Trace trace = new Trace(64, now);
    final Sessions sessions;
    final SessionLoop loop;

    /** While true, what sessions read from the store stays unread. */
    boolean readsAreHeld;

    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final Queue<Runnable> reads = new ArrayDeque<>();

    /** Whether the node's lease is held. */
    boolean mayPresent = true;

    final List<Change> readChanges = new ArrayList<>();

    FakeNode() {
        sessions = new Sessions(LIMITS, this, trace, metrics, reads::add);
        sessions.onReadChange(readChanges::add);
        sessions.presentOnlyWhile(() -> mayPresent);
        sessions.readFrom(store, store);
        loop = sessions.addLoop(tasks::add, tasks::add);
    }

    void run() {
        while (!tasks.isEmpty() || (!readsAreHeld && !reads.isEmpty())) {
            (tasks.isEmpty() ? reads : tasks).remove().run();
        }
    }

    Session open(int number, FakeDevice device) {
        return open(APP, number, device);
    }

    Session open(long app, int number, FakeDevice device) {
        Session session = loop.open(app, number, TOKEN_GENERATION, device);
        run();
        return session;
    }

    /** Stores a message and tells of it. */
    void publish(long id, int... numbers) {
        feed(store(id, numbers));
    }

    void publishAll(long from, long to, int number) {
        LongStream.rangeClosed(from, to).forEach(id -> publish(id, number));
    }

    List<Event> traced(int number, long id) {
        return trace.of(Device.key(APP, number), id).stream().map(Entry::event).toList();
    }

    /** Stores a message of which nobody is told. */
    Arrival store(long id, int... numbers) {
        return store.add(message(id), numbers);
    }

    static Message message(long id) {
        return FakeStore.message(APP, id, FakeStore.FOREVER, true, false);
    }

    /** Tells of messages that follow each other. */
    void feed(Arrival... arrivals) {
        tell(arrivals);
        run();
    }

    /** A commit is told, and nothing runs yet. */
    void tell(Arrival... arrivals) {
        sessions.committed(
                arrivals[0].message().id() - 1,
                arrivals[arrivals.length - 1].message().id(),
                Arrays.asList(arrivals),
                List.of());
    }

    void ack(Session session, Long... ids) {
        session.acknowledge(List.of(ids), false);
        run();
    }

    /** Time passes, and the loop looks at everything that it decides. */
    void pass(long millis) {
        now += millis;
        for (int i = 0; i < 4; i++) {
            loop.tick();
        }
        run();
    }

    /** As {@link #pass}, for devices that are heard of all the time. */
    void passHearing(long millis, Session... heard) {
        now += millis;
        for (Session session : heard) {
            session.heard();
        }
        pass(0);
    }

    @Override
    public long millis() {
        return now;
    }

    @Override
    public long ticks() {
        return now;
    }

    @Override
    public void notBefore(long millis) {
        now = Math.max(now, millis);
    }

    @Override
    public long adopt(long millis) {
        return now;
    }

    boolean counted(String sample) {
        return metrics.scrape().contains("\npostrider_" + sample + "\n");
    }
}
