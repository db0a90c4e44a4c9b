package io.postrider.server.session;

import static io.postrider.server.session.FakeNode.APP;
import static io.postrider.server.session.FakeStore.FOREVER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.protocol.CloseCode;
import io.postrider.server.delivery.Arrival;
import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.identity.Device;
import io.postrider.server.session.FakeStore.End;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** What the sessions of a node do together; no thread, no socket, no disk. */
class SessionsTest {
    private static final long OTHER_APP = 8;

    private final FakeNode node = new FakeNode();
    private final FakeDevice first = new FakeDevice();
    private final FakeDevice second = new FakeDevice();

    @Test
    void g11ANewerConnectionDisplacesTheOlderWhoseEndIsSavedFirst() {
        node.open(1, first);
        node.publish(1, 1);
        node.open(1, second);
        assertThat(first.closed).isEqualTo(CloseCode.TAKEN_OVER);
        assertThat(node.store.ends)
                .containsExactly(new End(1, 1, 1, 0, CloseCode.TAKEN_OVER.reason()));
        assertThat(node.sessions.count()).isEqualTo(1);
        assertThat(node.sessions.count(APP)).isEqualTo(1);
        assertThat(node.store.begins).hasSize(2);
        first.got();
        second.got();
        node.publish(2, 1);
        assertThat(second.got()).containsExactly("push 2");
        assertThat(first.got()).isEmpty();
        assertThat(node.counted("sessions_opened_total 2.0")).isTrue();
    }

    @Test
    void countsFollowSessions() {
        Session one = node.open(1, first);
        node.open(2, second);
        node.open(OTHER_APP, 1, new FakeDevice());
        assertThat(node.sessions.count()).isEqualTo(3);
        assertThat(node.sessions.count(APP)).isEqualTo(2);
        assertThat(node.sessions.count(OTHER_APP)).isEqualTo(1);
        assertThat(node.sessions.isOnline(Device.key(APP, 1))).isTrue();
        one.disconnected();
        assertThat(node.sessions.count(APP)).isEqualTo(1);
        assertThat(node.sessions.isOnline(Device.key(APP, 1))).isFalse();
        assertThat(node.counted("sessions 2.0")).isTrue();
    }

    @Test
    void recipientsOnlineAreCountedWhicheverAreMore() {
        node.open(1, first);
        node.open(2, second);
        node.open(OTHER_APP, 3, new FakeDevice());
        assertThat(node.sessions.online(APP, Recipients.of(2, 3)).count()).isEqualTo(1);
        assertThat(node.sessions.online(APP, Recipients.of(1, 3, 5, 6)).count()).isEqualTo(1);
        assertThat(node.sessions.online(APP, Recipients.of(1, 2, 3, 4)).count()).isEqualTo(2);
    }

    @Test
    void whatWasPresentedIsKnown() {
        node.open(1, first);
        node.publish(1, 1);
        assertThat(node.sessions.wasPresented(Device.key(APP, 1), 1)).isTrue();
        assertThat(node.sessions.wasPresented(Device.key(APP, 1), 2)).isFalse();
        assertThat(node.sessions.wasPresented(Device.key(APP, 2), 1)).isFalse();
    }

    @Test
    void aMessageGoesToItsRecipientsHoweverManyTheyAre() {
        node.open(1, first);
        node.open(2, second);
        FakeDevice third = new FakeDevice();
        node.open(3, third);
        node.publish(1, 2);
        assertThat(second.got()).containsExactly("push 1");
        node.publish(2, 1, 2);
        assertThat(first.got()).containsExactly("push 2");
        assertThat(second.got()).containsExactly("push 2");
        node.publish(3, 1, 2, 7, 8, 9);
        assertThat(first.got()).containsExactly("push 3");
        assertThat(second.got()).containsExactly("push 3");
        node.publish(4);
        assertThat(third.got()).isEmpty();
    }

    @Test
    void aMessageToOneIsNotOfferedOnOtherLoops() {
        List<Runnable> elsewhere = new ArrayList<>();
        node.sessions.addLoop(elsewhere::add, elsewhere::add);
        node.open(1, first);
        node.publish(1, 1);
        node.publish(2, 77);
        assertThat(first.got()).containsExactly("push 1");
        assertThat(elsewhere).isEmpty();
        node.publish(3, 1, 77);
        assertThat(elsewhere).hasSize(1);
    }

    @Test
    void g6AfterAGapInTheFeedMailboxesAreReadBeforeAnythingNewer() {
        node.open(1, first);
        node.publish(1, 1);
        node.store(2, 1);
        node.publish(3, 1);
        assertThat(first.got()).containsExactly("push 1", "push 2", "push 3");
    }

    @Test
    void withoutAGapNothingIsRead() {
        node.open(1, first);
        int drains = node.store.drains;
        node.publish(1, 1);
        node.feed(node.store(2, 1), node.store(3, 1));
        node.publish(4, 1);
        assertThat(first.got()).hasSize(4);
        assertThat(node.store.drains).isEqualTo(drains);
    }

    @Test
    void g4TheSweepFindsWhatWasNeverFedWithOneReadForAll() {
        node.open(1, first);
        node.open(2, second);
        node.publish(1, 1);
        node.sessions.sweep();
        node.store(2, 2);
        int drains = node.store.drains;
        node.sessions.sweep();
        node.run();
        assertThat(second.got()).containsExactly("push 2");
        assertThat(node.store.pages).isEqualTo(1);
        node.sessions.sweep();
        node.run();
        assertThat(node.store.pages).isEqualTo(1);
        node.publish(3, 1);
        assertThat(first.got()).containsExactly("push 1", "push 3");
        assertThat(node.store.pages).isEqualTo(1);
        assertThat(node.store.drains).isEqualTo(drains);
    }

