package io.postrider.server.session;

import static io.postrider.server.session.FakeNode.APP;
import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.protocol.CloseCode;
import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.Mailboxes.Begun;
import io.postrider.server.delivery.Placement;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.delivery.Trace.Event;
import io.postrider.server.session.FakeStore.End;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How a session begins and ends; no thread, no socket, no disk. */
class BeginningAndEndTest {
    private static final int ME = 1;

    private final FakeNode node = new FakeNode();
    private final FakeDevice device = new FakeDevice();

    @Test
    void g12ASessionThatCouldNotBeginBeginsWhenTheStoreWorksAgain() {
        node.store.failing = true;
        node.open(ME, device);
        node.pass(0);
        node.store.failing = false;
        node.publish(1, ME);
        assertThat(device.closed).isNull();
        assertThat(device.got()).isEmpty();
        node.pass(0);
        assertThat(device.got()).containsExactly("push 1");
        node.pass(0);
        assertThat(node.store.begins).hasSize(3);
    }

    @Test
    void aDeviceThatIsGoneHasNoSession() {
        node.store.knowsDevices = false;
        node.open(ME, device);
        assertThat(device.closed).isEqualTo(CloseCode.TOKEN_REFUSED);
        assertThat(node.store.ends).isEmpty();
        assertThat(node.sessions.count()).isZero();
    }

    @Test
    void nothingIsPresentedBeforeTheSessionHasBegun() {
        node.store.beginsAreHeld = true;
        node.open(ME, device);
        node.publish(1, ME);
        node.pass(0);
        assertThat(device.got()).isEmpty();
        assertThat(node.store.drains).isZero();
        node.store.release();
        node.run();
        assertThat(device.got()).containsExactly("push 1");
    }

    @Test
    void g5ASessionThatEndsBeforeItBeganIsEndedInTheStoreOnceItBegins() {
        node.store.beginsAreHeld = true;
        node.store.begun.put(ME, new Begun("d", 4, 5, 9, 9, List.of(3L), List.of()));
        Session session = node.open(ME, device);
        session.close(CloseCode.SHUTDOWN);
        assertThat(node.store.ends).isEmpty();
        node.store.release();
        node.run();
        assertThat(node.store.ends)
                .containsExactly(new End(ME, 4, 5, 5, CloseCode.SHUTDOWN.reason()));
        assertThat(device.got()).isEmpty();
    }

    @Test
    void g5WhatAnEarlierSessionMayHavePresentedIsMarked() {
        node.store(3, ME);
        node.store(4, ME);
        node.store(5, ME);
        node.store.begun.put(ME, new Begun("d", 2, 3, 4, 0, List.of(1L, 2L), List.of()));
        node.open(ME, device);
        assertThat(device.got())
                .containsExactly("recall 1", "recall 2", "push 4 attempt 2", "push 5");
        assertThat(node.traced(ME, 4)).containsExactly(Event.RESENT);
        assertThat(node.counted("pushes_repeated_total 1.0")).isTrue();
        assertThat(node.counted("pushes_first_total 1.0")).isTrue();
    }

    @Test
    void recallsAreToldEvenWhenNothingIsPending() {
        node.store.begun.put(ME, new Begun("d", 2, 3, 4, 0, List.of(1L), List.of()));
        node.open(ME, device);
        assertThat(device.got()).containsExactly("recall 1");
    }

    @Test
    void whatIsRecalledWhileTheSessionBeginsIsToldIfTheDeviceMayHaveIt() {
        for (long id = 1; id <= 3; id++) {
            node.store(id, ME);
        }
        node.store.begun.put(ME, new Begun("d", 2, 0, 2, 3, List.of(), List.of()));
        node.store.beginsAreHeld = true;
        node.open(ME, device);
        for (long id = 2; id <= 3; id++) {
            node.store.end(ME, id);
            node.sessions.changed(new Change.Recalled(APP, id, Recipients.of(ME)));
        }
        node.run();
        node.store.release();
        node.run();
        assertThat(device.got()).containsExactly("recall 2", "push 1 attempt 2");
    }

