package io.postrider.server.session;

import static io.postrider.server.session.FakeNode.APP;
import static io.postrider.server.session.FakeNode.WINDOW;
import static io.postrider.server.session.SessionLoop.TICK_MILLIS;
import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.Trace.Event;
import io.postrider.server.session.FakeStore.End;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * How a session hears of acks, and presents again what none came for; no thread, no socket, no
 * disk.
 */
class ResendingTest {
    private static final int ME = 1;

    private final FakeNode node = new FakeNode();
    private final FakeDevice device = new FakeDevice();

    @Test
    void acksOfOneTurnAreOneBatchAndWhatComesMeanwhileTheNext() {
        Session session = node.open(ME, device);
        node.publishAll(1, 4, ME);
        device.got();
        node.store.acksAreHeld = true;
        session.acknowledge(List.of(1L), false);
        session.acknowledge(List.of(2L), false);
        node.run();
        session.acknowledge(List.of(3L), false);
        session.acknowledge(List.of(4L), true);
        node.run();
        assertThat(node.store.ackBatches).containsExactly(2);
        assertThat(device.got()).isEmpty();
        node.store.release();
        node.run();
        assertThat(node.store.ackBatches).containsExactly(2, 2);
        node.pass(TICK_MILLIS);
        assertThat(device.got())
                .containsExactly("RECORDED 1", "RECORDED 2", "RECORDED 3", "RECORDED 4");
        assertThat(session.isIdle()).isTrue();
        assertThat(node.counted("acks_total 4.0")).isTrue();
    }

    @Test
    void g7AnAckIsAnsweredAsItsMessageStands() {
        Session session = node.open(ME, device);
        node.store.outcome = AckOutcome.EXPIRED;
        node.ack(session, 1L);
        node.pass(TICK_MILLIS);
        assertThat(device.got()).containsExactly("EXPIRED 1");
    }

    @Test
    void g7AnAckThatCouldNotBeRecordedIsNotAnsweredAndItsMessageComesAgain() {
        Session session = node.open(ME, device);
        node.publish(1, ME);
        device.got();
        node.store.failing = true;
        node.ack(session, 1L);
        assertThat(device.got()).isEmpty();
        assertThat(device.unanswered).containsExactly(1L);
        node.store.failing = false;
        node.passHearing(10_000, session);
        assertThat(device.got()).containsExactly("push 1 attempt 2");
        node.ack(session, 1L);
        node.pass(TICK_MILLIS);
        assertThat(device.got()).containsExactly("RECORDED 1");
    }

    @Test
    void g9ADeviceThatAcksFasterThanTheStoreIsReadNoFurtherUntilItsAnswersAreOut() {
        Session session = node.open(ME, device);
        node.store.acksAreHeld = true;
        session.acknowledge(List.of(1L), false);
        node.run();
        session.acknowledge(LongStream.rangeClosed(2, 4_096).boxed().toList(), false);
        node.run();
        assertThat(device.paused).isFalse();
        session.acknowledge(List.of(4_097L), false);
        node.run();
        assertThat(device.paused).isTrue();
        assertThat(session.isIdle()).isFalse();
        node.store.release();
        node.run();
        assertThat(device.paused).isFalse();
        node.pass(TICK_MILLIS);
        assertThat(device.got()).hasSize(4_097);
        assertThat(session.isIdle()).isTrue();
    }

    @Test
    void aDeviceIsReadOnWhenItsAcksFailed() {
        Session session = node.open(ME, device);
        node.store.failing = true;
        session.acknowledge(LongStream.rangeClosed(1, 4_097).boxed().toList(), false);
        assertThat(device.paused).isTrue();
        node.run();
        assertThat(device.paused).isFalse();
        assertThat(session.isIdle()).isTrue();
    }

    @Test
    void g5WhatIsNotAckedComesAgainAfter10And30And90SecondsAndNoMore() {
        Session session = node.open(ME, device);
        node.publish(1, ME);
        device.got();
        long passed = 0;
        int attempt = 2;
        for (long due : new long[] {10_000, 30_000, 90_000}) {
            node.passHearing(due - passed - 1, session);
            assertThat(device.got()).isEmpty();
            node.passHearing(1, session);
            assertThat(device.got()).containsExactly("push 1 attempt " + attempt++);
            passed = due;
        }
        node.passHearing(1_000_000, session);
        assertThat(device.got()).isEmpty();
        assertThat(node.traced(ME, 1))
                .containsExactly(
                        Event.WOKEN,
                        Event.SENT,
                        Event.ACK_TIMED_OUT,
                        Event.RESENT,
                        Event.ACK_TIMED_OUT,
                        Event.RESENT,
                        Event.ACK_TIMED_OUT,
                        Event.RESENT);
        node.publish(2, ME);
        node.ack(session, 2L);
        session.disconnected();
        assertThat(node.store.ends).containsExactly(new End(ME, 1, 2, 0, "disconnected"));
    }

