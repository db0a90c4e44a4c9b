package io.postrider.server.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.server.ManualClock;
import io.postrider.server.identity.AuditLog.Actor;
import io.postrider.server.identity.DeviceFilter;
import io.postrider.server.identity.DeviceStore;
import io.postrider.server.identity.DeviceStore.Profile;
import io.postrider.server.identity.GroupStore;
import io.postrider.server.identity.Platform;
import io.postrider.server.metrics.Metrics;
import io.postrider.server.publish.AudienceLog.Snapshot;
import io.postrider.server.store.Chores;
import io.postrider.server.store.Database;
import io.postrider.server.store.SqlApps;
import io.postrider.server.store.SqlAudienceLog;
import io.postrider.server.store.SqlDevices;
import io.postrider.server.store.SqlGroups;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots keep start-up short, and must lose nothing. */
class AudienceIndexTest {
    private static final int MORE_THAN_A_SNAPSHOT = 10_100;

    @TempDir Path folder;

    private Database database;
    private DeviceStore devices;
    private GroupStore groups;
    private SqlAudienceLog log;
    private long app;

    @BeforeEach
    void open() {
        ManualClock clock = new ManualClock();
        database = Database.open(folder, clock, new Metrics());
        devices = new SqlDevices(database);
        groups = new SqlGroups(database, clock);
        log = new SqlAudienceLog(database);
        Actor actor = new Actor(1, "test", "test");
        app = new SqlApps(database).add(actor, "a", "key", new byte[32], new byte[32]).id();
        devices.register(app, "stays", profile("x"));
        devices.register(app, "moves", profile("x"));
    }

    @AfterEach
    void close() {
        database.close();
    }

    private AudienceIndex index() {
        return new AudienceIndex(log, devices, groups);
    }

    private void retagUntilASnapshotIsDue() {
        for (int i = 0; i < MORE_THAN_A_SNAPSHOT / 2; i++) {
            retag(devices, app, "y");
            retag(devices, app, "x");
        }
    }

    private long kept() {
        return log.snapshot(app).map(Snapshot::seq).orElse(0L);
    }

    @Test
    void anIndexFromASnapshotIsTheOneFromAllChanges() {
        AudienceIndex first = index();
        assertThat(count(first, app, "x")).isEqualTo(2);
        retagUntilASnapshotIsDue();
        retag(devices, app, "y");
        assertThat(count(first, app, "x")).isEqualTo(1);
        await().until(() -> kept() > 0);

        retag(devices, app, "z");
        AudienceIndex second = index();
        assertThat(count(second, app, "x")).isEqualTo(1);
        assertThat(count(second, app, "y")).isZero();
        assertThat(count(second, app, "z")).isEqualTo(1);
    }

    /** As of three nodes: two that publishes come to, and one that has slept. */
    @Test
    void whatOthersHaveCutOffTheLogIsFoundInTheirSnapshot() {
        AudienceIndex asleep = index();
        assertThat(count(asleep, app, "x")).isEqualTo(2);
        devices.register(app, "new", profile("x"));
        AudienceIndex first = index();
        AudienceIndex second = index();
        assertThat(count(first, app, "x") + count(second, app, "x")).isEqualTo(6);
        retagUntilASnapshotIsDue();

        assertThat(count(first, app, "x")).isEqualTo(3);
        await().until(() -> kept() > 0);
        long before = kept();
        retag(devices, app, "y");
        assertThat(count(second, app, "x")).isEqualTo(2);
        await().until(() -> kept() > before);
        Chores.purge(database);
        assertThat(log.changesAfter(app, 0).getFirst().seq()).isGreaterThan(3);

        assertThat(count(asleep, app, "x")).isEqualTo(2);
        devices.register(app, "newer", profile("x"));
        assertThat(count(asleep, app, "x")).isEqualTo(3);
    }

    /** Each entry of the log adds one device; counts how often it is read. */
    private static final class CountingLog implements AudienceLog {
        int end;
        int knownEnd;
        int reads;

        @Override
        public boolean mayGoOnAfter(long appId, long seq) {
            return seq != knownEnd;
        }

        @Override
        public List<AudienceLog.Change> changesAfter(long appId, long seq) {
            reads++;
            return IntStream.rangeClosed((int) seq + 1, end)
                    .mapToObj(number ->
                            new AudienceLog.Change(
                                    number, number, null, Platform.WEB, List.of(), List.of("x")))
                    .toList();
        }

        @Override
        public Optional<Snapshot> snapshot(long appId) {
            return Optional.empty();
        }

        @Override
        public CompletableFuture<Void> keepSnapshot(long appId, Snapshot snapshot) {
            throw new AssertionError("too early");
        }
    }

    @Test
    void theLogIsReadWhenItIsKnownToHaveGoneOnAndOnceForAll() {
        CountingLog log = new CountingLog();
        // Neither is asked for tags.
        AudienceIndex index =
                new AudienceIndex(log, unused(DeviceStore.class), unused(GroupStore.class));
        log.end = 1;
        log.knownEnd = 1;
        assertThat(count(index, 1, "x")).isEqualTo(1);
        assertThat(count(index, 1, "x")).isEqualTo(1);
        assertThat(log.reads).isEqualTo(1);

        // Others have added one, of which the store tells when it accepts.
        log.end = 2;
        assertThat(count(index, 1, "x")).isEqualTo(1);
        for (int i = 0; i < 3; i++) {
            assertThat(index.resolveAsOf(1, tagged("x"), 2).recipients().count()).isEqualTo(2);
        }
        assertThat(log.reads).isEqualTo(2);

        log.end = 3;
        assertThat(index.resolveAnew(1, tagged("x")).recipients().count()).isEqualTo(3);
    }

    private static <T> T unused(Class<T> type) {
        return type.cast(
                Proxy.newProxyInstance(
                        type.getClassLoader(),
                        new Class<?>[] {type},
                        (proxy, method, args) -> {
                            throw new AssertionError(method);
                        }));
    }

    private static Profile profile(String tag) {
        return new Profile(Platform.WEB, null, new TreeSet<>(List.of(tag)), null, null);
    }

    private static void retag(DeviceStore devices, long app, String tag) {
        devices.change(
                app,
                "moves",
                new DeviceStore.Change(null, null, new TreeSet<>(List.of(tag)), null, null));
    }

    private static int count(AudienceIndex index, long app, String tag) {
        return index.resolve(app, tagged(tag)).recipients().count();
    }

    private static Audience tagged(String tag) {
        return new Audience(null, new DeviceFilter(null, null, List.of(tag), null, null, null));
    }
}
