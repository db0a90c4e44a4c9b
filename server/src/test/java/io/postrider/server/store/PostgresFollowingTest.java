package io.postrider.server.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.server.ManualClock;
import io.postrider.server.delivery.Accepted;
import io.postrider.server.delivery.Arrival;
import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.Change.Displaced;
import io.postrider.server.delivery.Change.Joined;
import io.postrider.server.delivery.Change.Revoked;
import io.postrider.server.delivery.Committed;
import io.postrider.server.delivery.Mailboxes.Begun;
import io.postrider.server.delivery.Mailboxes.Drained;
import io.postrider.server.delivery.Mailboxes.Ended;
import io.postrider.server.delivery.Mailboxes.TakenOver;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.identity.AppSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What one node finds of what another has committed to the same PostgreSQL. */
class PostgresFollowingTest {
    @TempDir Path folder;
    private final ManualClock clock = new ManualClock();
    private Stores one;
    private Stores other;
    private long app;
    private int device;
    private long start;

    @BeforeEach
    void open() {
        one = Postgres.stores(folder, clock, Stores.NOBODY);
        other = Postgres.stores(folder, clock, Stores.NOBODY);
        app = one.newApp();
        device = one.register(app, "d").number();
        start = one.messages().lastId();
    }

    @AfterEach
    void close() {
        one.close();
        other.close();
    }

    private Committed found() {
        return one.messages().committedAfter(start, 100);
    }

    private List<Change> changes() {
        return found().changes();
    }

    private static Begun begin(Stores at, long app, int number, long connectedAt) {
        return (Begun) at.mailboxes().begin(app, number, 0, connectedAt).join();
    }

    @Test
    void messagesAndChangesAreFoundUpToOneId() {
        long id = other.publish(app, device);
        other.messages().recall(app, id).join();
        Committed found = found();
        assertThat(found.arrivals()).hasSize(1);
        assertThat(found.changes()).hasSize(1);
        assertThat(found.changes().get(0))
                .isInstanceOfSatisfying(
                        Change.Recalled.class,
                        recalled -> {
                            assertThat(recalled.messageId()).isEqualTo(id);
                            assertThat(recalled.recipients().contains(device)).isTrue();
                        });
        assertThat(found.upTo()).isEqualTo(one.messages().lastId()).isGreaterThan(id);
        assertThat(one.messages().committedAfter(found.upTo(), 100))
                .isEqualTo(new Committed(List.of(), List.of(), found.upTo(), false));
    }

    @Test
    void aNodeFindsItsOwnChangesSinceItMayNotHaveHeardThatTheyAreCommitted() {
        long id = one.publish(app, device);
        one.messages().recall(app, id).join();
        assertThat(changes()).singleElement().isInstanceOf(Change.Recalled.class);
    }

    @Test
    void whatOthersKeepForAnAppCountsForItsQuotaAndWhatTheyPurgeDoesNot() {
        List<SqlMessages> nodes =
                List.of(
                        new SqlMessages(one.database(), clock, 5),
                        new SqlMessages(other.database(), clock, 5));
        for (int i = 0; i < 5; i++) {
            assertThat(accepted(nodes.get(i % 2))).isInstanceOf(Accepted.Stored.class);
        }
        for (SqlMessages node : nodes) {
            assertThat(accepted(node)).isEqualTo(new Accepted.QuotaExceeded(5));
        }
        clock.advance(Duration.ofDays(35));
        other.database().purge().run();
        for (SqlMessages node : nodes) {
            assertThat(accepted(node)).isInstanceOf(Accepted.Stored.class);
        }
    }

    /** The node that purges has never counted them. */
    @Test
    void whatIsPurgedAndWasNotCountedHereIsNotTakenOffTheCount() {
        long shorter = one.newApp();
        one.register(shorter, "d");
        one.apps()
                .update(
                        shorter,
                        Stores.DEED.of(shorter),
                        before ->
                                before.withSettings(
                                        new AppSettings(false, true, List.of(), 1, "UTC")));
        SqlMessages here = new SqlMessages(one.database(), clock, 4);
        SqlMessages there = new SqlMessages(other.database(), clock, 4);
        assertThat(to(here, shorter)).isInstanceOf(Accepted.Stored.class);
        for (int i = 0; i < 3; i++) {
            assertThat(to(there, shorter)).isInstanceOf(Accepted.Stored.class);
        }
        clock.advance(Duration.ofDays(3));
        one.database().purge().run();
        for (int i = 0; i < 4; i++) {
            assertThat(to(here, shorter)).isInstanceOf(Accepted.Stored.class);
        }
        assertThat(to(here, shorter)).isEqualTo(new Accepted.QuotaExceeded(4));
    }

    private static Accepted to(SqlMessages node, long app) {
        return node.accept(Stores.message(app, 0)).join();
    }

    private Accepted accepted(SqlMessages node) {
        return node.accept(Stores.message(app, device)).join();
    }

    @Test
    void aFullPageEndsWithItsLastMessageAndHasNoLaterChange() {
        long first = other.publish(app, device);
        other.messages().recall(app, other.publish(app, device)).join();
        Committed page = one.messages().committedAfter(start, 1);
        assertThat(page.upTo()).isEqualTo(first);
        assertThat(page.more()).isTrue();
        assertThat(page.changes()).isEmpty();
        assertThat(one.messages().committedAfter(first, 100).changes()).hasSize(1);
    }

