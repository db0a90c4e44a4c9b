package io.postrider.server.session;

import static io.postrider.server.session.FakeNode.APP;
import static io.postrider.server.session.SessionLoop.TICK_MILLIS;
import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.Mailboxes.Begun;
import io.postrider.server.delivery.MessageStore.Presentation;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.session.FakeStore.End;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What sessions do with messages to groups, of which the first ack settles each. */
class SettlingSessionTest {
    private static final int ME = 1;
    private static final int OTHER = 2;

    private final FakeNode node = new FakeNode();
    private final FakeDevice device = new FakeDevice();

    private void publish(long id, int... numbers) {
        node.feed(node.store.add(FakeStore.toGroups(APP, id), numbers));
    }

    private void settled(long id, int... numbers) {
        node.sessions.changed(new Change.Settled(APP, id, Recipients.of(numbers)));
        node.run();
    }

    @Test
    void g7AnAckThatMaySettleIsUrgentAndItsAnswerGoesAtOnce() {
        Session session = node.open(ME, device);
        publish(1, ME);
        node.publish(2, ME);
        device.got();
        node.store.outcome = AckOutcome.WON;
        node.ack(session, 1L);
        assertThat(device.got()).containsExactly("WON 1");
        node.store.outcome = AckOutcome.RECORDED;
        node.ack(session, 2L);
        assertThat(device.got()).isEmpty();
        assertThat(node.store.urgent).containsExactly(true, false);
        node.store.outcome = AckOutcome.ALREADY_SETTLED;
        publish(3, ME);
        node.ack(session, 3L);
        assertThat(device.got()).containsExactly("RECORDED 2", "push 3", "ALREADY_SETTLED 3");
        assertThat(session.isIdle()).isTrue();
    }

    @Test
    void g7WhoHasItIsToldThatAnotherWasFirst() {
        Session session = node.open(ME, device);
        publish(1, ME);
        device.got();
        settled(1, ME);
        settled(2, ME);
        assertThat(device.got()).containsExactly("settled 1");
        assertThat(session.isIdle()).isTrue();
        node.store.end(ME, 1);
        node.passHearing(10_000, session);
        assertThat(device.got()).isEmpty();
    }

    @Test
    void g7WhatIsSettledWhileItIsReadIsNotPresented() {
        node.store.add(FakeStore.toGroups(APP, 1), ME);
        node.store.add(FakeStore.toGroups(APP, 2), ME);
        node.readsAreHeld = true;
        node.open(ME, device);
        settled(1, ME);
        node.readsAreHeld = false;
        node.run();
        assertThat(device.got()).containsExactly("push 2");
    }

    @Test
    void g7WhatAnEarlierSessionMayHavePresentedIsTakenBackBeforeThisOneComesToIt() {
        node.store.add(FakeStore.toGroups(APP, 5), ME);
        node.store.begun.put(ME, new Begun("d", 2, 0, 9, 9, List.of(), List.of()));
        node.readsAreHeld = true;
        node.open(ME, device);
        settled(5, ME);
        node.run();
        assertThat(device.got()).containsExactly("settled 5");
        node.readsAreHeld = false;
        node.run();
        assertThat(device.got()).isEmpty();
    }

    @Test
    void whatOthersSettledWhileADeviceWasAwayItIsToldFirst() {
        node.store.add(FakeStore.toGroups(APP, 4), ME);
        node.store.begun.put(ME, new Begun("d", 2, 0, 3, 4, List.of(1L), List.of(2L)));
        node.store.beginsAreHeld = true;
        node.open(ME, device);
        settled(3, ME);
        node.store.release();
        node.run();
        assertThat(device.got()).containsExactly("recall 1", "settled 2", "settled 3", "push 4");
    }

    @Test
    void whoJoinsAGroupSeesWhatIsOpenThereAndNothingTwice() {
        Session session = node.open(ME, device);
        node.store.add(FakeStore.toGroups(APP, 1), OTHER);
        node.store.add(FakeStore.toGroups(APP, 2), OTHER);
        node.tell(node.store(3, ME));
        node.run();
        assertThat(device.got()).containsExactly("push 3");
        node.store.alsoFor(ME, 1);
        node.store.alsoFor(ME, 2);
        node.sessions.changed(new Change.Joined(APP, ME, 1));
        node.run();
        assertThat(device.got()).containsExactly("push 1 attempt 2", "push 2 attempt 2");
        assertThat(session.presentedTo()).isEqualTo(3);
        node.sessions.changed(new Change.Joined(APP, ME, 1));
        node.sessions.changed(new Change.Joined(APP, OTHER, 1));
        node.run();
        assertThat(device.got()).isEmpty();
        node.publish(4, ME);
        assertThat(device.got()).containsExactly("push 4");
        node.ack(session, 2L, 1L, 3L);
        assertThat(session.isIdle()).isFalse();
        node.ack(session, 4L);
        assertThat(session.isIdle()).isTrue();
    }

