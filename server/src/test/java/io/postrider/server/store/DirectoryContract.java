package io.postrider.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.postrider.server.ManualClock;
import io.postrider.server.delivery.Mailboxes.Begun;
import io.postrider.server.delivery.Mailboxes.NoDevice;
import io.postrider.server.identity.App;
import io.postrider.server.identity.AppSettings;
import io.postrider.server.identity.AuditLog.Action;
import io.postrider.server.identity.AuditLog.Actor;
import io.postrider.server.identity.AuditLog.Deed;
import io.postrider.server.identity.AuditLog.Entry;
import io.postrider.server.identity.Developer;
import io.postrider.server.identity.Device;
import io.postrider.server.identity.DeviceStore.Change;
import io.postrider.server.identity.DeviceStore.Profile;
import io.postrider.server.identity.DeviceStore.Registered;
import io.postrider.server.identity.DeviceStore.Revocation;
import io.postrider.server.identity.Platform;
import io.postrider.server.publish.AudienceLog;
import io.postrider.server.publish.AudienceLog.Snapshot;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What every engine keeps of developers, apps and devices, and what it tells audiences of them. */
abstract class DirectoryContract {
    private static final Actor FROM = new Actor(0, "192.0.2.1", "r-1");
    private static final byte[] SECRET = {1, 2, 3};
    private static final byte[] KEY = {4, 5, 6};

    @TempDir private Path folder;
    private final ManualClock clock = new ManualClock();
    private Stores stores;

    /** Opens the engine's stores; called again, it finds what was there before. */
    abstract Stores open(Path folder, ManualClock clock);

    @BeforeEach
    void openStores() {
        stores = open(folder, clock);
    }

    @AfterEach
    void closeStores() {
        stores.close();
    }

    private static SortedSet<String> tags(String... tags) {
        return new TreeSet<>(List.of(tags));
    }

    private Developer developer(String name) {
        return stores.developers().add(name, "hash of " + name, false, FROM).orElseThrow();
    }

    private List<Action> audited(long developer) {
        return stores.audit().ofDeveloper(developer, Long.MAX_VALUE, 100).stream()
                .map(Entry::action)
                .toList();
    }

    @Test
    void aDevelopersNameIsTakenOnce() {
        assertThat(stores.developers().isEmpty()).isTrue();
        Developer anna = developer("anna");
        assertThat(stores.developers().isEmpty()).isFalse();
        assertThat(stores.developers().add("anna", "other", false, FROM)).isEmpty();
        assertThat(stores.developers().byName("anna")).contains(anna);
        assertThat(stores.developers().byName("Anna")).isEmpty();
        assertThat(anna.passwordHash()).isEqualTo("hash of anna");
        assertThat(developer("ben").id()).isNotEqualTo(anna.id());
        assertThat(stores.audit().ofDeveloper(anna.id(), Long.MAX_VALUE, 9))
                .singleElement()
                .satisfies(entry -> {
                    assertThat(entry.action()).isEqualTo(Action.SIGNED_UP);
                    assertThat(entry.address()).isEqualTo("192.0.2.1");
                    assertThat(entry.requestId()).isEqualTo("r-1");
                    assertThat(entry.appId()).isNull();
                    assertThat(entry.at()).isEqualTo(anna.createdAt());
                });
    }

    @Test
    void onlyOneCanBeTheFirst() {
        assertThat(stores.developers().add("anna", "h", true, FROM)).isPresent();
        assertThat(stores.developers().add("ben", "h", true, FROM)).isEmpty();
        assertThat(stores.developers().byName("ben")).isEmpty();
    }

