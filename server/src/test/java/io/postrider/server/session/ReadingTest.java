package io.postrider.server.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.protocol.CloseCode;
import io.postrider.protocol.v1.Push;
import io.postrider.server.ManualClock;
import io.postrider.server.delivery.AckBatch;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.Mailboxes;
import io.postrider.server.delivery.Mailboxes.Begun;
import io.postrider.server.delivery.Mailboxes.Drained;
import io.postrider.server.delivery.Message;
import io.postrider.server.delivery.MessageStore;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.delivery.Trace;
import io.postrider.server.metrics.Metrics;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What ends while a session reads its mailbox: the read still has it, the device must not get it.
 */
class ReadingTest {
    private static final long ID = 5;

    private final ExecutorService eventLoop = Executors.newSingleThreadExecutor();
    private final CountDownLatch reading = new CountDownLatch(1);
    private final CountDownLatch read = new CountDownLatch(1);
    private final CopyOnWriteArrayList<String> sent = new CopyOnWriteArrayList<>();
    private final ManualClock clock = new ManualClock();
    private Sessions sessions;
    private Session session;

    @BeforeEach
    void start() throws Exception {
        sessions =
                new Sessions(
                        SessionLimits.standard(30), clock, new Trace(16, clock), new Metrics());
        sessions.readFrom(store(), mailboxes());
        SessionLoop loop = sessions.addLoop(eventLoop);
        session = eventLoop.submit(() -> loop.open(1, 2, 0, new Device())).get();
        reading.await();
    }

    @AfterEach
    void stop() {
        eventLoop.shutdownNow();
    }

    private static MessageStore store() {
        return (MessageStore)
                Proxy.newProxyInstance(
                        ReadingTest.class.getClassLoader(),
                        new Class<?>[] {MessageStore.class},
                        (proxy, method, arguments) ->
                                switch (method.getName()) {
                                    case "lastId" -> ID;
                                    case "acknowledge" ->
                                            CompletableFuture.completedFuture(
                                                    Collections.nCopies(
                                                            ((AckBatch) arguments[0]).size(),
                                                            AckOutcome.RECORDED));
                                    default -> null;
                                });
    }

    /** One message is pending, and reading it takes as long as the test likes. */
    private Mailboxes mailboxes() {
        Message message =
                new Message(
                        ID,
                        1,
                        clock.millis(),
                        clock.millis() + 60_000,
                        true,
                        false,
                        Push.getDefaultInstance().toByteArray());
        return (Mailboxes)
                Proxy.newProxyInstance(
                        ReadingTest.class.getClassLoader(),
                        new Class<?>[] {Mailboxes.class},
                        (proxy, method, arguments) ->
                                switch (method.getName()) {
                                    case "begin" ->
                                            CompletableFuture.completedFuture(
                                                    Optional.of(new Begun(1, 0, ID, 0, List.of())));
                                    case "drain" -> {
                                        reading.countDown();
                                        read.await();
                                        yield new Drained(List.of(message), ID, false);
                                    }
                                    default -> CompletableFuture.completedFuture(null);
                                });
    }

    private final class Device implements Outbound {
        @Override
        public boolean isWritable() {
            return true;
        }

        @Override
        public void push(Message message, int attempt) {
            sent.add("push " + message.id());
        }

        @Override
        public void acked(List<Answer> answers) {
            answers.forEach(answer -> sent.add("acked " + answer.messageId()));
        }

        @Override
        public void recall(long messageId) {
            sent.add("recall " + messageId);
        }

        @Override
        public void goAway(String reason, int reconnectAfterMillis, int spreadMillis) {}

        @Override
        public void flush() {
            sent.add("flush");
        }

        @Override
        public void pauseReading(boolean paused) {}

        @Override
        public void close(CloseCode code) {}
    }

    private List<String> sentOnceReadingHasEnded() throws Exception {
        int flushes = Collections.frequency(sent, "flush");
        read.countDown();
        await().until(() -> Collections.frequency(sent, "flush") > flushes);
        List<String> frames = new ArrayList<>(sent);
        frames.removeIf("flush"::equals);
        return frames;
    }

    @Test
    void g4WhatIsReadIsPresented() throws Exception {
        assertThat(sentOnceReadingHasEnded()).containsExactly("push " + ID);
    }

    @Test
    void g5AfterItsAckWasConfirmedAMessageIsNotSentAgain() throws Exception {
        eventLoop.submit(() -> session.acknowledge(List.of(ID), false)).get();
        await().until(() -> sent.contains("acked " + ID));
        assertThat(sentOnceReadingHasEnded()).containsExactly("acked " + ID);
    }

    @Test
    void aMessageThatWasRecalledMeanwhileIsNotPresented() throws Exception {
        sessions.recalled(1, ID, Recipients.of(2));
        eventLoop.submit(() -> {}).get();
        assertThat(sentOnceReadingHasEnded()).doesNotContain("push " + ID);
    }
}
