package io.postrider.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.postrider.server.ManualClock;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.Arrival;
import io.postrider.server.delivery.DeliveryState;
import io.postrider.server.delivery.Mailboxes.Begun;
import io.postrider.server.delivery.Mailboxes.Ended;
import io.postrider.server.delivery.Mailboxes.NoDevice;
import io.postrider.server.delivery.MessageStore.Presentation;
import io.postrider.server.delivery.MessageStore.Recalled;
import io.postrider.server.delivery.WakeUps;
import io.postrider.server.identity.DeviceFilter;
import io.postrider.server.identity.DeviceStore.Change;
import io.postrider.server.identity.GroupStore.Member;
import io.postrider.server.identity.GroupStore.Members;
import io.postrider.server.identity.GroupStore.Replaced;
import io.postrider.server.identity.Platform;
import io.postrider.server.identity.Secrets;
import io.postrider.server.identity.TillStore.Till;
import io.postrider.server.publish.Reports.Counts;
import io.postrider.server.publish.Reports.DeviceStanding;
import io.postrider.server.publish.Reports.Settlement;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What every engine does with groups, and with messages that the first ack settles. */
abstract class GroupsContract {
    private static final DeviceFilter KITCHENS =
            new DeviceFilter(null, null, List.of("kitchen"), null, null, null);

    @TempDir Path folder;
    final ManualClock clock = new ManualClock();
    private final Hearing hearing = new Hearing();
    Stores stores;
    long app;

    abstract Stores open(Path folder, ManualClock clock, WakeUps wakeUps);

    @BeforeEach
    void openStores() {
        stores = open(folder, clock, hearing);
        app = stores.newApp();
    }

    @AfterEach
    void closeStores() {
        stores.close();
    }

    /** A shop with so many tills, whose numbers go on from those before. */
    void shop(String group, int tills) {
        IntStream.range(0, tills)
                .forEach(i -> {
                    String till = group + i;
                    stores.register(app, till);
                    stores.groups().add(app, group, till);
                });
    }

    private long publish(DeviceFilter filter, String... groups) {
        return stores.accept(Stores.toGroups(app, filter, groups)).id();
    }

    long publish(String... groups) {
        return publish(Stores.EVERYONE, groups);
    }

    private AckOutcome ack(int number, long id) {
        return stores.ack(app, number, id);
    }

    private List<Long> pending(int number) {
        return stores.pending(app, number);
    }

    private List<Settlement> settlements(long id) {
        return stores.reports().message(app, id).orElseThrow().settlements();
    }

    private void present(long id, int... numbers) {
        stores.messages()
                .addPresented(
                        IntStream.of(numbers)
                                .mapToObj(number -> new Presentation(app, number, id))
                                .toList())
                .join();
    }

    /** Or its session reads on without it, and never looks again. */
    @Test
    void g4WhoIsToldOfAMessageFindsItInItsMailbox(@TempDir Path other) {
        AtomicReference<Stores> own = new AtomicReference<>();
        List<Long> found = new CopyOnWriteArrayList<>();
        WakeUps looking =
                new Hearing() {
                    @Override
                    public void committed(
                            long afterId,
                            long upTo,
                            List<Arrival> arrivals,
                            List<io.postrider.server.delivery.Change> changes) {
                        for (Arrival arrival : arrivals) {
                            long to = arrival.message().appId();
                            arrival.recipients()
                                    .forEach(number ->
                                            found.addAll(
                                                    Objects.requireNonNull(own.get())
                                                            .pending(to, number)));
                        }
                    }
                };
        try (Stores opened = open(other, clock, looking)) {
            own.set(opened);
            long to = opened.newApp();
            int device = opened.register(to, "d").number();
            long id = opened.publish(to, device);
            assertThat(found).containsExactly(id);
        }
    }

    @Test
    void g7TheFirstAckSettlesForTheGroupAndEveryOtherIsToldThatItIsSettled() {
        shop("a", 3);
        long start = stores.messages().lastId();
        long id = publish("a");
        assertThat(pending(0)).containsExactly(id);
        assertThat(ack(1, id)).isEqualTo(AckOutcome.WON);
        assertThat(ack(0, id)).isEqualTo(AckOutcome.ALREADY_SETTLED);
        assertThat(ack(2, id)).isEqualTo(AckOutcome.ALREADY_SETTLED);
        assertThat(ack(1, id)).isEqualTo(AckOutcome.WON);
        assertThat(hearing.heard)
                .endsWith(start + " before " + id + " for {0,1,2}", "settled " + id + " for {0,2}");
        assertThat(IntStream.range(0, 3).mapToObj(this::pending)).containsOnly(List.of());
        assertThat(stores.counts(app, id)).isEqualTo(new Counts(1, 0, 1, 0, 0, 0, 0, 0));
    }