    @Test
    void aLoginHoldsUntilItExpires() {
        Developer anna = developer("anna");
        Actor actor = new Actor(anna.id(), "::1", "r-2");
        long expiresAt = clock.millis() + 1_000_000;
        stores.developers().addLogin(SECRET, actor, expiresAt, null);
        assertThat(stores.developers().byLogin(SECRET)).contains(anna);
        assertThat(stores.developers().byLogin(KEY)).isEmpty();
        clock.advance(Duration.ofSeconds(1_001));
        assertThat(stores.developers().byLogin(SECRET)).isEmpty();
        // Those that expired leave with the next login, so that their tokens may come again.
        stores.developers().addLogin(KEY, actor, clock.millis() + 1_000, null);
        stores.developers().addLogin(SECRET, actor, clock.millis() + 1_000, null);
        assertThat(audited(anna.id()))
                .containsExactly(
                        Action.LOGGED_IN, Action.LOGGED_IN, Action.LOGGED_IN, Action.SIGNED_UP);
    }

    @Test
    void aLoginMayBringABetterHash() {
        Developer anna = developer("anna");
        Developer ben = developer("ben");
        Actor actor = new Actor(anna.id(), "::1", "r-2");
        stores.developers().addLogin(SECRET, actor, clock.millis() + 1_000, "better");
        assertThat(stores.developers().byName("anna").orElseThrow().passwordHash())
                .isEqualTo("better");
        assertThat(stores.developers().byName("ben")).contains(ben);
    }

    @Test
    void theAuditLogIsReadByPagesNewestFirst() {
        Actor one = new Actor(1, "::1", "r");
        for (int i = 1; i <= 5; i++) {
            stores.audit().write(new Deed(one, Action.LOGIN_FAILED, (long) i, "try " + i));
        }
        stores.audit().write(new Deed(new Actor(2, "::1", "r"), Action.LOGIN_FAILED));
        List<Entry> page = stores.audit().ofDeveloper(1, Long.MAX_VALUE, 2);
        assertThat(page).extracting(Entry::detail).containsExactly("try 5", "try 4");
        assertThat(page).extracting(Entry::appId).containsExactly(5L, 4L);
        assertThat(stores.audit().ofDeveloper(1, page.get(1).id(), 9))
                .extracting(Entry::detail)
                .containsExactly("try 3", "try 2", "try 1");
    }

    @Test
    void anEntryThatNobodyWaitsForIsWrittenToo() {
        stores.audit().writeSoon(new Deed(new Actor(1, "::1", "r"), Action.LOGIN_FAILED));
        closeStores();
        openStores();
        assertThat(audited(1)).containsExactly(Action.LOGIN_FAILED);
    }

    @Test
    void anAppIsKeptAsItWasMadeAndChanged() {
        Actor owner = new Actor(7, "::1", "r");
        App made = stores.apps().add(owner, "shop", "key", SECRET, KEY);
        App other = stores.apps().add(owner, "other", "key2", SECRET, KEY);
        assertThat(made.settings()).isEqualTo(AppSettings.DEFAULT);
        assertThat(stores.apps().all()).containsExactly(made, other);
        App changed =
                made.withName("till")
                        .withSecretHash(KEY)
                        .withTokenKey(2, SECRET)
                        .withSettings(
                                new AppSettings(
                                        true,
                                        false,
                                        List.of("https://a.example", "https://b.example"),
                                        3,
                                        "Asia/Shanghai"));
        Deed deed = new Deed(owner, Action.APP_CHANGED, made.id(), "name");
        assertThat(stores.apps().update(made.id(), deed, app -> changed)).contains(changed);
        assertThat(stores.apps().byId(made.id())).contains(changed);
        assertThat(stores.apps().update(999, deed, app -> changed)).isEmpty();
        closeStores();
        openStores();
        App read = stores.apps().all().get(0);
        assertThat(read).isEqualTo(changed);
        assertThat(read.tokenKey()).isEqualTo(SECRET);
        assertThat(read.appKey()).isEqualTo("key");
        assertThat(read.developerId()).isEqualTo(7);
        assertThat(read.createdAt()).isEqualTo(made.createdAt());
        assertThat(stores.apps().all().get(1)).isEqualTo(other);
        assertThat(audited(7))
                .containsExactly(Action.APP_CHANGED, Action.APP_CREATED, Action.APP_CREATED);
    }

