package io.postrider.server.session;

import io.postrider.server.delivery.Arrival;
import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.Change.Recalled;
import io.postrider.server.delivery.Change.Settled;
import io.postrider.server.delivery.Committed;
import io.postrider.server.delivery.MessageStore;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Feeds this node's sessions with what is committed, in the order of the commits and without a gap.
 * What this node commits comes from its writer, as long as each commit follows the one before it;
 * what is missing, because other nodes committed it or a hint was lost, is read from the store.
 * Thread-safe.
 */
final class Feed {
    private static final Logger LOG = LoggerFactory.getLogger(Feed.class);
    private static final int PAGE = 1_000;

    private final Sessions sessions;
    private final MessageStore store;
    private final Executor virtual;
    private final Consumer<Change> readChange;

    private long fedTo;
    private long fedToAtLastSweep;
    private boolean reading;
    private CompletableFuture<Void> waiting = new CompletableFuture<>();
    private boolean lookAgain;

    /** Of these sessions know, though they are to be read. */
    private final Set<Change> takenAway = new HashSet<>();

    /** What is being read may have these as pending; their sessions must ask again. */
    private final Set<Long> endedWhileReading = new HashSet<>();

    /**
     * @param readChange hears, too, of changes that are read
     */
    Feed(Sessions sessions, MessageStore store, Executor virtual, Consumer<Change> readChange) {
        this.sessions = sessions;
        this.store = store;
        this.virtual = virtual;
        this.readChange = readChange;
        this.fedTo = store.lastId();
    }

    /**
     * As {@link io.postrider.server.delivery.WakeUps#committed}. A message that is read as well is
     * known by its id; a change is not, so there must be no reading that may find it. What a change
     * takes away is not presented from now on (G7), even if it is to be read in its order.
     */
    synchronized void committed(
            long afterId, long upTo, List<Arrival> arrivals, List<Change> changes) {
        if (afterId == fedTo && (changes.isEmpty() || !reading)) {
            fedTo = upTo;
            sessions.offer(arrivals);
            changes.forEach(sessions::apply);
        } else if (upTo > fedTo) {
            changes.stream().filter(Feed::takesAway).forEach(this::takeAway);
            look();
        }
    }

    private static boolean takesAway(Change change) {
        return change instanceof Recalled || change instanceof Settled;
    }

    private void takeAway(Change change) {
        changed(change);
        takenAway.add(change);
    }

    /** As {@link io.postrider.server.delivery.WakeUps#changed}. */
    synchronized void changed(Change change) {
        if (reading && change instanceof Recalled recalled) {
            endedWhileReading.add(recalled.messageId());
        } else if (reading && change instanceof Settled settled) {
            endedWhileReading.add(settled.messageId());
        }
        sessions.apply(change);
    }

    /**
     * Completes, after a read of what is not known here, when all that others had committed at the
     * call was told; exceptionally if that could not be read.
     */
    synchronized CompletableFuture<Void> caughtUp() {
        look();
        return waiting;
    }

    /** Reads what has been committed and not been fed. */
    synchronized void look() {
        lookAgain = true;
        if (!reading) {
            reading = true;
            virtual.execute(this::read);
        }
    }

    /** Something may have been committed up to this id. */
    synchronized void heardOf(long id) {
        if (id > fedTo) {
            look();
        }
    }

    private void read() {
        do {
            CompletableFuture<Void> served = begin();
            try {
                readAll();
                served.complete(null);
            } catch (Throwable e) {
                // An Error, too: nobody else would read.
                LOG.warn("reading for sessions failed, will be tried again: {}", e.toString());
                served.completeExceptionally(e);
            }
        } while (goesOn());
    }

    private synchronized CompletableFuture<Void> begin() {
        lookAgain = false;
        CompletableFuture<Void> served = waiting;
        waiting = new CompletableFuture<>();
        return served;
    }

    private void readAll() {
        Committed page;
        do {
            page = store.committedAfter(from(), PAGE);
            // First, since it may fail: then all of the page is read again.
            page.changes().forEach(readChange);
            feed(page);
        } while (page.more());
    }

    private synchronized long from() {
        endedWhileReading.clear();
        return fedTo;
    }

    private synchronized boolean goesOn() {
        reading = lookAgain;
        return reading;
    }

    private synchronized void feed(Committed page) {
        page.changes().stream()
                .filter(change -> !takenAway.remove(change))
                .forEach(sessions::apply);
        page.arrivals().stream().filter(this::hasEnded).forEach(sessions::wake);
        sessions.offer(page.arrivals().stream().filter(each -> !hasEnded(each)).toList());
        fedTo = Math.max(fedTo, page.upTo());
    }

    private boolean hasEnded(Arrival arrival) {
        return endedWhileReading.contains(arrival.message().id());
    }

    /**
     * Finds what was committed and never fed here (G4). To be called every few seconds: what has
     * moved since the last time moves by itself.
     */
    void sweep() {
        long quietAt;
        synchronized (this) {
            quietAt = fedTo == fedToAtLastSweep ? fedTo : Long.MAX_VALUE;
            fedToAtLastSweep = fedTo;
        }
        try {
            if (quietAt < Long.MAX_VALUE && store.lastId() > quietAt) {
                look();
            }
        } catch (RuntimeException e) {
            LOG.warn("the sweep failed, will be tried again: {}", e.getMessage());
        }
    }
}