    @Test
    void g13AnotherGroupsDeviceNeitherSeesNorSettles() {
        shop("a", 1);
        shop("b", 1);
        long id = publish("a");
        assertThat(pending(1)).isEmpty();
        assertThat(ack(1, id)).isEqualTo(AckOutcome.UNKNOWN);
        assertThat(ack(7, id)).isEqualTo(AckOutcome.UNKNOWN);
        assertThat(ack(0, id)).isEqualTo(AckOutcome.WON);
    }

    @Test
    void whoJoinsWhileAMessageIsOpenIsPresentedIt() {
        shop("a", 1);
        stores.register(app, "late");
        long first = publish("a");
        publish("a");
        assertThat(stores.groups().add(app, "a", "late")).isTrue();
        assertThat(hearing.heard).endsWith("joined 1 from " + first);
        assertThat(pending(1)).hasSize(2);
        assertThat(stores.begin(app, 1).drainedTo()).isLessThan(first);
        assertThat(ack(1, first)).isEqualTo(AckOutcome.WON);
    }

    @Test
    void whoIsTakenOutNeitherSeesNorSettlesAnyMore() {
        shop("a", 2);
        long id = publish("a");
        assertThat(stores.groups().remove(app, "a", "a1")).isTrue();
        assertThat(hearing.heard).endsWith("recalled " + id + " for {1}");
        assertThat(pending(1)).isEmpty();
        assertThat(stores.stillPending(app, 1, id)).isEmpty();
        assertThat(ack(1, id)).isEqualTo(AckOutcome.UNKNOWN);
        assertThat(stores.groups().remove(app, "a", "a1")).isFalse();
        assertThat(stores.groups().remove(app, "a", "nobody")).isFalse();
        assertThat(stores.groups().remove(app, "nowhere", "a0")).isFalse();
        assertThat(ack(0, id)).isEqualTo(AckOutcome.WON);
    }

    @Test
    void aDeviceInTwoGroupsSeesItOnceAndItsAckSettlesBoth() {
        shop("a", 1);
        shop("b", 1);
        stores.groups().add(app, "b", "a0");
        long id = publish("a", "b", "c");
        assertThat(pending(0)).containsExactly(id);
        assertThat(ack(0, id)).isEqualTo(AckOutcome.WON);
        assertThat(hearing.heard).endsWith("settled " + id + " for {1}");
        assertThat(settlements(id))
                .extracting(Settlement::group, Settlement::state, Settlement::winner)
                .containsExactly(
                        tuple("a", DeliveryState.DELIVERED, "a0"),
                        tuple("b", DeliveryState.DELIVERED, "a0"),
                        tuple("c", DeliveryState.QUEUED, null));
        assertThat(stores.counts(app, id)).isEqualTo(new Counts(3, 1, 2, 0, 0, 0, 0, 0));
    }

    @Test
    void whoIsInAnotherGroupThatIsOpenKeepsItAndMayWinThere() {
        shop("a", 1);
        stores.register(app, "both");
        stores.groups().add(app, "a", "both");
        stores.groups().add(app, "b", "both");
        long id = publish("a", "b");
        assertThat(ack(0, id)).isEqualTo(AckOutcome.WON);
        assertThat(hearing.heard).noneMatch(heard -> heard.startsWith("settled"));
        assertThat(pending(1)).containsExactly(id);
        assertThat(ack(1, id)).isEqualTo(AckOutcome.WON);
        assertThat(ack(0, id)).isEqualTo(AckOutcome.WON);
        assertThat(settlements(id)).extracting(Settlement::winner).containsExactly("a0", "both");
    }

    @Test
    void g8AnExpiredMessageIsNotSettledAnyMore() {
        shop("a", 2);
        long id = publish("a");
        present(id, 0);
        clock.advance(Duration.ofMinutes(1));
        assertThat(pending(1)).isEmpty();
        assertThat(ack(0, id)).isEqualTo(AckOutcome.EXPIRED);
        assertThat(stores.counts(app, id)).isEqualTo(new Counts(1, 0, 0, 0, 1, 0, 0, 0));
        Settlement expired = settlements(id).get(0);
        assertThat(expired.state()).isEqualTo(DeliveryState.EXPIRED);
        assertThat(expired.at())
                .isEqualTo(stores.reports().message(app, id).orElseThrow().message().expiresAt());
        assertThat(stores.reports().devices(app, id, -1, 9))
                .extracting(DeviceStanding::deviceId, DeviceStanding::state)
                .containsExactly(tuple("a0", DeliveryState.EXPIRED));
    }