    @Test
    void anAppIsDeletedWithItsDevicesAndNoOther() {
        long app = stores.newApp();
        long other = stores.newApp();
        stores.register(app, "d");
        stores.register(other, "d");
        stores.apps().delete(app, Stores.DEED.of(app));
        assertThat(stores.apps().all()).extracting(App::id).containsExactly(other);
        await().until(() -> stores.devices().byDeviceId(app, "d").isEmpty());
        assertThat(stores.devices().byDeviceId(other, "d")).isPresent();
        assertThatThrownBy(() -> stores.register(app, "e")).isInstanceOf(StoreException.class);
        assertThat(audited(Stores.ACTOR.developerId())).startsWith(Action.APP_DELETED);
    }

    @Test
    void aDeviceIsKeptAsItRegistered() {
        long app = stores.newApp();
        Profile profile =
                new Profile(Platform.IOS, "ulla", tags("a", "b"), "de-CH", "Europe/Zurich");
        Registered made = stores.devices().register(app, "d", profile);
        assertThat(made).isInstanceOf(Registered.New.class);
        Device device = made.device();
        assertThat(device.number()).isZero();
        assertThat(device.tags()).containsExactly("a", "b");
        assertThat(device.tokenGeneration()).isZero();
        assertThat(device.lastSeenAt()).isNull();
        assertThat(stores.devices().byDeviceId(app, "d")).contains(device);
        assertThat(stores.devices().byNumber(app, 0)).contains(device);
        assertThat(stores.devices().byNumber(app, 1)).isEmpty();
        Registered again =
                stores.devices()
                        .register(app, "d", new Profile(Platform.WEB, null, null, null, null));
        assertThat(again).isEqualTo(new Registered.Known(device));
        assertThat(stores.register(app, "e").tags()).isEmpty();
    }

    @Test
    void devicesAreFoundByTheirNamesAndUsersAndInPages() {
        long app = stores.newApp();
        long other = stores.newApp();
        for (String name : List.of("a", "b", "c", "d")) {
            stores.register(app, name, name.equals("d") ? null : "ulla");
        }
        stores.register(other, "a", "ulla");
        assertThat(stores.devices().numbers(app, List.of("c", "a", "x")))
                .isEqualTo(Map.of("c", 2, "a", 0));
        assertThat(stores.devices().numbersOfUsers(app, List.of("ulla", "x")))
                .containsExactlyInAnyOrder(0, 1, 2);
        assertThat(stores.devices().ofApp(app, 0, 2))
                .extracting(Device::deviceId)
                .containsExactly("b", "c");
        assertThat(stores.devices().ofApp(app, 3, 2)).isEmpty();
    }

    @Test
    void aChangeLeavesWhatItDoesNotName() {
        long app = stores.newApp();
        stores.devices()
                .register(
                        app,
                        "d",
                        new Profile(Platform.IOS, "ulla", tags("a"), "de-CH", "Europe/Zurich"));
        Device changed = change(app, new Change(null, null, tags("b"), null, null));
        assertThat(changed.platform()).isEqualTo(Platform.IOS);
        assertThat(changed.user()).isEqualTo("ulla");
        assertThat(changed.tags()).containsExactly("b");
        assertThat(changed.locale()).isEqualTo("de-CH");
        changed = change(app, new Change(Platform.WEB, "", null, "fr", "Europe/Paris"));
        assertThat(changed.user()).isNull();
        assertThat(changed.tags()).containsExactly("b");
        assertThat(changed.timezone()).isEqualTo("Europe/Paris");
        assertThat(stores.devices().byDeviceId(app, "d")).contains(changed);
        assertThat(stores.devices().change(app, "x", new Change(null, "u", null, null, null)))
                .isEmpty();
        assertThat(stores.devices().delete(app, "d")).contains(changed);
        assertThat(stores.devices().delete(app, "d")).isEmpty();
        assertThat(stores.devices().byDeviceId(app, "d")).isEmpty();
    }