    @Test
    void g4WhoJoinsWhileItsSessionBeginsMissesNothing() {
        node.store.add(FakeStore.toGroups(APP, 1), OTHER);
        node.store.add(FakeStore.toGroups(APP, 2), OTHER);
        node.store.begun.put(ME, new Begun("d", 1, 2, 0, 2, List.of(), List.of()));
        node.store.beginsAreHeld = true;
        node.open(ME, device);
        node.store.alsoFor(ME, 1);
        node.store.alsoFor(ME, 2);
        node.sessions.changed(new Change.Recalled(APP, 2, Recipients.of(ME)));
        node.sessions.changed(new Change.Joined(APP, ME, 2));
        node.sessions.changed(new Change.Joined(APP, ME, 1));
        node.run();
        node.store.release();
        node.run();
        assertThat(device.got()).containsExactly("push 1 attempt 2", "push 2 attempt 2");
    }

    @Test
    void g4WhoJoinsWhileItReadsMissesNothing() {
        node.open(ME, device);
        node.store.add(FakeStore.toGroups(APP, 1), OTHER);
        node.tell(node.store(2, ME));
        node.run();
        node.readsAreHeld = true;
        node.sessions.changed(new Change.Joined(APP, ME, 2));
        node.run();
        node.store.alsoFor(ME, 1);
        node.sessions.changed(new Change.Joined(APP, ME, 1));
        node.readsAreHeld = false;
        node.run();
        assertThat(device.got()).containsExactly("push 2", "push 1 attempt 2");
        node.publish(3, ME);
        assertThat(device.got()).containsExactly("push 3");
    }

    @Test
    void onlyAFrameAfterTheStartSaysThatADeviceWasTold() {
        Session silent = node.open(ME, device);
        silent.disconnected();
        node.store.beginsAreHeld = true;
        Session early = node.open(ME, device);
        early.heard();
        node.store.release();
        node.run();
        early.disconnected();
        Session heard = node.open(ME, device);
        heard.heard();
        heard.disconnected();
        assertThat(node.store.heard).containsExactly(false, false, true);
    }

    @Test
    void g5WhatWasPresentedStaysSoThoughTheSessionEndsWhileItReadsBack() {
        Session session = node.open(ME, device);
        node.store.add(FakeStore.toGroups(APP, 1), OTHER);
        node.tell(node.store(2, ME));
        node.run();
        node.readsAreHeld = true;
        node.sessions.changed(new Change.Joined(APP, ME, 1));
        node.run();
        session.disconnected();
        assertThat(node.store.ends).containsExactly(new End(ME, 1, 2, 0, "disconnected"));
    }

    @Test
    void whoHadItBeforeHimIsWrittenDownWithTheTick() {
        node.open(ME, device);
        node.open(OTHER, new FakeDevice());
        publish(1, ME, OTHER);
        node.publish(2, ME);
        assertThat(node.store.presented).isEmpty();
        node.pass(TICK_MILLIS);
        assertThat(node.store.presented)
                .containsExactly(new Presentation(APP, ME, 1), new Presentation(APP, OTHER, 1));
        node.pass(TICK_MILLIS);
        assertThat(node.store.presented).hasSize(2);
    }

    @Test
    void aDeviceIsCaughtUpWhenAllThatWasPendingIsWritten() {
        for (long id = 1; id <= FakeNode.WINDOW + 1; id++) {
            node.store(id, ME);
        }
        Session session = node.open(ME, device);
        assertThat(device.caughtUp).isFalse();
        node.ack(session, node.store(FakeNode.WINDOW + 2L, ME).message().id());
        for (long id = 1; id <= FakeNode.WINDOW; id++) {
            node.ack(session, id);
        }
        assertThat(device.caughtUp).isTrue();
    }
}