    @Test
    void whatIsRecalledIsOpenInNoGroup() {
        shop("a", 2);
        shop("b", 1);
        long id = publish("a", "b");
        ack(0, id);
        assertThat(stores.messages().recall(app, id).join()).isInstanceOf(Recalled.Now.class);
        assertThat(hearing.heard).endsWith("recalled " + id + " for {2}");
        assertThat(ack(2, id)).isEqualTo(AckOutcome.RECALLED);
        assertThat(ack(1, id)).isEqualTo(AckOutcome.ALREADY_SETTLED);
        assertThat(stores.counts(app, id)).isEqualTo(new Counts(2, 0, 1, 0, 0, 1, 0, 0));
    }

    @Test
    void whoLostInOneGroupMayWinInAnotherThatHeJoins() {
        shop("a", 2);
        shop("b", 1);
        long id = publish("a", "b");
        assertThat(ack(0, id)).isEqualTo(AckOutcome.WON);
        assertThat(ack(1, id)).isEqualTo(AckOutcome.ALREADY_SETTLED);
        stores.groups().add(app, "b", "a1");
        assertThat(ack(1, id)).isEqualTo(AckOutcome.WON);
        assertThat(ack(2, id)).isEqualTo(AckOutcome.ALREADY_SETTLED);
    }

    @Test
    void anotherAppsDeviceLearnsNothingFromItsAck() {
        shop("a", 2);
        long id = publish("a");
        long other = stores.newApp();
        stores.register(other, "a0");
        stores.register(other, "a1");
        stores.groups().add(other, "a", "a1");
        assertThat(stores.ack(other, 1, id)).isEqualTo(AckOutcome.UNKNOWN);
        assertThat(ack(0, id)).isEqualTo(AckOutcome.WON);
        assertThat(stores.ack(other, 1, id)).isEqualTo(AckOutcome.UNKNOWN);
    }

    @Test
    void aTillIsAMemberUntilItsTokenEnds() {
        byte[] token = Secrets.hash("token");
        stores.tills().issue(app, "shop", null, token, clock.millis() + 1_000);
        int till = stores.tills().admit(token, "till").orElseThrow().number();
        long id = publish("shop");
        assertThat(pending(till)).containsExactly(id);
        clock.advance(Duration.ofSeconds(1));
        assertThat(pending(till)).isEmpty();
        assertThat(ack(till, id)).isEqualTo(AckOutcome.UNKNOWN);
        assertThat(stores.tills().admit(token, "till")).isEmpty();
        assertThat(stores.tills().admit(token, "new till")).isEmpty();
        assertThat(stores.devices().byDeviceId(app, "new till")).isEmpty();
    }

    @Test
    void aUserBringsHisDevicesAndTakesThemAlong() {
        stores.register(app, "phone", "ann");
        stores.register(app, "tablet", "ann");
        stores.groups().replace(app, "team", List.of(), List.of("ann"));
        long id = publish("team");
        assertThat(pending(1)).containsExactly(id);
        stores.devices().change(app, "tablet", new Change(null, "bob", null, null, null));
        assertThat(hearing.heard).endsWith("recalled " + id + " for {1}");
        assertThat(ack(1, id)).isEqualTo(AckOutcome.UNKNOWN);
        stores.devices().change(app, "tablet", new Change(null, "ann", null, null, null));
        assertThat(hearing.heard).endsWith("joined 1 from " + id);
        assertThat(ack(1, id)).isEqualTo(AckOutcome.WON);
        assertThat(stores.groups().devicesOf(app, Set.of("team")).byUser()).isTrue();
    }

    @Test
    void otherKindsFilterTheGroupsDevices() {
        stores.register(app, "kitchen", null, "kitchen");
        stores.register(app, "bar", null, "bar");
        stores.groups().replace(app, "a", List.of("kitchen", "bar"), List.of());
        long id = publish(KITCHENS, "a");
        long other = publish("a");
        hearing.heard.clear();
        assertThat(pending(0)).containsExactly(id, other);
        assertThat(pending(1)).containsExactly(other);
        assertThat(ack(1, id)).isEqualTo(AckOutcome.UNKNOWN);
        assertThat(ack(0, id)).isEqualTo(AckOutcome.WON);
        assertThat(hearing.heard).isEmpty();
    }

