package io.postrider.server.session;

import io.postrider.protocol.v1.Push;
import io.postrider.server.delivery.Accepted;
import io.postrider.server.delivery.AckBatch;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.Arrival;
import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.Committed;
import io.postrider.server.delivery.Mailboxes;
import io.postrider.server.delivery.Message;
import io.postrider.server.delivery.MessageStore;
import io.postrider.server.delivery.NewMessage;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.delivery.StoreUnavailable;
import io.postrider.server.delivery.WakeUps;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/** A store in memory that answers at once, or fails or waits when a test says so. */
final class FakeStore implements MessageStore, Mailboxes {
    static final long FOREVER = Long.MAX_VALUE;

    /** What a session said at its end. */
    record End(int number, int generation, long position, long drainedTo, String reason) {}

    final List<End> ends = new ArrayList<>();
    final List<Boolean> heard = new ArrayList<>();
    final List<String> begins = new ArrayList<>();
    final List<Integer> ackBatches = new ArrayList<>();
    final List<Boolean> urgent = new ArrayList<>();
    final Map<Long, Integer> written = new TreeMap<>();
    final List<Presentation> presented = new ArrayList<>();
    final Map<Integer, Begun> begun = new HashMap<>();
    int drains;
    int pages;

    /** Happens when a page of what was committed has been read, and not been fed. */
    Runnable afterPage = () -> {};

    /** Whose ends were kept. */
    final List<Integer> saved = new ArrayList<>();

    boolean failing;

    /** While true, reads fail as if there were no memory left on the stack. */
    boolean failsBadly;

    boolean acksAreHeld;
    boolean beginsAreHeld;
    boolean knowsDevices = true;
    boolean isSuperseded;
    final List<Change> changes = new ArrayList<>();
    AckOutcome outcome = AckOutcome.RECORDED;

    private final TreeMap<Long, Arrival> arrivals = new TreeMap<>();
    private final Map<Integer, NavigableMap<Long, Message>> pending = new HashMap<>();
    private final List<Runnable> held = new ArrayList<>();
    private long lastId;

    static Message message(long appId, long id, long expiresAt, boolean wantsAck, boolean online) {
        byte[] content = Push.getDefaultInstance().toByteArray();
        return new Message(id, appId, 0, expiresAt, wantsAck, online, false, content);
    }

    /** To groups, of which the first ack settles it. */
    static Message toGroups(long appId, long id) {
        byte[] content = Push.getDefaultInstance().toByteArray();
        return new Message(id, appId, 0, FOREVER, true, false, true, content);
    }

    /** Something has changed, as of an id. */
    void change(long id, Change change) {
        lastId = id;
        changes.add(change);
    }

    /** A device has become one of those that a message is for. */
    void alsoFor(int number, long id) {
        Arrival arrival = arrivals.get(id);
        if (arrival != null) {
            of(number).put(id, arrival.message());
        }
    }

    Arrival add(Message message, int... numbers) {
        lastId = message.id();
        Arrival arrival = new Arrival(message, Recipients.of(numbers));
        arrivals.put(message.id(), arrival);
        for (int number : numbers) {
            of(number).put(message.id(), message);
        }
        return arrival;
    }

    private NavigableMap<Long, Message> of(int number) {
        return pending.computeIfAbsent(number, n -> new TreeMap<>());
    }

    void end(int number, long id) {
        of(number).remove(id);
    }

    /** Lets happen what was held. */
    void release() {
        acksAreHeld = false;
        beginsAreHeld = false;
        List<Runnable> now = List.copyOf(held);
        held.clear();
        now.forEach(Runnable::run);
    }

    private <T> CompletableFuture<T> answer(boolean later, T value) {
        if (failing) {
            return CompletableFuture.failedFuture(new StoreUnavailable("broken"));
        }
        if (!later) {
            return CompletableFuture.completedFuture(value);
        }
        CompletableFuture<T> answer = new CompletableFuture<>();
        held.add(() -> answer.complete(value));
        return answer;
    }

    private void failIfFailing() {
        if (failsBadly) {
            throw new StackOverflowError("on purpose");
        }
        if (failing) {
            throw new StoreUnavailable("broken");
        }
    }

    @Override
    public CompletableFuture<List<AckOutcome>> acknowledge(AckBatch acks) {
        ackBatches.add(acks.size());
        urgent.add(acks.isUrgent());
        List<AckOutcome> outcomes = new ArrayList<>();
        for (int i = 0; i < acks.size(); i++) {
            if (!failing && (outcome == AckOutcome.RECORDED || outcome == AckOutcome.WON)) {
                end(acks.get(i).number(), acks.get(i).messageId());
            }
            outcomes.add(outcome);
        }
        return answer(acksAreHeld, outcomes);
    }

    @Override
    public CompletableFuture<Start> begin(
            long appId, int number, int tokenGeneration, long connectedAt) {
        begins.add(appId + "/" + number + "/" + tokenGeneration);
        Begun known =
                begun.getOrDefault(number, new Begun("d", 1, 0, 0, lastId, List.of(), List.of()));
        return answer(beginsAreHeld, knowsDevices ? known : new NoDevice());
    }

    @Override
    public CompletableFuture<Void> end(long appId, int number, int generation, Ended ended) {
        ends.add(new End(number, generation, ended.position(), ended.drainedTo(), ended.reason()));
        heard.add(ended.heard());
        if (failing) {
            return CompletableFuture.failedFuture(new StoreUnavailable("broken"));
        }
        saved.add(number);
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public Optional<Drained> drain(
            long appId, int number, int generation, long afterId, int limit) {
        failIfFailing();
        drains++;
        List<Message> above = List.copyOf(of(number).tailMap(afterId, false).values());
        boolean more = above.size() > limit;
        List<Message> page = more ? above.subList(0, limit) : above;
        return isSuperseded
                ? Optional.empty()
                : Optional.of(new Drained(page, more ? page.get(limit - 1).id() : lastId, more));
    }

    @Override
    public Optional<List<Message>> stillPending(
            long appId, int number, int generation, List<Long> messageIds) {
        failIfFailing();
        List<Message> pending =
                of(number).values().stream()
                        .filter(message -> messageIds.contains(message.id()))
                        .toList();
        return isSuperseded ? Optional.empty() : Optional.of(pending);
    }

    @Override
    public CompletableFuture<Void> addWritten(long messageId, int devices) {
        written.merge(messageId, devices, Integer::sum);
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletableFuture<Void> addPresented(List<Presentation> added) {
        presented.addAll(added);
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public Committed committedAfter(long id, int limit) {
        failIfFailing();
        pages++;
        List<Arrival> page = arrivals.tailMap(id, false).values().stream().limit(limit).toList();
        boolean more = page.size() == limit;
        long upTo = more ? page.get(limit - 1).message().id() : lastId;
        List<Change> told = List.copyOf(changes);
        changes.clear();
        afterPage.run();
        return new Committed(page, told, upTo, more);
    }

    @Override
    public long lastId() {
        return lastId;
    }

    @Override
    public void onCommit(WakeUps wakeUps) {
        throw new UnsupportedOperationException();
    }

    @Override
    public CompletableFuture<Accepted> accept(NewMessage message) {
        throw new UnsupportedOperationException();
    }

    @Override
    public CompletableFuture<Recalled> recall(long appId, long messageId) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Intake intake() {
        return failing ? Intake.BROKEN : Intake.OPEN;
    }

    @Override
    public String epoch() {
        throw new UnsupportedOperationException();
    }
}