    @Test
    void aMessageIsFoundOnlyForThoseForWhomItIsPending() {
        int[] many = new int[40];
        for (int i = 0; i < many.length; i++) {
            many[i] = one.register(app, "m" + i).number();
        }
        long toOne = other.publish(app, device);
        long toFew = other.publish(app, device, many[0]);
        long toMany = other.publish(app, many);
        long recalled = other.publish(app, many);
        other.ack(app, device, toOne);
        other.ack(app, device, toFew);
        other.ack(app, many[3], toMany);
        other.messages().recall(app, recalled).join();
        List<Recipients> recipients = found().arrivals().stream().map(Arrival::recipients).toList();
        assertThat(recipients).extracting(Recipients::count).containsExactly(0, 1, 39, 0);
        assertThat(recipients.get(1).contains(many[0])).isTrue();
        assertThat(recipients.get(2).contains(many[3])).isFalse();
    }

    @Test
    void settlingJoiningAndRevokingAreFound() {
        int second = one.register(app, "e").number();
        other.groups().add(app, "shop", "d");
        long id = other.accept(Stores.toGroups(app, Stores.EVERYONE, "shop")).id();
        other.groups().add(app, "shop", "e");
        other.ack(app, second, id);
        other.devices().revokeTokens(app, "e");
        other.devices().delete(app, "d");
        assertThat(changes())
                .extracting(Object::toString)
                .contains(
                        new Joined(app, second, id).toString(),
                        new Revoked(app, second, 1).toString(),
                        new Revoked(app, device, Integer.MAX_VALUE).toString(),
                        "Settled[appId=" + app + ", messageId=" + id + ", others={0}]");
    }

    @Test
    void g11ASessionAtAnotherNodeIsToldThatItIsDisplaced() {
        int older = begin(one, app, device, 1_000).generation();
        int newer = begin(other, app, device, 2_000).generation();
        assertThat(newer).isEqualTo(older + 1);
        assertThat(changes()).containsExactly(new Displaced(app, device, older));
    }

    @Test
    void g11TheMailboxIsClosedToADisplacedSession() {
        int older = begin(one, app, device, 1_000).generation();
        List<Long> published = List.of(one.publish(app, device));
        assertThat(drain(one, older)).hasSize(1);
        assertThat(one.mailboxes().stillPending(app, device, older, published)).isPresent();
        int newer = begin(other, app, device, 2_000).generation();
        assertThat(one.mailboxes().drain(app, device, older, 0, 10)).isEmpty();
        assertThat(one.mailboxes().stillPending(app, device, older, published)).isEmpty();
        assertThat(drain(other, newer)).hasSize(1);
    }

    private List<?> drain(Stores at, int generation) {
        return at.mailboxes()
                .drain(app, device, generation, 0, 10)
                .map(Drained::messages)
                .orElseThrow();
    }

    @Test
    void g5WhatWasStoredBeforeTheTakeoverMayHaveBeenPresentedAtTheOtherNode() {
        begin(one, app, device, 1_000);
        long id = one.publish(app, device);
        assertThat(begin(other, app, device, 2_000).presentedTo()).isGreaterThanOrEqualTo(id);
    }

    @Test
    void g11AnOlderConnectionThatBeginsLateDoesNotDisplaceTheNewer() {
        begin(other, app, device, 2_000);
        assertThat(one.mailboxes().begin(app, device, 0, 1_000).join()).isEqualTo(new TakenOver());
        assertThat(found().changes()).isEmpty();
    }

    /** As a failover to a server whose clock is behind does. */
    @Test
    void g11WhoConnectsAfterTheStoresClockWasSetBackIsNotKeptOut() {
        begin(other, app, device, clock.millis() + 3_600_000);
        assertThat(one.mailboxes().begin(app, device, 0, clock.millis()).join())
                .isInstanceOf(Begun.class);
    }

    @Test
    void nodesClocksMayDifferALittle() {
        begin(other, app, device, 2_000);
        assertThat(one.mailboxes().begin(app, device, 0, 1_900).join()).isInstanceOf(Begun.class);
    }

    @Test
    void aNewerConnectionThatHasEndedDoesNotKeepAnOlderOut() {
        int newer = begin(other, app, device, 2_000).generation();
        other.mailboxes().end(app, device, newer, new Ended(0, 0, true, "disconnected")).join();
        assertThat(one.mailboxes().begin(app, device, 0, 1_000).join()).isInstanceOf(Begun.class);
        assertThat(found().changes()).isEmpty();
    }

    @Test
    void oneNodePurgesForAllOfThem() {
        expired(1);
        one.database().purge().runAndLog();
        assertThat(logins()).isZero();
        expired(2);
        other.database().purge().runAndLog();
        one.database().purge().runAndLog();
        assertThat(logins()).as("until most of an hour has passed").isOne();
        clock.advance(Duration.ofMinutes(51));
        other.database().purge().runAndLog();
        assertThat(logins()).isZero();
    }

    private void expired(int login) {
        one.developers().addLogin(new byte[] {(byte) login}, Stores.ACTOR, clock.millis(), null);
        clock.advance(Duration.ofSeconds(1));
    }

    private long logins() {
        return other.database().read(sql -> sql.number("SELECT count(*) FROM logins"));
    }
}