    @Test
    void whoHadItBeforeHimIsShown() {
        shop("a", 4);
        long id = publish("a");
        present(id, 0, 1);
        present(id, 1);
        assertThat(settlements(id).get(0).state()).isEqualTo(DeliveryState.SENT);
        assertThat(stores.reports().devices(app, id, -1, 3))
                .extracting(DeviceStanding::deviceId, DeviceStanding::state)
                .containsExactly(
                        tuple("a0", DeliveryState.SENT),
                        tuple("a1", DeliveryState.SENT),
                        tuple("a2", DeliveryState.QUEUED));
        clock.advance(Duration.ofSeconds(3));
        ack(1, id);
        Settlement settled = settlements(id).get(0);
        assertThat(settled.state()).isEqualTo(DeliveryState.DELIVERED);
        assertThat(settled.winner()).isEqualTo("a1");
        assertThat(settled.presented()).isEqualTo(2);
        assertThat(settled.at()).isBetween(clock.millis() - 3_000, clock.millis());
        assertThat(stores.reports().devices(app, id, -1, 9))
                .extracting(DeviceStanding::deviceId, DeviceStanding::state, DeviceStanding::at)
                .containsExactly(
                        tuple("a0", DeliveryState.SETTLED_ELSEWHERE, settled.at()),
                        tuple("a1", DeliveryState.DELIVERED, settled.at()));
    }

    @Test
    void whatWasSettledWhileADeviceWasAwayItIsToldWhenItComesBack() {
        shop("a", 2);
        Begun first = stores.begin(app, 0);
        long id = publish("a");
        long open = publish("a");
        stores.mailboxes()
                .end(app, 0, first.generation(), new Ended(open, 0, true, "disconnected"))
                .join();
        clock.advance(Duration.ofSeconds(1));
        ack(1, id);
        Begun second = stores.begin(app, 0);
        assertThat(second.settled()).containsExactly(id);
        assertThat(second.drainedTo()).isLessThan(open);
        assertThat(pending(0)).containsExactly(open);
        assertThat(stores.begin(app, 1).settled()).isEmpty();
    }

    @Test
    void whatWasSettledIsToldAgainUntilTheDeviceIsHeard() {
        shop("a", 2);
        Begun first = stores.begin(app, 0);
        long id = publish("a");
        end(first, id, true);
        clock.advance(Duration.ofSeconds(1));
        ack(1, id);
        clock.advance(Duration.ofSeconds(1));
        Begun broken = stores.begin(app, 0);
        assertThat(broken.settled()).containsExactly(id);
        end(broken, id, false);
        clock.advance(Duration.ofSeconds(1));
        Begun again = stores.begin(app, 0);
        assertThat(again.settled()).containsExactly(id);
        end(again, id, true);
        assertThat(stores.begin(app, 0).settled()).isEmpty();
    }

    private void end(Begun session, long position, boolean heard) {
        stores.mailboxes()
                .end(app, 0, session.generation(), new Ended(position, 0, heard, "disconnected"))
                .join();
    }

    @Test
    void whoIsNotMeantIsNotToldThatItIsSettled() {
        stores.register(app, "kitchen", null, "kitchen");
        stores.register(app, "bar", null, "bar");
        stores.groups().replace(app, "a", List.of("kitchen", "bar"), List.of());
        Begun bar = stores.begin(app, 1);
        long id = publish(KITCHENS, "a");
        stores.mailboxes()
                .end(app, 1, bar.generation(), new Ended(id, 0, true, "disconnected"))
                .join();
        ack(0, id);
        assertThat(stores.begin(app, 1).settled()).isEmpty();
    }

    @Test
    void aDeviceThatBecomesMeantSeesItAndOneThatIsNoMoreDoesNot() {
        stores.register(app, "one", null, "bar");
        stores.groups().add(app, "a", "one");
        publish("a");
        long id = publish(KITCHENS, "a");
        hearing.heard.clear();
        change("one", "bar", "kitchen");
        assertThat(hearing.heard).containsExactly("joined 0 from " + id);
        change("one", "kitchen", "stairs");
        assertThat(hearing.heard).hasSize(1);
        change("one", "bar");
        assertThat(hearing.heard).endsWith("recalled " + id + " for {0}").hasSize(2);
    }

    private void change(String deviceId, String... tags) {
        stores.devices()
                .change(
                        app,
                        deviceId,
                        new Change(null, null, new TreeSet<>(List.of(tags)), null, null));
    }

