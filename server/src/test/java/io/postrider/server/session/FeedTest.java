package io.postrider.server.session;

import static io.postrider.server.session.FakeNode.APP;
import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.protocol.CloseCode;
import io.postrider.server.delivery.Arrival;
import io.postrider.server.delivery.Change.AppChanged;
import io.postrider.server.delivery.Change.Displaced;
import io.postrider.server.delivery.Change.Joined;
import io.postrider.server.delivery.Change.Recalled;
import io.postrider.server.delivery.Change.Settled;
import io.postrider.server.delivery.Mailboxes.Begun;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.delivery.StoreUnavailable;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What other nodes commit, and what sessions do when others may have their devices. */
class FeedTest {
    private static final int ME = 1;

    private final FakeNode node = new FakeNode();
    private final FakeDevice device = new FakeDevice();

    @Test
    void g6WhatOthersCommitComesBetweenWhatThisNodeCommitsInTheOrderOfIds() {
        node.open(ME, device);
        node.publish(1, ME);
        Arrival others = node.store(2, ME);
        Arrival own = node.store(3, ME);
        node.sessions.committed(others.message().id(), own.message().id(), List.of(own), List.of());
        node.run();
        node.publish(4, ME);
        assertThat(device.got()).containsExactly("push 1", "push 2", "push 3", "push 4");
        assertThat(node.store.drains).isEqualTo(1);
    }

    @Test
    void aHintOfWhatIsKnownReadsNothing() {
        node.open(ME, device);
        node.publish(1, ME);
        node.sessions.heardOf(1);
        node.run();
        assertThat(node.store.pages).isZero();
        node.store(2, ME);
        node.sessions.heardOf(2);
        node.run();
        assertThat(device.got()).containsExactly("push 1", "push 2");
    }

    @Test
    void hintsThatComeWhileItReadsAreOneMoreRead() {
        node.open(ME, device);
        node.store(1, ME);
        node.store.afterPage =
                () -> {
                    node.store.afterPage = () -> {};
                    node.store(2, ME);
                    node.sessions.heardOf(2);
                    node.sessions.heardOf(2);
                };
        node.sessions.heardOf(1);
        node.run();
        assertThat(device.got()).containsExactly("push 1", "push 2");
        assertThat(node.store.pages).isEqualTo(2);
    }

    @Test
    void whatOthersRecallIsToldToTheDevice() {
        node.open(ME, device);
        node.publish(1, ME);
        node.store.changes.add(new Recalled(APP, 1, Recipients.of(ME)));
        node.sessions.look();
        node.run();
        assertThat(device.got()).containsExactly("push 1", "recall 1");
        assertThat(node.readChanges).hasSize(1);
    }

    @Test
    void whatOthersChangeOfAppsIsHeardOutsideOfSessions() {
        node.store.changes.add(new AppChanged(APP));
        node.sessions.look();
        node.run();
        assertThat(node.readChanges).containsExactly(new AppChanged(APP));
    }

    @Test
    void whatCouldNotBeHeardOutsideIsReadAgain() {
        node.open(ME, device);
        node.store(1, ME);
        node.store.changes.add(new AppChanged(APP));
        node.sessions.onReadChange(change -> {
            throw new StoreUnavailable("the database is gone");
        });
        node.sessions.look();
        node.run();
        assertThat(device.got()).isEmpty();
        node.store.changes.add(new AppChanged(APP));
        node.sessions.onReadChange(node.readChanges::add);
        node.sessions.look();
        node.run();
        assertThat(device.got()).containsExactly("push 1");
        assertThat(node.readChanges).containsExactly(new AppChanged(APP));
    }

    @Test
    void g11ASessionThatAnotherNodesDisplacesIsClosedBeforeItIsFedWhatCameLater() {
        Session session = node.open(ME, device);
        node.store(1, ME);
        node.store.changes.add(new Displaced(APP, ME, 1));
        node.sessions.look();
        node.run();
        assertThat(device.got()).isEmpty();
        assertThat(device.closed).isEqualTo(CloseCode.TAKEN_OVER);
        assertThat(session.presentedTo()).isZero();
    }

    @Test
    void g11ALaterSessionThanTheDisplacedOneStays() {
        node.store.begun.put(ME, new Begun("d", 2, 0, 0, 0, List.of(), List.of()));
        node.open(ME, device);
        node.store.changes.add(new Displaced(APP, ME, 1));
        node.sessions.look();
        node.run();
        assertThat(device.closed).isNull();
    }

    @Test
    void g11ASessionThatIsDisplacedWhileItBeginsIsClosed() {
        node.store.beginsAreHeld = true;
        node.open(ME, device);
        node.store.changes.add(new Displaced(APP, ME, 1));
        node.sessions.look();
        node.run();
        assertThat(device.closed).isNull();
        node.store.release();
        node.run();
        assertThat(device.closed).isEqualTo(CloseCode.TAKEN_OVER);
    }

    @Test
    void g11WhoseMailboxAnotherSessionReadsIsClosed() {
        node.store(1, ME);
        node.store.isSuperseded = true;
        node.open(ME, device);
        assertThat(device.got()).isEmpty();
        assertThat(device.closed).isEqualTo(CloseCode.TAKEN_OVER);
    }

    @Test
    void whatThisNodeChangesIsToldAtOnceIfItHasHeardOfAllBefore() {
        node.open(ME, device);
        node.publish(1, ME);
        node.sessions.committed(1, 2, List.of(), List.of(new Recalled(APP, 1, Recipients.of(ME))));
        node.run();
        assertThat(device.got()).containsExactly("push 1", "recall 1");
        assertThat(node.store.pages).isZero();
    }