    @Test
    void theLowestOfAllThatLeftTheWindowUnackedBoundsWhatIsDrained() {
        Session session = node.open(ME, device);
        for (long id = 5; id <= 6; id++) {
            node.publish(id, ME);
            for (int i = 0; i < 3; i++) {
                node.passHearing(90_000, session);
            }
        }
        session.disconnected();
        assertThat(node.store.ends).containsExactly(new End(ME, 1, 6, 4, "disconnected"));
    }

    @Test
    void anAckRestartsTheTimerOfTheOthersAndTheirCount() {
        Session session = node.open(ME, device);
        node.publishAll(1, 3, ME);
        device.got();
        node.passHearing(10_000, session);
        assertThat(device.got()).hasSize(3);
        node.passHearing(5_000, session);
        node.ack(session, 1L);
        node.passHearing(9_999, session);
        assertThat(device.got()).containsExactly("RECORDED 1");
        node.passHearing(1, session);
        assertThat(device.got()).containsExactly("push 2 attempt 2", "push 3 attempt 2");
    }

    @Test
    void anAckOfWhatIsNotInTheWindowRestartsNothing() {
        Session session = node.open(ME, device);
        node.publish(1, ME);
        node.passHearing(9_999, session);
        node.ack(session, 55L);
        device.got();
        node.passHearing(1, session);
        assertThat(device.got()).containsExactly("RECORDED 55", "push 1 attempt 2");
    }

    @Test
    void theTimerRunsFromTheFirstMessageOfAnEmptyWindow() {
        Session session = node.open(ME, device);
        node.publish(1, ME);
        node.ack(session, 1L);
        node.passHearing(60_000, session);
        node.publish(2, ME);
        node.passHearing(5_000, session);
        node.publish(3, ME);
        device.got();
        node.passHearing(4_999, session);
        assertThat(device.got()).isEmpty();
        node.passHearing(1, session);
        assertThat(device.got()).hasSize(2);
    }

    @Test
    void whatHasEndedMeanwhileLeavesTheWindowInsteadOfBeingSentAgain() {
        Session session = node.open(ME, device);
        node.feed(node.store.add(FakeStore.message(APP, 1, node.millis() + 5, true, false), ME));
        node.publishAll(2, 3, ME);
        node.store.end(ME, 2);
        device.got();
        node.passHearing(10_000, session);
        assertThat(device.got()).containsExactly("push 3 attempt 2");
        node.ack(session, 3L);
        assertThat(session.isIdle()).isTrue();
    }

    @Test
    void nothingIsSentAgainIntoAFullSocket() {
        Session session = node.open(ME, device);
        node.publish(1, ME);
        device.got();
        device.writable = false;
        node.passHearing(10_000, session);
        device.writable = true;
        assertThat(device.got()).isEmpty();
        node.passHearing(0, session);
        assertThat(device.got()).containsExactly("push 1 attempt 2");
    }

    @Test
    void whatIsStillUnknownIsAskedOnceAndAgainWhenThatFailed() {
        Session session = node.open(ME, device);
        node.publish(1, ME);
        device.got();
        node.readsAreHeld = true;
        node.passHearing(10_000, session);
        node.passHearing(0, session);
        node.store.failing = true;
        node.readsAreHeld = false;
        node.run();
        assertThat(device.got()).isEmpty();
        node.store.failing = false;
        node.passHearing(0, session);
        assertThat(device.got()).containsExactly("push 1 attempt 2");
    }

    @Test
    void anAckWhileItIsLookedUpEndsTheRepetition() {
        Session session = node.open(ME, device);
        node.publishAll(1, 2, ME);
        device.got();
        node.store.outcome = AckOutcome.EXPIRED;
        node.readsAreHeld = true;
        node.passHearing(10_000, session);
        node.ack(session, 1L);
        node.readsAreHeld = false;
        node.run();
        assertThat(device.got()).containsExactly("EXPIRED 1", "push 2 attempt 2");
    }

    @Test
    void aWindowThatIsGivenUpMakesRoom() {
        Session session = node.open(ME, device);
        node.publishAll(1, WINDOW + 1, ME);
        node.passHearing(10_000, session);
        node.passHearing(20_000, session);
        device.got();
        node.passHearing(60_000, session);
        assertThat(device.got()).hasSize(WINDOW + 1).endsWith("push 9");
    }
}
