package io.postrider.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import io.postrider.server.ManualClock;
import io.postrider.server.delivery.Accepted;
import io.postrider.server.delivery.AckBatch;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.DeliveryState;
import io.postrider.server.delivery.Mailboxes.Begun;
import io.postrider.server.delivery.Mailboxes.Drained;
import io.postrider.server.delivery.Mailboxes.Ended;
import io.postrider.server.delivery.Mailboxes.NoDevice;
import io.postrider.server.delivery.Message;
import io.postrider.server.delivery.MessageStore.Recalled;
import io.postrider.server.delivery.NewMessage;
import io.postrider.server.delivery.NewMessage.Idempotency;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.identity.Device;
import io.postrider.server.identity.DeviceStore.Change;
import io.postrider.server.publish.Reports.Counts;
import io.postrider.server.publish.Reports.DeviceStanding;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every engine's stores must do. One subclass for each engine. */
abstract class StoreContract {
    @TempDir Path folder;

    final ManualClock clock = new ManualClock();
    private Stores stores;
    private long app;

    /** Opens the engine's stores; called again, it finds what was there before. */
    abstract Stores open(Path folder, ManualClock clock);

    @BeforeEach
    void openStores() {
        stores = open(folder, clock);
        app = stores.newApp();
    }

    @AfterEach
    void closeStores() {
        stores.close();
    }

    private void reopen() {
        stores.close();
        stores = open(folder, clock);
    }

    private int[] registerMany(int count) {
        return IntStream.range(0, count).map(i -> stores.register(app, "d" + i).number()).toArray();
    }

