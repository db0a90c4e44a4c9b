package io.postrider.server.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.server.ManualClock;
import io.postrider.server.delivery.Mailboxes.Begun;
import io.postrider.server.delivery.Mailboxes.Ended;
import io.postrider.server.delivery.Mailboxes.NoDevice;
import io.postrider.server.delivery.Message;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.identity.DeviceStore.Change;
import io.postrider.server.identity.Secrets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Devices that are away for long, or whose app goes or whose first user comes meanwhile. */
abstract class AwayContract {
    /** More than are looked at in one statement. */
    private static final int MANY = 230;

    @TempDir Path folder;

    final ManualClock clock = new ManualClock();
    Stores stores;
    long app;

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

    private long publish(Duration ttl, int... numbers) {
        return stores.accept(
                        Stores.message(
                                app,
                                Recipients.of(numbers),
                                false,
                                null,
                                ttl.toMillis(),
                                Long.MAX_VALUE))
                .id();
    }

    private void end(int number, Begun session, long presentedTo) {
        stores.mailboxes()
                .end(
                        app,
                        number,
                        session.generation(),
                        new Ended(presentedTo, presentedTo - 1, true, "done"))
                .join();
    }

    @Test
    void aRecallIsToldHoweverLongTheDeviceWasAway() {
        int number = stores.register(app, "d").number();
        Begun session = stores.begin(app, number);
        long id = publish(Message.MOST_TTL, number);
        end(number, session, id);
        stores.messages().recall(app, id).join();
        clock.advance(Duration.ofDays(9));
        stores.database().purge().run();
        Begun next = stores.begin(app, number);
        assertThat(next.recalled()).containsExactly(id);
        assertThat(next.generation()).isGreaterThan(session.generation());
    }

    @Test
    void aRecallIsToldThoughASessionBrokeOffBeforeItCouldBe() {
        int number = stores.register(app, "d").number();
        Begun session = stores.begin(app, number);
        long id = publish(Message.MOST_TTL, number);
        end(number, session, id);
        stores.messages().recall(app, id).join();
        Begun broken = stores.begin(app, number);
        stores.mailboxes()
                .end(app, number, broken.generation(), new Ended(id, id, false, "broken"))
                .join();
        clock.advance(Duration.ofDays(9));
        stores.database().purge().run();
        assertThat(stores.begin(app, number).recalled()).containsExactly(id);
    }

    @Test
    void nothingIsKeptOfTheSessionsOfADeletedDevice() {
        int number = stores.register(app, "d").number();
        end(number, stores.begin(app, number), 0);
        stores.devices().delete(app, "d");
        clock.advance(Duration.ofDays(8));
        stores.database().purge().run();
        long left = stores.database().read(sql -> sql.number("SELECT count(*) FROM sessions"));
        assertThat(left).isZero();
    }

    /** Of what the app has recalled of others' it reads nothing, and has nothing. */
    @Test
    void recallsOfOthersAreNotTold() {
        int[] numbers = new int[12];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = stores.register(app, "d" + i).number();
        }
        Begun session = stores.begin(app, numbers[0]);
        List<Long> recalled = new ArrayList<>();
        recalled.add(publish(Duration.ofDays(1), numbers[1]));
        recalled.add(publish(Duration.ofDays(1), numbers[1], numbers[2]));
        recalled.add(publish(Duration.ofDays(1), Arrays.copyOfRange(numbers, 1, 12)));
        end(numbers[0], session, recalled.getLast());
        recalled.forEach(id -> stores.messages().recall(app, id).join());
        assertThat(stores.begin(app, numbers[0]).recalled()).isEmpty();
    }

    @Test
    void allThatIsPendingOfADeletedDeviceFailsHoweverMuchItIs() {
        int number = stores.register(app, "d").number();
        int other = stores.register(app, "other").number();
        publish(Duration.ofMinutes(1), number);
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
            ids.add(i % 2 == 0 ? publish(Duration.ofDays(1), number) : few(number, other));
        }
        clock.advance(Duration.ofMinutes(2));
        stores.devices().delete(app, "d");
        for (long id : ids) {
            assertThat(stores.counts(app, id).failed()).isOne();
        }
        assertThat(stores.pending(app, other)).hasSize(MANY / 2);
    }

    /** As a member of a group that has users, too. */
    @Test
    void whatADeviceWithoutUserHasPendingStaysWhenItsFirstUserComes() {
        int number = stores.register(app, "kiosk").number();
        long id =
                stores.accept(
                                Stores.message(
                                        app,
                                        Recipients.of(number),
                                        true,
                                        null,
                                        60_000,
                                        Long.MAX_VALUE))
                        .id();
        stores.devices().change(app, "kiosk", new Change(null, "bert", null, null, null));
        assertThat(stores.pending(app, number)).containsExactly(id);
        stores.devices().change(app, "kiosk", new Change(null, "carl", null, null, null));
        assertThat(stores.pending(app, number)).isEmpty();
    }

    private long few(int number, int other) {
        return publish(Duration.ofDays(1), number, other);
    }

    /** What an app leaves is deleted after it, which may take long. */
    @Test
    void nobodyConnectsToAnAppThatIsDeleted() {
        int number = stores.register(app, "d").number();
        byte[] token = Secrets.hash("token");
        stores.tills().issue(app, "shop", null, token, clock.millis() + 100_000);
        assertThat(stores.tills().admit(token, "till")).isPresent();
        stores.database().writer().await(tx -> tx.sql.update("DELETE FROM apps WHERE id = ?", app));
        assertThat(stores.start(app, number, 0)).isInstanceOf(NoDevice.class);
        assertThat(stores.tills().admit(token, "till")).isEmpty();
    }
}
