package io.postrider.server.session;

import static io.postrider.server.session.FakeNode.APP;
import static io.postrider.server.session.FakeNode.WINDOW;
import static io.postrider.server.session.FakeStore.FOREVER;
import static io.postrider.server.session.SessionLoop.TICK_MILLIS;
import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.protocol.CloseCode;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.Arrival;
import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.delivery.Trace.Event;
import io.postrider.server.session.FakeStore.End;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** How a session presents what is pending; no thread, no socket, no disk. */
class PresentingTest {
    private static final int ME = 1;

    private final FakeNode node = new FakeNode();
    private final FakeDevice device = new FakeDevice();

    @Test
    void g4WhatIsPendingComesInTheOrderOfItsIds() {
        node.store(1, ME);
        node.store(2, ME);
        Session session = node.open(ME, device);
        assertThat(device.got()).containsExactly("push 1", "push 2");
        assertThat(session.presentedTo()).isEqualTo(2);
        assertThat(node.store.begins).containsExactly(APP + "/1/3");
    }

    @Test
    void aMessageIsTakenFromItsCommitWithoutReadingTheMailbox() {
        node.open(ME, device);
        int drains = node.store.drains;
        node.publishAll(1, 2, ME);
        assertThat(device.got()).containsExactly("push 1", "push 2");
        assertThat(node.store.drains).isEqualTo(drains);
        assertThat(node.traced(ME, 1)).containsExactly(Event.WOKEN, Event.SENT);
        assertThat(node.counted("pushes_first_total 2.0")).isTrue();
    }

    @Test
    void whatIsWrittenInOneTurnIsFlushedOnce() {
        node.open(ME, device);
        int flushes = device.flushes;
        node.feed(node.store(1, ME), node.store(2, ME), node.store(3, ME));
        assertThat(device.got()).hasSize(3);
        assertThat(device.flushes - flushes).isEqualTo(1);
        node.pass(0);
        assertThat(device.got()).isEmpty();
    }

    @Test
    void theAnswerToAnAckWaitsForTheDevicesNextMessageOrForATick() {
        FakeDevice other = new FakeDevice();
        Session session = node.open(ME, device);
        node.open(ME + 1, other);
        node.publish(1, ME);
        device.got();
        node.ack(session, 1L);
        node.publish(2, ME + 1);
        assertThat(other.got()).containsExactly("push 2");
        assertThat(device.got()).isEmpty();
        node.publish(3, ME);
        assertThat(device.got()).containsExactly("RECORDED 1", "push 3");
        node.ack(session, 3L);
        node.pass(TICK_MILLIS - 1);
        assertThat(device.got()).isEmpty();
        node.pass(1);
        assertThat(device.got()).containsExactly("RECORDED 3");
    }

    @Test
    void answersThatHaveWaitedGoAsNewOnesCome() {
        Session session = node.open(ME, device);
        Session other = node.open(ME + 1, new FakeDevice());
        node.publish(1, ME);
        node.publish(2, ME + 1);
        device.got();
        node.ack(session, 1L);
        node.now += TICK_MILLIS;
        assertThat(device.got()).isEmpty();
        node.ack(other, 2L);
        assertThat(device.got()).containsExactly("RECORDED 1");
    }

    @Test
    void g4ASessionThatFailsIsClosedAndCostsNobodyElseAMessage() {
        FakeDevice other = new FakeDevice();
        node.open(ME, device);
        node.open(ME + 1, other);
        device.failsToPush = true;
        node.feed(node.store(1, ME), node.store(2, ME + 1));
        assertThat(device.closed).isEqualTo(CloseCode.INTERNAL_ERROR);
        node.feed(node.store(3, ME + 1));
        assertThat(other.got()).containsExactly("push 2", "push 3");
    }

    @Test
    void aFlushThatFailsHoldsUpNobody() {
        FakeDevice other = new FakeDevice();
        node.open(ME, device);
        node.open(ME + 1, other);
        device.failsToFlush = true;
        node.feed(node.store(1, ME), node.store(2, ME + 1));
        assertThat(device.closed).isEqualTo(CloseCode.INTERNAL_ERROR);
        assertThat(other.got()).containsExactly("push 2");
    }