    private Device change(long app, Change change) {
        return stores.devices().change(app, "d", change).orElseThrow();
    }

    @Test
    void aRevocationRaisesTheGenerationAndIsRemembered() {
        long app = stores.newApp();
        stores.register(app, "c");
        int number = stores.register(app, "d").number();
        clock.advance(Duration.ofMinutes(1));
        long before = clock.millis();
        assertThat(stores.devices().revocationsSince(0)).isEmpty();
        assertThat(stores.devices().revokeTokens(app, "d").orElseThrow().tokenGeneration())
                .isEqualTo(1);
        assertThat(stores.devices().revokeTokens(app, "x")).isEmpty();
        assertThat(stores.devices().revocationsSince(before))
                .containsExactly(new Revocation(app, number, 1));
        clock.advance(Duration.ofMinutes(1));
        assertThat(stores.devices().revocationsSince(clock.millis())).isEmpty();
        assertThat(stores.start(app, number, 0)).isInstanceOf(NoDevice.class);
        assertThat(stores.start(app, number, 1)).isInstanceOf(Begun.class);
    }

    private List<AudienceLog.Change> changes(long app, long after) {
        return stores.audience().changesAfter(app, after);
    }

    private static AudienceLog.Change seen(
            long seq,
            @Nullable Platform old,
            @Nullable Platform now,
            String removed,
            String added) {
        return new AudienceLog.Change(seq, 0, old, now, words(removed), words(added));
    }

    private static List<String> words(String joined) {
        return joined.isEmpty() ? List.of() : List.of(joined.split(" "));
    }

    @Test
    void audiencesSeeEachChangeOfADevice() {
        long app = stores.newApp();
        long other = stores.newApp();
        stores.register(app, "d", null, "a", "b");
        stores.register(other, "d", null, "z");
        change(app, new Change(Platform.WEB, null, tags("b", "c"), null, null));
        change(app, new Change(Platform.WEB, null, tags("b", "c"), null, null));
        change(app, new Change(null, "ulla", null, null, null));
        stores.devices().delete(app, "d");
        assertThat(changes(app, 0))
                .containsExactly(
                        seen(1, null, Platform.ANDROID, "", "a b"),
                        seen(2, Platform.ANDROID, Platform.WEB, "a", "c"),
                        seen(3, Platform.WEB, Platform.WEB, "", ""),
                        seen(4, Platform.WEB, null, "b c", ""));
        assertThat(changes(app, 3)).hasSize(1);
        assertThat(changes(other, 0)).hasSize(1);
    }

    @Test
    void aSnapshotStandsForTheChangesUpToTheOneBeforeIt() {
        long app = stores.newApp();
        for (int i = 0; i < 6; i++) {
            stores.register(app, "d" + i);
        }
        assertThat(stores.audience().snapshot(app)).isEmpty();
        stores.audience().keepSnapshot(app, new Snapshot(2, SECRET)).join();
        stores.database().purge().run();
        assertThat(changes(app, 0)).hasSize(6);
        stores.audience().keepSnapshot(app, new Snapshot(5, KEY)).join();
        assertThat(changes(app, 0)).hasSize(6);
        stores.database().purge().run();
        assertThat(changes(app, 0)).hasSize(4);
        // Of a node that was slower.
        stores.audience().keepSnapshot(app, new Snapshot(3, SECRET)).join();
        stores.database().purge().run();
        assertThat(changes(app, 0)).hasSize(4);
        Snapshot kept = stores.audience().snapshot(app).orElseThrow();
        assertThat(kept.seq()).isEqualTo(5);
        assertThat(kept.bits()).isEqualTo(KEY);
        assertThat(stores.audience().snapshot(app + 1)).isEmpty();
    }
}