    @Test
    void theSweepLeavesAFeedAloneThatMoves() {
        node.open(1, first);
        node.publish(1, 1);
        node.store(2, 1);
        node.sessions.sweep();
        node.run();
        assertThat(first.got()).containsExactly("push 1");
        node.sessions.sweep();
        node.run();
        assertThat(first.got()).containsExactly("push 2");
    }

    @Test
    void theSweepGoesOnOverManyPages() {
        node.open(1, first);
        for (long id = 1; id <= 2_001; id++) {
            node.store(id, 2);
        }
        node.store(2_002, 1);
        node.sessions.sweep();
        node.sessions.sweep();
        node.run();
        assertThat(first.got()).containsExactly("push 2002");
    }

    @Test
    void g12ASweepThatFailsIsTriedAgain() {
        node.open(1, first);
        node.store(1, 1);
        node.store.failing = true;
        node.sessions.sweep();
        node.sessions.sweep();
        node.store.failing = false;
        node.sessions.sweep();
        node.run();
        assertThat(first.got()).containsExactly("push 1");
    }

    @Test
    void aDeviceWhoseTokensAreVoidIsClosedAndNoOther() {
        node.open(1, first);
        node.open(2, second);
        node.sessions.changed(new Change.Revoked(APP, 1, FakeNode.TOKEN_GENERATION + 1));
        node.sessions.changed(new Change.Revoked(APP, 99, FakeNode.TOKEN_GENERATION + 1));
        // It has come with a new token before this node has heard of the old one.
        node.sessions.changed(new Change.Revoked(APP, 2, FakeNode.TOKEN_GENERATION));
        node.run();
        assertThat(first.closed).isEqualTo(CloseCode.TOKEN_REFUSED);
        assertThat(second.closed).isNull();
    }

    @Test
    void g13AnAppWhoseTokensAreVoidIsClosedAndNoOther() {
        node.open(1, first);
        node.open(OTHER_APP, 1, second);
        node.sessions.revokedAll(APP);
        node.run();
        assertThat(first.closed).isEqualTo(CloseCode.TOKEN_REFUSED);
        assertThat(second.closed).isNull();
    }

    @Test
    void g13AnotherAppsDeviceOfTheSameNumberHearsNothing() {
        node.open(1, first);
        node.open(OTHER_APP, 1, second);
        node.publish(1, 1);
        node.feed(node.store.add(FakeStore.message(APP, 2, FOREVER, true, false), 1, 2));
        node.sessions.changed(new Change.Recalled(APP, 1, Recipients.of(1)));
        node.run();
        assertThat(first.got()).containsExactly("push 1", "push 2", "recall 1");
        assertThat(second.got()).isEmpty();
    }

    /** Sessions on an event loop of their own, since stopping waits for it. */
    private final class Stopping implements AutoCloseable {
        private final ExecutorService eventLoop = Executors.newSingleThreadExecutor();
        private final Sessions sessions =
                new Sessions(FakeNode.LIMITS, node, node.trace, node.metrics, eventLoop);
        private final SessionLoop loop;
        private final Session session;

        Stopping() {
            sessions.readFrom(node.store, node.store);
            loop = sessions.addLoop(eventLoop, eventLoop);
            session = onLoop(() -> loop.open(APP, 1, 0, first));
        }

        <T> T onLoop(Supplier<T> task) {
            return CompletableFuture.supplyAsync(task, eventLoop).join();
        }

        void offer(long id) {
            Arrival arrival = onLoop(() -> node.store(id, 1));
            sessions.committed(id - 1, id, List.of(arrival), List.of());
            await().until(() -> session.presentedTo() == id);
        }

        @Override
        public void close() {
            eventLoop.shutdownNow();
        }
    }

    @Test
    void stoppingAsksDevicesToGoAndClosesThem() {
        try (Stopping stopping = new Stopping()) {
            stopping.sessions.sendAway(100, 200, 60_000);
            assertThat(first.got()).containsExactly("goaway shutdown 100 200");
            assertThat(first.closed).isEqualTo(CloseCode.SHUTDOWN);
            assertThat(stopping.sessions.count()).isZero();
        }
    }

    @Test
    void stoppingWaitsForAcksOfWhatIsInFlight() {
        try (Stopping stopping = new Stopping()) {
            stopping.offer(1);
            CompletableFuture<Void> stopped =
                    CompletableFuture.runAsync(() -> stopping.sessions.sendAway(100, 200, 60_000));
            await().until(() -> stopping.onLoop(first::got).contains("goaway shutdown 100 200"));
            assertThat(first.closed).isNull();
            stopping.eventLoop.execute(() -> stopping.session.acknowledge(List.of(1L), false));
            stopped.join();
            assertThat(node.store.ends)
                    .containsExactly(new End(1, 1, 1, 1, CloseCode.SHUTDOWN.reason()));
        }
    }

    @Test
    void stoppingWaitsNoLongerThanItMay() {
        try (Stopping stopping = new Stopping()) {
            stopping.offer(1);
            stopping.sessions.sendAway(100, 200, 50);
            assertThat(stopping.onLoop(() -> first.closed)).isEqualTo(CloseCode.SHUTDOWN);
            assertThat(node.store.ends)
                    .containsExactly(new End(1, 1, 1, 0, CloseCode.SHUTDOWN.reason()));
        }
    }
}