    @Test
    void noCallAboutGroupsMakesATillMoreThanAMemberOfItsTokensShop() {
        byte[] token = Secrets.hash("token");
        stores.tills().issue(app, "shop", null, token, clock.millis() + 60_000);
        Till till = stores.tills().admit(token, "till").orElseThrow();
        stores.register(app, "phone");
        assertThat(stores.groups().add(app, "shop", "till")).isTrue();
        assertThat(stores.groups().add(app, "team", "till")).isFalse();
        assertThat(stores.groups().replace(app, "team", List.of("till"), List.of()))
                .isEqualTo(new Replaced.NoDevice("till"));
        stores.groups().replace(app, "shop", List.of("phone", "till"), List.of());
        assertThat(members("shop").devices()).containsExactly("phone", "till");
        hearing.heard.clear();
        stores.tills().revoke(app, token);
        assertThat(members("shop").devices()).containsExactly("phone");
        assertThat(hearing.heard).contains("revoked " + app + "/" + till.number());
    }

    @Test
    void aTillThatLeavesItsShopIsRefusedThoughItsSessionIsJustBeginning() {
        byte[] token = Secrets.hash("token");
        stores.tills().issue(app, "shop", null, token, clock.millis() + 60_000);
        Till till = stores.tills().admit(token, "till").orElseThrow();
        stores.groups().remove(app, "shop", "till");
        assertThat(hearing.heard).contains("revoked " + app + "/" + till.number());
        assertThat(stores.start(app, till.number(), till.tokenGeneration()))
                .isInstanceOf(NoDevice.class);
        assertThat(stores.tills().admit(token, "till")).isEmpty();
    }

    @Test
    void membersAreReplacedAllOrNot() {
        shop("a", 3);
        assertThat(stores.groups().replace(app, "a", List.of("a0", "gone"), List.of()))
                .isEqualTo(new Replaced.NoDevice("gone"));
        assertThat(members("a").devices()).containsExactly("a0", "a1", "a2");
        long id = publish("a");
        stores.register(app, "new");
        stores.groups().replace(app, "a", List.of("new", "a0"), List.of("ann"));
        assertThat(members("a")).isEqualTo(new Members(List.of("a0", "new"), List.of("ann"), null));
        assertThat(hearing.heard)
                .contains(
                        "recalled " + id + " for {1}",
                        "recalled " + id + " for {2}",
                        "joined 3 from " + id);
        assertThat(stores.groups().members(app, "nowhere", null, 9)).isEmpty();
        assertThat(stores.groups().add(app, "a", "nobody")).isFalse();
    }

    private Members members(String group) {
        return stores.groups().members(app, group, null, 100).orElseThrow();
    }

    @Test
    void membersComeInPages() {
        shop("a", 2);
        stores.groups().replace(app, "a", List.of("a0", "a1"), List.of("ann", "bob"));
        Members first = stores.groups().members(app, "a", null, 2).orElseThrow();
        assertThat(first.devices()).containsExactly("a0", "a1");
        assertThat(first.next()).isEqualTo(new Member(true, ""));
        Members second = stores.groups().members(app, "a", first.next(), 1).orElseThrow();
        assertThat(second.users()).containsExactly("ann");
        Members third = stores.groups().members(app, "a", second.next(), 9).orElseThrow();
        assertThat(third).isEqualTo(new Members(List.of(), List.of("bob"), null));
    }

    @Test
    void aDeletedDeviceIsInNoGroup() {
        shop("a", 2);
        long id = publish("a");
        ack(0, id);
        stores.devices().delete(app, "a0");
        assertThat(members("a").devices()).containsExactly("a1");
        assertThat(settlements(id)).extracting(Settlement::winner).containsExactly("deleted-0");
    }

    @Test
    void theWinnerMayOpenItLater() {
        shop("a", 2);
        long id = publish("a");
        ack(0, id);
        assertThat(stores.ack(app, 0, id, true)).isEqualTo(AckOutcome.WON);
        assertThat(stores.ack(app, 1, id, true)).isEqualTo(AckOutcome.ALREADY_SETTLED);
        assertThat(stores.counts(app, id).opened()).isEqualTo(1);
        long other = publish("a");
        assertThat(stores.ack(app, 1, other, true)).isEqualTo(AckOutcome.WON);
        assertThat(stores.counts(app, other).opened()).isEqualTo(1);
    }

    @Test
    void devicesOfAGroupsUsersAndItsOwnAreItsDevices() {
        shop("a", 1);
        stores.register(app, "phone", "ann");
        stores.groups().replace(app, "b", List.of("a0"), List.of("ann", "nobody"));
        assertThat(stores.groups().devicesOf(app, List.of("a", "b", "nowhere")).numbers())
                .containsExactly(0, 1);
        assertThat(stores.groups().devicesOf(app, List.of("a")).byUser()).isFalse();
        assertThat(stores.devices().byDeviceId(app, "phone").orElseThrow().platform())
                .isEqualTo(Platform.ANDROID);
    }
}