    @Test
    void g6ACursorSkipsNothingThatIsCommittedMeanwhile() {
        int[] numbers = registerMany(3);
        List<CompletableFuture<Accepted>> answers = new ArrayList<>();
        List<Long> read = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            answers.add(stores.messages().accept(Stores.message(app, numbers[i % 3])));
            if (i % 10 == 0) {
                readOn(read);
            }
        }
        List<Long> ids =
                answers.stream().map(answer -> ((Accepted.Stored) answer.join()).id()).toList();
        readOn(read);
        assertThat(read).isSorted().containsExactlyInAnyOrderElementsOf(ids);
    }

    private void readOn(List<Long> read) {
        long cursor = read.isEmpty() ? 0 : read.getLast();
        stores.messages().committedAfter(cursor, 1_000).arrivals().stream()
                .map(arrival -> arrival.message().id())
                .forEach(read::add);
    }

    @Test
    void g6IdsAreInCommitOrderHoweverManyCommitAtOnce() {
        int[] numbers = registerMany(3);
        List<CompletableFuture<Accepted>> answers = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            answers.add(stores.messages().accept(Stores.message(app, numbers[i % 3])));
        }
        List<Long> ids = new ArrayList<>();
        answers.forEach(answer -> ids.add(((Accepted.Stored) answer.join()).id()));
        assertThat(ids).isSorted().doesNotHaveDuplicates();
        assertThat(stores.messages().lastId()).isEqualTo(ids.get(499));
    }

    @Test
    void g6IdsRiseWhenTheClockGoesBackAndAcrossRestarts() {
        int[] numbers = registerMany(1);
        long first = stores.publish(app, numbers);
        clock.advance(Duration.ofDays(-1));
        long second = stores.publish(app, numbers);
        reopen();
        assertThat(stores.messages().lastId()).isEqualTo(second);
        long third = stores.publish(app, numbers);
        assertThat(List.of(first, second, third)).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void g6IdsRiseEvenWhenTheNewestMessageIsGoneAndTheClockWentBack() {
        int stays = stores.register(app, "stays").number();
        long other = stores.newApp();
        long newest = stores.publish(other, stores.register(other, "d").number());
        stores.apps().delete(other, Stores.DEED);
        clock.advance(Duration.ofHours(-1));
        reopen();
        long last = stores.messages().lastId();
        assertThat(last).isGreaterThanOrEqualTo(newest);
        assertThat(stores.publish(app, stays)).isGreaterThan(last);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 8, 9, 300})
    void g1WhatWasAcceptedIsThereAfterARestart(int recipients) {
        int[] numbers = registerMany(recipients);
        long id = stores.publish(app, numbers);
        reopen();
        assertThat(stores.counts(app, id))
                .isEqualTo(new Counts(recipients, recipients, 0, 0, 0, 0, 0, 0));
        for (int number : numbers) {
            assertThat(stores.pending(app, number)).containsExactly(id);
        }
        assertThat(stores.pending(app, recipients)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 40})
    void anAckIsRecordedOnceAndForThatDeviceOnly(int recipients) {
        int[] numbers = registerMany(recipients);
        int stranger = stores.register(app, "stranger").number();
        long id = stores.publish(app, numbers);

        assertThat(stores.ack(app, numbers[0], id)).isEqualTo(AckOutcome.RECORDED);
        assertThat(stores.ack(app, numbers[0], id)).isEqualTo(AckOutcome.RECORDED);
        assertThat(stores.ack(app, stranger, id)).isEqualTo(AckOutcome.UNKNOWN);
        assertThat(stores.ack(app, numbers[0], id + 1)).isEqualTo(AckOutcome.UNKNOWN);
        assertThat(stores.ack(app + 1, numbers[0], id)).isEqualTo(AckOutcome.UNKNOWN);

        assertThat(stores.counts(app, id))
                .isEqualTo(new Counts(recipients, recipients - 1, 1, 0, 0, 0, 0, 0));
        assertThat(stores.pending(app, numbers[0])).isEmpty();
        reopen();
        assertThat(stores.counts(app, id).delivered()).isEqualTo(1);
        assertThat(stores.pending(app, numbers[0])).isEmpty();
        assertThat(stores.ack(app, numbers[0], id)).isEqualTo(AckOutcome.RECORDED);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 40})
    void acksThatComeTogetherCountAsEachAlone(int recipients) {
        int[] numbers = registerMany(recipients);
        int stranger = stores.register(app, "stranger").number();
        long id = stores.publish(app, numbers);
        reopen();

        AckBatch acks = new AckBatch();
        acks.add(app, stranger, id, false);
        acks.add(app + 1, numbers[0], id, false);
        acks.add(app, numbers[0], id, false);
        acks.add(app, numbers[0], id, true);
        acks.add(app, numbers[recipients - 1], id, true);
        assertThat(stores.messages().acknowledge(acks).join())
                .containsExactly(
                        AckOutcome.UNKNOWN,
                        AckOutcome.UNKNOWN,
                        AckOutcome.RECORDED,
                        AckOutcome.RECORDED,
                        AckOutcome.RECORDED);
        int delivered = Math.min(recipients, 2);
        assertThat(stores.counts(app, id))
                .isEqualTo(
                        new Counts(
                                recipients,
                                recipients - delivered,
                                delivered,
                                delivered,
                                0,
                                0,
                                0,
                                0));
        assertThat(stores.pending(app, numbers[0])).isEmpty();
    }

    @Test
    void acksOfManyMessagesThatComeTogetherAreEachOfItsOwn() {
        int[] all = registerMany(40);
        int[] few = Arrays.copyOf(all, 5);
        long other = stores.newApp();
        long toOther = stores.publish(other, stores.register(other, "d").number());
        List<Long> toMany = new ArrayList<>();
        List<Long> toFew = new ArrayList<>();
        for (int i = 0; i < 120; i++) {
            toMany.add(stores.publish(app, all));
            toFew.add(stores.publish(app, few));
        }
        stores.ack(app, all[1], toMany.get(7));
        reopen();

        AckBatch acks = new AckBatch();
        List<AckOutcome> expected = new ArrayList<>();
        for (int i = 0; i < toMany.size(); i++) {
            acks.add(app, all[0], toMany.get(i), false);
            acks.add(app, all[1], toMany.get(i), i % 2 == 0);
            acks.add(other, all[0], toMany.get(i), false);
            acks.add(app, few[0], toFew.get(i), false);
            acks.add(app, all[39], toFew.get(i), false);
            acks.add(app, all[0], 1_000 + i, false);
            Collections.addAll(
                    expected,
                    AckOutcome.RECORDED,
                    AckOutcome.RECORDED,
                    AckOutcome.UNKNOWN,
                    AckOutcome.RECORDED,
                    AckOutcome.UNKNOWN,
                    AckOutcome.UNKNOWN);
        }
        acks.add(app, all[0], toOther, false);
        expected.add(AckOutcome.UNKNOWN);
        assertThat(stores.messages().acknowledge(acks).join()).isEqualTo(expected);
        for (int i = 0; i < toMany.size(); i++) {
            int opened = i % 2 == 0 ? 1 : 0;
            assertThat(stores.counts(app, toMany.get(i)))
                    .isEqualTo(new Counts(40, 38, 2, opened, 0, 0, 0, 0));
            assertThat(stores.counts(app, toFew.get(i)))
                    .isEqualTo(new Counts(5, 4, 1, 0, 0, 0, 0, 0));
        }
        assertThat(stores.counts(other, toOther).delivered()).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 40})
    void openedImpliesDeliveredAndIsCountedWithinIt(int recipients) {
        int[] numbers = registerMany(recipients);
        long id = stores.publish(app, numbers);
        assertThat(stores.ack(app, numbers[0], id, true)).isEqualTo(AckOutcome.RECORDED);
        assertThat(stores.ack(app, numbers[0], id, true)).isEqualTo(AckOutcome.RECORDED);
        assertThat(stores.counts(app, id))
                .isEqualTo(new Counts(recipients, recipients - 1, 1, 1, 0, 0, 0, 0));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 40})
    void anAckThenOpenedCountsOnce(int recipients) {
        int[] numbers = registerMany(recipients);
        long id = stores.publish(app, numbers);
        stores.ack(app, numbers[0], id);
        stores.ack(app, numbers[0], id, true);
        assertThat(stores.counts(app, id))
                .isEqualTo(new Counts(recipients, recipients - 1, 1, 1, 0, 0, 0, 0));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 40})
    void g8ExpiryIsFixedAtAcceptAndItsEndIsFinal(int recipients) {
        int[] numbers = registerMany(recipients);
        long id = stores.publish(app, numbers);
        if (recipients > 1) {
            stores.ack(app, numbers[1], id);
        }
        clock.advance(Duration.ofSeconds(61));
        assertThat(stores.ack(app, numbers[0], id)).isEqualTo(AckOutcome.EXPIRED);
        assertThat(stores.messages().recall(app, id).join()).isInstanceOf(Recalled.Before.class);
        int delivered = recipients > 1 ? 1 : 0;
        assertThat(stores.counts(app, id))
                .isEqualTo(
                        new Counts(recipients, 0, delivered, 0, recipients - delivered, 0, 0, 0));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 40})
    void aRecallEndsWhatIsPendingAndLeavesWhatIsDelivered(int recipients) {
        int[] numbers = registerMany(recipients);
        long id = stores.publish(app, numbers);
        if (recipients > 1) {
            stores.ack(app, numbers[1], id);
        }
        assertThat(stores.messages().recall(app, id).join())
                .isInstanceOfSatisfying(
                        Recalled.Now.class,
                        now -> assertThat(now.recipients().count()).isEqualTo(recipients));
        assertThat(stores.messages().recall(app, id).join()).isInstanceOf(Recalled.Before.class);
        assertThat(stores.messages().recall(app + 1, id).join())
                .isInstanceOf(Recalled.Unknown.class);
        assertThat(stores.ack(app, numbers[0], id)).isEqualTo(AckOutcome.RECALLED);
        assertThat(stores.pending(app, numbers[0])).isEmpty();
        clock.advance(Duration.ofDays(1));
        int delivered = recipients > 1 ? 1 : 0;
        assertThat(stores.counts(app, id))
                .isEqualTo(
                        new Counts(recipients, 0, delivered, 0, 0, recipients - delivered, 0, 0));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 40})
    void aDeletedDeviceCountsAsFailedButNotWhereTheMessageHadEnded(int recipients) {
        int[] numbers = registerMany(recipients);
        long ended = stores.publish(app, numbers);
        clock.advance(Duration.ofSeconds(61));
        long open = stores.publish(app, numbers);
        stores.devices().delete(app, "d0");
        assertThat(stores.counts(app, ended).failed()).isZero();
        assertThat(stores.counts(app, ended).expired()).isEqualTo(recipients);
        assertThat(stores.counts(app, open).failed()).isEqualTo(1);
        DeviceStanding standing = stores.reports().device(app, open, numbers[0]).orElseThrow();
        assertThat(standing.state()).isEqualTo(DeliveryState.FAILED);
        assertThat(standing.reason()).isEqualTo("device_deleted");
        assertThat(standing.deviceId()).isNull();
        assertThat(stores.ack(app, numbers[0], open)).isEqualTo(AckOutcome.UNKNOWN);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 40})
    void aDeviceOfAnotherUserLosesWhatNamedTheOldOne(int recipients) {
        int[] numbers = registerMany(recipients);
        stores.devices().change(app, "d0", new Change(null, "anna", null, null, null));
        long named =
                stores.accept(
                                Stores.message(
                                        app,
                                        Recipients.of(numbers),
                                        true,
                                        null,
                                        60_000,
                                        Long.MAX_VALUE))
                        .id();
        long other = stores.publish(app, numbers);
        stores.devices().change(app, "d0", new Change(null, "bert", null, null, null));
        assertThat(stores.pending(app, numbers[0])).containsExactly(other);
        assertThat(stores.counts(app, named).failed()).isEqualTo(1);
        assertThat(stores.reports().device(app, named, numbers[0]).orElseThrow().reason())
                .isEqualTo("user_changed");
    }

    @Test
    void theSameDeviceIdAgainIsANewNumberWithAnEmptyMailbox() {
        int before = stores.register(app, "d").number();
        stores.publish(app, before);
        stores.devices().delete(app, "d");
        int after = stores.register(app, "d").number();
        assertThat(after).isGreaterThan(before);
        assertThat(stores.pending(app, after)).isEmpty();
    }

    @Test
    void whoWentAfterTheAudienceWasResolvedIsLeftOut() {
        Device stays = stores.register(app, "stays");
        Device goes = stores.register(app, "goes");
        long end = 2;
        stores.devices().delete(app, "goes");
        Accepted.Stored stored =
                stores.accept(
                        Stores.message(
                                app,
                                Recipients.of(stays.number(), goes.number()),
                                false,
                                null,
                                60_000,
                                end));
        assertThat(stored.targeted()).isEqualTo(1);
        assertThat(stores.pending(app, goes.number())).isEmpty();
    }

    @Test
    void g3AKeyStandsForOneMessageFor24Hours() {
        int[] numbers = registerMany(1);
        Idempotency key = new Idempotency("k", new byte[] {1});
        Accepted.Stored first = stores.accept(keyed(numbers, key));
        reopen();
        Accepted.Stored again = stores.accept(keyed(numbers, key));
        assertThat(again.replayed()).isTrue();
        assertThat(again.id()).isEqualTo(first.id());
        assertThat(again.targeted()).isEqualTo(first.targeted());
        assertThat(again.expiresAt()).isEqualTo(first.expiresAt());
        Idempotency otherBody = new Idempotency("k", new byte[] {2});
        assertThat(stores.messages().accept(keyed(numbers, otherBody)).join())
                .isInstanceOf(Accepted.OtherBody.class);
        assertThat(stores.pending(app, numbers[0])).containsExactly(first.id());

        clock.advance(Duration.ofHours(25));
        assertThat(stores.accept(keyed(numbers, otherBody)).replayed()).isFalse();
    }

    @Test
    void g3ConcurrentDuplicatesAreOneMessage() {
        int[] numbers = registerMany(1);
        Idempotency key = new Idempotency("k", new byte[] {1});
        List<CompletableFuture<Accepted>> answers = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            answers.add(stores.messages().accept(keyed(numbers, key)));
        }
        long fresh =
                answers.stream()
                        .map(answer -> (Accepted.Stored) answer.join())
                        .filter(stored -> !stored.replayed())
                        .count();
        assertThat(fresh).isEqualTo(1);
        assertThat(stores.pending(app, numbers[0])).hasSize(1);
    }

    private NewMessage keyed(int[] numbers, Idempotency key) {
        return Stores.message(app, Recipients.of(numbers), false, key, 60_000, Long.MAX_VALUE);
    }

    @Test
    @SuppressWarnings("NullAway") // what no caller does
    void oneBadItemNeverFailsItsBatch() {
        int[] numbers = registerMany(1);
        NewMessage bad =
                new NewMessage(
                        app,
                        Stores.message(app, numbers).target(),
                        null,
                        "{}",
                        1,
                        true,
                        false,
                        new byte[0],
                        null,
                        "test");
        List<CompletableFuture<Accepted>> good = new ArrayList<>();
        List<CompletableFuture<Accepted>> broken = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            good.add(stores.messages().accept(Stores.message(app, numbers)));
            broken.add(stores.messages().accept(bad));
        }
        good.forEach(answer -> assertThat(answer.join()).isInstanceOf(Accepted.Stored.class));
        broken.forEach(
                answer -> assertThatThrownBy(answer::join).isInstanceOf(CompletionException.class));
        assertThat(stores.pending(app, numbers[0])).hasSize(50);
    }

    @Test
    void aDrainIsInIdOrderAcrossAllKindsAndInPages() {
        int[] numbers = registerMany(30);
        int[] few = {numbers[0], numbers[1], numbers[2]};
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            ids.add(stores.publish(app, numbers));
            ids.add(stores.publish(app, numbers[0]));
            ids.add(stores.publish(app, few));
        }
        List<Long> read = new ArrayList<>();
        long position = 0;
        boolean more = true;
        while (more) {
            Drained page = stores.drain(app, numbers[0], position, 4);
            assertThat(page.messages()).hasSizeLessThanOrEqualTo(4);
            page.messages().stream().map(Message::id).forEach(read::add);
            position = page.upTo();
            more = page.more();
        }
        assertThat(read).isEqualTo(ids);
        assertThat(position).isEqualTo(stores.messages().lastId());
        assertThat(stores.pending(app, numbers[29])).hasSize(5);
    }

    @Test
    void aDeviceBeyondTheFirstPieceIsARecipientLikeAnyOther() {
        int far = 70_000;
        int[] numbers = IntStream.concat(IntStream.range(0, 40), IntStream.of(far)).toArray();
        stores.register(app, "d");
        setLastNumber(far);
        long id = stores.publish(app, numbers);
        assertThat(stores.pending(app, far)).containsExactly(id);
        assertThat(stores.ack(app, far, id)).isEqualTo(AckOutcome.RECORDED);
        reopen();
        assertThat(stores.pending(app, far)).isEmpty();
        assertThat(stores.counts(app, id).delivered()).isEqualTo(1);
        assertThat(stores.reports().devices(app, id, 38, 5))
                .extracting(DeviceStanding::number, DeviceStanding::state)
                .containsExactly(
                        tuple(39, DeliveryState.QUEUED), tuple(far, DeliveryState.DELIVERED));
        assertThat(stores.reports().devices(app, id, 38, 1)).hasSize(1);
        assertThat(stores.reports().devices(app, id, far, 5)).isEmpty();
    }

    /** As if so many devices had been registered. */
    private void setLastNumber(int number) {
        stores.database()
                .writer()
                .await(tx -> tx.sql.update("UPDATE apps SET last_number = ?", number));
    }

    @Test
    void endsThatWereFoldedCountAsBefore() {
        int[] numbers = registerMany(400);
        long id = stores.publish(app, numbers);
        for (int i = 0; i < 300; i++) {
            CompletableFuture<?> ack = stores.ackLater(app, numbers[i], id, false);
            // Alone, an ack waits for company; a publish does not.
            stores.publish(app, numbers[399]);
            ack.join();
        }
        assertThat(stores.counts(app, id).delivered()).isEqualTo(300);
        reopen();
        assertThat(stores.pending(app, numbers[0])).isEmpty();
        assertThat(stores.pending(app, numbers[280])).isEmpty();
        assertThat(stores.pending(app, numbers[299])).isEmpty();
        assertThat(stores.pending(app, numbers[300])).containsExactly(id);
        assertThat(stores.ack(app, numbers[0], id)).isEqualTo(AckOutcome.RECORDED);
        assertThat(stores.counts(app, id).delivered()).isEqualTo(300);
        assertThat(
                        stores.reports().devices(app, id, -1, 500).stream()
                                .filter(device -> device.state() == DeliveryState.DELIVERED))
                .hasSize(300);
    }

    @Test
    void g11GenerationsRiseAndAnOldSessionsEndDoesNotTouchANewerOne() {
        int number = stores.register(app, "d").number();
        Begun first = begin(number);
        Begun second = begin(number);
        assertThat(second.generation()).isGreaterThan(first.generation());
        stores.mailboxes()
                .end(app, number, first.generation(), new Ended(0, 0, true, "late"))
                .join();
        assertThat(stores.reports().sessions(app, number, 0, Long.MAX_VALUE))
                .satisfiesExactly(
                        session -> assertThat(session.endReason()).isEqualTo("died"),
                        session -> assertThat(session.endedAt()).isNull());
    }

    private Begun begin(int number) {
        return stores.begin(app, number);
    }

    @Test
    void g5ACleanEndMarksJustWhatWasPresented() {
        int number = stores.register(app, "d").number();
        long presented = stores.publish(app, number);
        Begun session = begin(number);
        assertThat(session.presentedTo()).isLessThan(presented);
        stores.publish(app, number);
        stores.mailboxes()
                .end(
                        app,
                        number,
                        session.generation(),
                        new Ended(presented, presented - 1, true, "done"))
                .join();
        assertThat(begin(number).presentedTo()).isEqualTo(presented);
    }

    @Test
    void g5AfterACrashAllThatWasStoredBeforeTheRestartMayHaveBeenPresented() {
        int number = stores.register(app, "d").number();
        begin(number);
        long before = stores.publish(app, number);
        reopen();
        long after = stores.publish(app, number);
        Begun next = begin(number);
        assertThat(next.presentedTo()).isEqualTo(before).isLessThan(after);
        assertThat(begin(stores.register(app, "other").number()).presentedTo()).isLessThan(before);
    }

    @Test
    void aDeviceThatDoesNotExistOrWhoseTokensAreVoidHasNoSession() {
        int number = stores.register(app, "d").number();
        assertThat(stores.start(app, number, 1)).isInstanceOf(NoDevice.class);
        assertThat(stores.start(app, number + 1, 0)).isInstanceOf(NoDevice.class);
        assertThat(stores.start(app + 1, number, 0)).isInstanceOf(NoDevice.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 40})
    void aDeviceHearsOfRecallsOfWhatItMayHave(int recipients) {
        int[] numbers = registerMany(recipients);
        Begun session = begin(numbers[0]);
        long seen = stores.publish(app, numbers);
        stores.mailboxes()
                .end(app, numbers[0], session.generation(), new Ended(seen, seen - 1, true, "done"))
                .join();
        long unseen = stores.publish(app, numbers);
        stores.messages().recall(app, seen).join();
        stores.messages().recall(app, unseen).join();
        assertThat(begin(numbers[0]).recalled()).containsExactly(seen);
    }

    @Test
    void stillPendingLeavesOutWhatHasEnded() {
        int[] numbers = registerMany(40);
        long one = stores.publish(app, numbers[0]);
        long few = stores.publish(app, numbers[0], numbers[1]);
        long many = stores.publish(app, numbers);
        assertThat(stores.stillPending(app, numbers[0], one, few, many))
                .containsExactly(one, few, many);
        stores.ack(app, numbers[0], few);
        stores.messages().recall(app, many).join();
        assertThat(stores.stillPending(app, numbers[0], one, few, many)).containsExactly(one);
        assertThat(stores.stillPending(app, numbers[5], one, few, many)).isEmpty();
    }

    @Test
    void arrivalsSayWhomEachMessageIsFor() {
        int[] numbers = registerMany(40);
        long start = stores.messages().lastId();
        stores.publish(app, numbers[3]);
        stores.publish(app, numbers[3], numbers[4]);
        stores.publish(app, numbers);
        assertThat(stores.messages().committedAfter(start, 10).arrivals())
                .extracting(arrival -> arrival.recipients().count())
                .containsExactly(1, 2, 40);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 40})
    void g13AnotherAppsMessageAnswersLikeAnUnknownOne(int recipients) {
        int[] numbers = registerMany(recipients);
        long id = stores.publish(app, numbers);
        long other = stores.newApp();
        assertThat(stores.reports().message(other, id)).isEqualTo(Optional.empty());
        assertThat(stores.reports().devices(other, id, -1, 10)).isEmpty();
        assertThat(stores.drain(other, numbers[0], 0, 10).messages()).isEmpty();
        assertThat(stores.stillPending(other, numbers[0], id)).isEmpty();
        assertThat(stores.ack(other, numbers[0], id)).isEqualTo(AckOutcome.UNKNOWN);
        assertThat(stores.ack(other, numbers[0], id, true)).isEqualTo(AckOutcome.UNKNOWN);
        assertThat(stores.counts(app, id).pending()).isEqualTo(recipients);
    }

    @Test
    void aDeletedAppIsGoneAndOthersStay() {
        int[] numbers = registerMany(40);
        long id = stores.publish(app, numbers);
        long other = stores.newApp();
        int kept = stores.register(other, "kept").number();
        long keptId = stores.publish(other, kept);
        stores.apps().delete(app, Stores.DEED);
        assertThat(stores.apps().byId(app)).isEmpty();
        await().until(() -> stores.reports().appOf(id).isEmpty());
        await().until(() -> stores.devices().byDeviceId(app, "d0").isEmpty());
        assertThat(stores.pending(other, kept)).containsExactly(keptId);
    }

    @Test
    void theEpochStaysAcrossRestarts() {
        String epoch = stores.messages().epoch();
        reopen();
        assertThat(stores.messages().epoch()).isEqualTo(epoch).isNotEmpty();
    }
}
