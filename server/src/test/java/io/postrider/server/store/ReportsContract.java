package io.postrider.server.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.server.ManualClock;
import io.postrider.server.delivery.DeliveryState;
import io.postrider.server.delivery.Mailboxes.Ended;
import io.postrider.server.delivery.Message;
import io.postrider.server.delivery.MessageStore.Recalled;
import io.postrider.server.delivery.NewMessage;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.delivery.WakeUps;
import io.postrider.server.publish.Reports.DeviceStanding;
import io.postrider.server.publish.Reports.SessionEntry;
import io.postrider.server.publish.Reports.Standing;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every engine tells of messages: to who asks, and to the sessions after each commit. */
abstract class ReportsContract {
    private static final long NONE = Long.MAX_VALUE;

    @TempDir private Path folder;
    private final ManualClock clock = new ManualClock();
    private final Hearing hearing = new Hearing();
    private final List<String> heard = hearing.heard;
    private Stores stores;
    private long app;

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

    private int[] registerMany(int count) {
        return IntStream.range(0, count).map(i -> stores.register(app, "d" + i).number()).toArray();
    }

    @Test
    void sessionsAreToldOfEachMessageWithTheOneBeforeIt() {
        registerMany(2);
        long start = stores.messages().lastId();
        long first = stores.publish(app, 0);
        long second = stores.publish(app, 0, 1);
        assertThat(heard)
                .endsWith(
                        start + " before " + first + " for {0}",
                        first + " before " + second + " for {0,1}");
        assertThat(stores.messages().lastId()).isEqualTo(second);
    }

    @Test
    void sessionsAreToldOfRecallsAndRevocations() {
        registerMany(2);
        long id = stores.publish(app, 0, 1);
        heard.clear();
        stores.messages().recall(app, id).join();
        assertThat(stores.messages().recall(app, id).join()).isInstanceOf(Recalled.Before.class);
        stores.devices().revokeTokens(app, "d0");
        stores.devices().delete(app, "d1");
        assertThat(heard)
                .containsExactly(
                        "recalled " + id + " for {0,1}",
                        "revoked " + app + "/0",
                        "revoked " + app + "/1");
    }

    @Test
    void aMessageIsRecalledUpToTheMillisecondOfItsExpiry() {
        registerMany(1);
        long id =
                stores.accept(Stores.message(app, Recipients.of(0), false, null, 1_000, NONE)).id();
        clock.advance(Duration.ofSeconds(2));
        assertThat(stores.messages().recall(app, id).join()).isInstanceOf(Recalled.Before.class);
    }

    @Test
    void whatWasWrittenIsAddedUp() {
        registerMany(2);
        long id = stores.publish(app, 0, 1);
        stores.messages().addWritten(id, 2).join();
        stores.messages().addWritten(id, 3).join();
        assertThat(stores.counts(app, id).written()).isEqualTo(5);
    }