    @Test
    void aMessageToManyGoesAlongWithTheOneBeforeToThoseWhoWaitForTheirFlush() {
        int[] all = IntStream.rangeClosed(1, 100).toArray();
        FakeDevice last = new FakeDevice();
        for (int number : all) {
            node.open(number, number == 1 ? device : number == 100 ? last : new FakeDevice());
        }
        int flushes = device.flushes;
        int flushesOfLast = last.flushes;
        // The flush of the first message waits already when the second comes.
        Arrival first = node.store(1, all);
        Arrival second = node.store(2, all);
        node.tell(first);
        node.loop.execute(() -> node.tell(second));
        node.run();
        assertThat(device.got()).containsExactly("push 1", "push 2");
        assertThat(device.flushes - flushes).isEqualTo(2);
        assertThat(last.got()).containsExactly("push 1", "push 2");
        assertThat(last.flushes - flushesOfLast).isEqualTo(1);
        node.feed(node.store(3, all));
        assertThat(last.got()).containsExactly("push 3");
    }

    @Test
    void aMessageThatIsOfferedTwiceIsPresentedOnce() {
        node.open(ME, device);
        node.publish(1, ME);
        node.loop.offer(node.store(1, ME));
        node.run();
        assertThat(device.got()).containsExactly("push 1");
        assertThat(node.traced(ME, 1)).containsExactly(Event.WOKEN, Event.SENT);
    }

    @Test
    void theNextMessageWaitsItsTurnWhileTheMailboxIsRead() {
        List<String> all = new ArrayList<>();
        node.store(1, ME);
        node.readsAreHeld = true;
        node.open(ME, device);
        node.publish(2, ME);
        all.addAll(device.got());
        node.readsAreHeld = false;
        node.run();
        all.addAll(device.got());
        assertThat(all).containsExactly("push 1", "push 2");
    }

    @Test
    void g9TheWindowIsTheMostInFlightAndMailboxesAreReadByTheHalf() {
        Session session = node.open(ME, device);
        node.publishAll(1, 20, ME);
        assertThat(device.got()).hasSize(WINDOW).endsWith("push 8");
        node.ack(session, 1L, 2L, 3L);
        assertThat(device.got()).isEmpty();
        node.ack(session, 4L);
        assertThat(device.got())
                .containsExactly(
                        "RECORDED 1",
                        "RECORDED 2",
                        "RECORDED 3",
                        "RECORDED 4",
                        "push 9",
                        "push 10",
                        "push 11",
                        "push 12");
    }

    @Test
    void aTickReadsOnWithWhatRoomThereIs() {
        Session session = node.open(ME, device);
        node.publishAll(1, 20, ME);
        device.got();
        node.pass(0);
        assertThat(device.got()).isEmpty();
        node.ack(session, 1L);
        node.pass(0);
        assertThat(device.got()).containsExactly("RECORDED 1", "push 9");
    }

    @Test
    void g9NothingIsPushedIntoAFullSocketUntilItTakesMore() {
        Session session = node.open(ME, device);
        device.writable = false;
        session.writabilityChanged();
        node.publishAll(1, 2, ME);
        node.pass(0);
        assertThat(device.got()).isEmpty();
        assertThat(session.presentedTo()).isZero();
        device.writable = true;
        session.writabilityChanged();
        node.run();
        assertThat(device.got()).containsExactly("push 1", "push 2");
    }

    @Test
    void aSocketThatFillsUpAmidAPageGetsTheRestLater() {
        for (long id = 1; id <= 5; id++) {
            node.store(id, ME);
        }
        device.room = 2;
        Session session = node.open(ME, device);
        assertThat(device.got()).containsExactly("push 1", "push 2");
        assertThat(session.presentedTo()).isEqualTo(2);
        device.room = 100;
        session.writabilityChanged();
        node.run();
        assertThat(device.got()).containsExactly("push 3", "push 4", "push 5");
    }