    @Test
    void g9ASocketThatIsFullForTooLongIsClosed() {
        Session session = node.open(ME, device);
        device.writable = false;
        session.writabilityChanged();
        node.passHearing(20_000, session);
        session.writabilityChanged();
        node.passHearing(10_000, session);
        assertThat(device.closed).isNull();
        node.passHearing(1, session);
        assertThat(device.closed).isEqualTo(CloseCode.SLOW_READER);
        assertThat(node.counted("sessions_slow_total 1.0")).isTrue();
    }

    @Test
    void aSocketThatTakesMoreAgainIsNotSlow() {
        Session session = node.open(ME, device);
        device.writable = false;
        session.writabilityChanged();
        node.passHearing(20_000, session);
        device.writable = true;
        session.writabilityChanged();
        node.passHearing(20_000, session);
        device.writable = false;
        session.writabilityChanged();
        node.passHearing(30_000, session);
        assertThat(device.closed).isNull();
    }

    @Test
    void g11ADeviceThatIsNotHeardForOneAndAHalfHeartbeatsIsGone() {
        Session session = node.open(ME, device);
        node.passHearing(1_000_000, session);
        node.pass(FakeNode.LIMITS.silenceMillis());
        assertThat(device.closed).isNull();
        node.pass(1);
        assertThat(device.closed).isEqualTo(CloseCode.HEARTBEAT_MISSED);
        assertThat(node.store.ends)
                .extracting(End::reason)
                .containsExactly(CloseCode.HEARTBEAT_MISSED.reason());
        assertThat(FakeNode.LIMITS.silenceMillis()).isEqualTo(44_500);
    }

    @Test
    void aDeviceThatWasAskedToGoGetsNothingNew() {
        node.store(1, ME);
        Session session = node.open(ME, device);
        device.got();
        session.goAway(100, 200);
        node.publish(2, ME);
        node.passHearing(10_000, session);
        assertThat(device.got()).containsExactly("goaway shutdown 100 200");
        assertThat(session.presentedTo()).isEqualTo(1);
    }

    @Test
    void whatIsReadWhileTheDeviceIsAskedToGoStays() {
        node.store(1, ME);
        node.readsAreHeld = true;
        Session session = node.open(ME, device);
        session.goAway(100, 200);
        node.readsAreHeld = false;
        node.run();
        assertThat(device.got()).containsExactly("goaway shutdown 100 200");
        assertThat(session.presentedTo()).isZero();
    }

    @Test
    void anEndIsSavedOnceAndNothingFollowsIt() {
        Session session = node.open(ME, device);
        node.publishAll(1, 3, ME);
        session.acknowledge(List.of(2L), false);
        device.got();
        session.disconnected();
        session.disconnected();
        session.close(CloseCode.SHUTDOWN);
        node.run();
        session.offer(FakeNode.message(4));
        session.wake();
        session.begin();
        node.run();
        assertThat(device.closed).isNull();
        assertThat(device.got()).isEmpty();
        assertThat(node.store.ends).containsExactly(new End(ME, 1, 3, 0, "disconnected"));
        assertThat(node.store.begins).hasSize(1);
        assertThat(node.sessions.count()).isZero();
    }

    @Test
    void whatIsReadForASessionThatEndedIsNotSent() {
        node.readsAreHeld = true;
        node.store(1, ME);
        Session session = node.open(ME, device);
        session.disconnected();
        node.readsAreHeld = false;
        node.run();
        assertThat(device.got()).isEmpty();
        assertThat(node.store.ends).containsExactly(new End(ME, 1, 0, 0, "disconnected"));
    }

    @Test
    void aDeviceIsSentToTheGatewaysOfItsOwnOrder() {
        node.sessions.leaveTo(placement -> List.of("tcp://" + placement));
        node.store.begun.put(ME, new Begun("phone", 1, 0, 0, 0, List.of(), List.of()));
        node.open(ME, device).goAway(100, 200);
        assertThat(device.gateways).containsExactly("tcp://" + Placement.of("phone"));
    }

    /** Else the device would seem connected to other nodes. */
    @Test
    void anEndThatTheStoreCouldNotTakeIsSavedWhenItWorksAgain() {
        Session session = node.open(ME, device);
        node.store.failing = true;
        session.disconnected();
        node.pass(1_000);
        assertThat(node.store.saved).isEmpty();
        node.store.failing = false;
        node.pass(1_000);
        node.pass(1_000);
        assertThat(node.store.saved).containsExactly(ME);
    }
}