    @Test
    void anAppsMessagesAreReadByPagesNewestFirst() {
        registerMany(1);
        long other = stores.newApp();
        stores.register(other, "d");
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            ids.add(0, stores.publish(app, 0));
            stores.publish(other, 0);
        }
        List<Standing> page = stores.reports().newest(app, NONE, 2);
        assertThat(page).extracting(each -> each.message().id()).isEqualTo(ids.subList(0, 2));
        assertThat(page.get(0).audience()).isEqualTo("\"all\"");
        assertThat(page.get(0).options()).isEqualTo("{}");
        assertThat(page.get(0).requestId()).isEqualTo("test");
        assertThat(page.get(0).recalledAt()).isNull();
        assertThat(stores.reports().newest(app, ids.get(1), 9))
                .extracting(each -> each.message().id())
                .isEqualTo(ids.subList(2, 5));
        assertThat(stores.reports().appOf(ids.get(0))).contains(app);
        assertThat(stores.reports().appOf(1)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 40})
    void aMessagesDevicesAreReadByPagesInTheOrderOfNumbers(int recipients) {
        int[] numbers = registerMany(recipients);
        stores.register(app, "last");
        long id = stores.publish(app, numbers);
        long acked = clock.millis();
        stores.ack(app, numbers[recipients - 1], id);
        List<DeviceStanding> all = new ArrayList<>();
        int after = -1;
        List<DeviceStanding> page = stores.reports().devices(app, id, after, 7);
        while (!page.isEmpty()) {
            assertThat(page).hasSizeLessThanOrEqualTo(7);
            all.addAll(page);
            after = page.get(page.size() - 1).number();
            page = stores.reports().devices(app, id, after, 7);
        }
        assertThat(all).extracting(DeviceStanding::number).containsExactly(box(numbers));
        assertThat(all.get(0).deviceId()).isEqualTo("d0");
        DeviceStanding last = all.get(recipients - 1);
        assertThat(last.state()).isEqualTo(DeliveryState.DELIVERED);
        assertThat(last.at()).isGreaterThanOrEqualTo(acked);
        assertThat(stores.reports().device(app, id, last.number())).contains(last);
        assertThat(stores.reports().device(app, id, recipients)).isEmpty();
        if (recipients > 1) {
            Message message = stores.reports().message(app, id).orElseThrow().message();
            assertThat(all.get(0).state()).isEqualTo(DeliveryState.QUEUED);
            assertThat(all.get(0).at()).isEqualTo(message.createdAt());
            assertThat(stores.reports().device(app, id, 0)).contains(all.get(0));
        }
    }

    private static Integer[] box(int[] numbers) {
        return IntStream.of(numbers).boxed().toArray(Integer[]::new);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 40})
    void eachDeviceSaysHowAndWhenItsMessageEnded(int recipients) {
        int[] numbers = registerMany(recipients);
        long recalled = stores.publish(app, numbers);
        long expired = stores.publish(app, numbers);
        long failed = stores.publish(app, numbers);
        stores.messages().recall(app, recalled).join();
        Long recalledAt = stores.reports().message(app, recalled).orElseThrow().recalledAt();
        stores.devices().delete(app, "d0");
        DeviceStanding gone = stores.reports().device(app, failed, 0).orElseThrow();
        assertThat(gone.state()).isEqualTo(DeliveryState.FAILED);
        assertThat(gone.reason()).isEqualTo("device_deleted");
        assertThat(gone.deviceId()).isNull();
        DeviceStanding taken = stores.reports().device(app, recalled, 0).orElseThrow();
        assertThat(taken.state()).isEqualTo(DeliveryState.RECALLED);
        assertThat(taken.at()).isEqualTo(recalledAt);
        clock.advance(Duration.ofHours(1));
        Message message = stores.reports().message(app, expired).orElseThrow().message();
        if (recipients > 1) {
            DeviceStanding late = stores.reports().device(app, expired, 1).orElseThrow();
            assertThat(late.state()).isEqualTo(DeliveryState.EXPIRED);
            assertThat(late.at()).isEqualTo(message.expiresAt());
            assertThat(late.reason()).isNull();
        }
    }

    @Test
    void aMessageForThoseOnlineSaysWhyItExpired() {
        registerMany(2);
        int generation = stores.begin(app, 0).generation();
        NewMessage all = Stores.message(app, 0, 1);
        NewMessage online =
                new NewMessage(
                        app,
                        all.target(),
                        all.audience(),
                        all.options(),
                        1_000,
                        true,
                        true,
                        all.content(),
                        null,
                        "test");
        long id = stores.accept(online).id();
        clock.advance(Duration.ofSeconds(2));
        stores.mailboxes().end(app, 0, generation, new Ended(id, id, true, "disconnected")).join();
        List<DeviceStanding> both = stores.reports().devices(app, id, -1, 9);
        assertThat(both).extracting(DeviceStanding::reason).containsExactly("no_ack", "offline");
        assertThat(both).extracting(DeviceStanding::presentedTo).containsExactly(id, 0L);
    }

    @Test
    void theSessionsOfADeviceAreThoseThatOverlapTheTime() {
        registerMany(1);
        int first = stores.begin(app, 0).generation();
        clock.advance(Duration.ofSeconds(10));
        stores.mailboxes().end(app, 0, first, new Ended(0, 0, true, "disconnected")).join();
        clock.advance(Duration.ofSeconds(10));
        long between = clock.millis();
        clock.advance(Duration.ofSeconds(10));
        int second = stores.begin(app, 0).generation();
        List<SessionEntry> all = stores.reports().sessions(app, 0, 0, NONE);
        assertThat(all).extracting(SessionEntry::generation).containsExactly(first, second);
        assertThat(all).extracting(SessionEntry::node).containsOnly("local");
        assertThat(all.get(0).endReason()).isEqualTo("disconnected");
        assertThat(all.get(0).endedAt()).isBetween(all.get(0).startedAt() + 10_000, between);
        assertThat(all.get(1).endedAt()).isNull();
        assertThat(stores.reports().sessions(app, 0, between, NONE))
                .extracting(SessionEntry::generation)
                .containsExactly(second);
        assertThat(stores.reports().sessions(app, 0, 0, between))
                .extracting(SessionEntry::generation)
                .containsExactly(first);
        assertThat(stores.reports().sessions(app, 0, between, between)).isEmpty();
        assertThat(stores.reports().sessions(app, 1, 0, NONE)).isEmpty();
    }
}