    /** Another node takes the device out of the group, and this one puts it back. */
    @Test
    void g4WhatThisNodeChangesComesAfterWhatOthersChangedBefore() {
        node.open(ME, device);
        node.publish(1, ME);
        node.store.change(2, new Recalled(APP, 1, Recipients.of(ME)));
        Joined back = new Joined(APP, ME, 1);
        node.store.change(3, back);
        node.sessions.committed(2, 3, List.of(), List.of(back));
        node.run();
        assertThat(device.got()).containsExactly("push 1", "recall 1", "push 1 attempt 2");
    }

    /** The order of another one is read before it is told, and its own is not waited for. */
    @Test
    void g7WhatThisNodeSettlesIsTakenAwayAtOnceThoughOthersCommittedBefore() {
        node.open(ME, device);
        node.publish(1, ME);
        node.store(2, ME);
        node.store.end(ME, 1);
        node.store.change(3, new Settled(APP, 1, Recipients.of(ME)));
        node.readsAreHeld = true;
        Settled settled = new Settled(APP, 1, Recipients.of(ME));
        node.sessions.committed(2, 3, List.of(), List.of(settled));
        node.run();
        assertThat(device.got()).containsExactly("push 1", "settled 1");
        node.readsAreHeld = false;
        node.run();
        assertThat(device.got()).containsExactly("push 2");
    }

    @Test
    void g7WhatThisNodeSettlesIsNotPresentedFromAPageThatWasReadBefore() {
        node.open(ME, device);
        node.store(1, ME);
        Settled settled = new Settled(APP, 1, Recipients.of(ME));
        node.store.afterPage =
                () -> {
                    node.store.afterPage = () -> {};
                    node.store.end(ME, 1);
                    node.store.change(2, settled);
                    node.sessions.committed(1, 2, List.of(), List.of(settled));
                };
        node.sessions.look();
        node.run();
        assertThat(device.got()).isEmpty();
    }

    @Test
    void whatThisNodeChangesWhileThePageIsReadIsToldOnce() {
        node.open(ME, device);
        node.publish(1, ME);
        Recalled recalled = new Recalled(APP, 1, Recipients.of(ME));
        node.store.afterPage =
                () -> {
                    node.store.afterPage = () -> {};
                    node.store.change(2, recalled);
                    node.sessions.committed(1, 2, List.of(), List.of(recalled));
                };
        node.sessions.look();
        node.run();
        assertThat(node.readChanges).containsExactly(recalled);
        assertThat(device.got()).containsExactly("push 1", "recall 1");
    }

    @Test
    void g11WithoutALeaseNothingIsPresented() {
        Session session = node.open(ME, device);
        node.publish(1, ME);
        node.mayPresent = false;
        node.publish(2, ME);
        node.passHearing(20_000, session);
        assertThat(device.got()).containsExactly("push 1");
        node.mayPresent = true;
        node.passHearing(1_000, session);
        assertThat(device.got()).containsExactlyInAnyOrder("push 2", "push 1 attempt 2");
    }

    @Test
    void g11WhatWasReadBeforeTheLeaseWasLostIsNotPresented() {
        node.store(1, ME);
        node.readsAreHeld = true;
        Session session = node.open(ME, device);
        node.readsAreHeld = false;
        node.mayPresent = false;
        node.run();
        assertThat(device.got()).isEmpty();
        node.mayPresent = true;
        node.passHearing(1_000, session);
        assertThat(device.got()).containsExactly("push 1");
    }

    @Test
    void g11WhatAnotherSessionPresentsByNowIsNotSentAgain() {
        Session session = node.open(ME, device);
        node.publish(1, ME);
        node.store.isSuperseded = true;
        node.passHearing(10_000, session);
        assertThat(device.got()).containsExactly("push 1");
        assertThat(device.closed).isEqualTo(CloseCode.TAKEN_OVER);
    }

    @Test
    void g11WhatWasReadBeforeTheLeaseWasLostIsNotSentAgain() {
        Session session = node.open(ME, device);
        node.publish(1, ME);
        node.readsAreHeld = true;
        node.passHearing(10_000, session);
        node.readsAreHeld = false;
        node.mayPresent = false;
        node.run();
        assertThat(device.got()).containsExactly("push 1");
        node.mayPresent = true;
        node.passHearing(10_000, session);
        assertThat(device.got()).containsExactly("push 1 attempt 2");
    }

    @Test
    void g4AnErrorIsNotTheLastThingThatIsRead() {
        node.store(1, ME);
        node.store.failsBadly = true;
        Session session = node.open(ME, device);
        node.store.failsBadly = false;
        node.passHearing(1_000, session);
        assertThat(device.got()).containsExactly("push 1");
        node.store(2, ME);
        node.store.failsBadly = true;
        node.sessions.look();
        node.run();
        assertThat(device.got()).isEmpty();
        node.store.failsBadly = false;
        node.sessions.look();
        node.run();
        assertThat(device.got()).containsExactly("push 2");
    }

    @Test
    void g7WhatIsSettledHereWhileThePageIsReadIsAskedForAgain() {
        node.open(ME, device);
        node.store(1, ME);
        node.store(2, ME);
        node.store.afterPage =
                () -> {
                    node.store.end(ME, 1);
                    node.sessions.changed(new Settled(APP, 1, Recipients.of(ME)));
                };
        node.sessions.look();
        node.run();
        assertThat(device.got()).containsExactly("push 2");
    }

    @Test
    void whatIsRecalledHereWhileThePageIsReadIsNotPresented() {
        node.open(ME, device);
        node.store(1, ME);
        node.store.afterPage =
                () -> {
                    node.store.end(ME, 1);
                    node.sessions.changed(new Recalled(APP, 1, Recipients.of(ME)));
                };
        node.sessions.look();
        node.run();
        assertThat(device.got()).isEmpty();
    }
}