    @Test
    void aMailboxThatCouldNotBeReadIsReadAtTheNextTick() {
        node.readsAreHeld = true;
        node.store(1, ME);
        node.open(ME, device);
        node.store.failing = true;
        node.readsAreHeld = false;
        node.run();
        assertThat(device.got()).isEmpty();
        node.store.failing = false;
        node.pass(0);
        assertThat(device.got()).containsExactly("push 1");
    }

    @Test
    void aMessageForThoseOnlineIsForSessionsThatHadBegun() {
        node.store.add(FakeStore.message(APP, 1, FOREVER, true, true), ME);
        Session session = node.open(ME, device);
        assertThat(device.got()).isEmpty();
        assertThat(session.presentedTo()).isEqualTo(1);
        node.feed(node.store.add(FakeStore.message(APP, 2, FOREVER, true, true), ME));
        assertThat(device.got()).containsExactly("push 2");
    }

    @Test
    void g8AMessageIsNotPresentedFromTheMillisecondOfItsExpiry() {
        node.open(ME, device);
        node.feed(node.store.add(FakeStore.message(APP, 1, node.millis(), true, false), ME));
        node.feed(node.store.add(FakeStore.message(APP, 2, node.millis() + 1, true, false), ME));
        assertThat(device.got()).containsExactly("push 2");
    }

    @Test
    void messagesThatAskForNoAckAreCountedAsWrittenAndNotSentAgain() {
        Session session = node.open(ME, device);
        FakeDevice other = new FakeDevice();
        Session otherSession = node.open(2, other);
        node.feed(node.store.add(FakeStore.message(APP, 1, FOREVER, false, true), ME, 2));
        assertThat(device.got()).containsExactly("push 1");
        assertThat(node.store.written).isEmpty();
        node.passHearing(10_000, session, otherSession);
        assertThat(node.store.written).containsEntry(1L, 2).hasSize(1);
        node.pass(0);
        assertThat(node.store.written).containsEntry(1L, 2);
        assertThat(device.got()).isEmpty();
        assertThat(session.isIdle()).isTrue();
    }

    @Test
    void whatWasRecalledIsToldToWhoHasItOnly() {
        Session session = node.open(ME, device);
        node.publishAll(1, 2, ME);
        device.got();
        node.sessions.changed(new Change.Recalled(APP, 1, Recipients.of(ME)));
        node.sessions.changed(new Change.Recalled(APP, 3, Recipients.of(ME)));
        node.run();
        assertThat(device.got()).containsExactly("recall 1");
        session.disconnected();
        node.sessions.changed(new Change.Recalled(APP, 2, Recipients.of(ME)));
        session.recalled(2);
        node.run();
        assertThat(device.got()).isEmpty();
        assertThat(node.store.ends).containsExactly(new End(ME, 1, 2, 1, "disconnected"));
    }

    @Test
    void g5AfterItsAckWasConfirmedAMessageIsNotSentAgain() {
        node.store(1, ME);
        node.store(2, ME);
        node.readsAreHeld = true;
        node.store.outcome = AckOutcome.EXPIRED;
        Session session = node.open(ME, device);
        node.ack(session, 1L);
        node.readsAreHeld = false;
        node.run();
        assertThat(device.got()).containsExactly("EXPIRED 1", "push 2");
    }

    @Test
    void whatIsRecalledWhileItIsReadIsNotPresented() {
        node.store(1, ME);
        node.store(2, ME);
        node.readsAreHeld = true;
        Session session = node.open(ME, device);
        node.sessions.changed(new Change.Recalled(APP, 1, Recipients.of(ME)));
        node.run();
        node.readsAreHeld = false;
        node.run();
        assertThat(device.got()).containsExactly("push 2");
        assertThat(session.presentedTo()).isEqualTo(2);
        node.publish(3, ME);
        assertThat(device.got()).containsExactly("push 3");
    }
}
