package io.postrider.server.publish;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.server.ManualClock;
import io.postrider.server.identity.AuditLog.Actor;
import io.postrider.server.identity.DeviceFilter;
import io.postrider.server.identity.DeviceStore;
import io.postrider.server.identity.DeviceStore.Change;
import io.postrider.server.identity.DeviceStore.Profile;
import io.postrider.server.identity.GroupStore;
import io.postrider.server.identity.Platform;
import io.postrider.server.metrics.Metrics;
import io.postrider.server.store.Database;
import io.postrider.server.store.SqlApps;
import io.postrider.server.store.SqlAudienceLog;
import io.postrider.server.store.SqlDevices;
import io.postrider.server.store.SqlGroups;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots keep start-up short, and must lose nothing. */
class AudienceIndexTest {
    private static final int MORE_THAN_A_SNAPSHOT = 10_100;

    @TempDir Path folder;

    @Test
    void anIndexFromASnapshotIsTheOneFromAllChanges() {
        ManualClock clock = new ManualClock();
        Metrics metrics = new Metrics();
        try (Database database = Database.open(folder, clock, metrics)) {
            DeviceStore devices = new SqlDevices(database);
            GroupStore groups = new SqlGroups(database, clock);
            SqlAudienceLog log = new SqlAudienceLog(database);
            long app =
                    new SqlApps(database)
                            .add(
                                    new Actor(1, "test", "test"),
                                    "a",
                                    "key",
                                    new byte[32],
                                    new byte[32])
                            .id();
            devices.register(app, "stays", profile("x"));
            devices.register(app, "moves", profile("x"));
            AudienceIndex first = new AudienceIndex(log, devices, groups);
            assertThat(count(first, app, "x")).isEqualTo(2);
            for (int i = 0; i < MORE_THAN_A_SNAPSHOT / 2; i++) {
                retag(devices, app, "y");
                retag(devices, app, "x");
            }
            retag(devices, app, "y");
            assertThat(count(first, app, "x")).isEqualTo(1);
            assertThat(log.snapshot(app)).isPresent();

            retag(devices, app, "z");
            AudienceIndex second = new AudienceIndex(log, devices, groups);
            assertThat(count(second, app, "x")).isEqualTo(1);
            assertThat(count(second, app, "y")).isZero();
            assertThat(count(second, app, "z")).isEqualTo(1);
        }
    }

    private static Profile profile(String tag) {
        return new Profile(Platform.WEB, null, new TreeSet<>(List.of(tag)), null, null);
    }

    private static void retag(DeviceStore devices, long app, String tag) {
        devices.change(
                app, "moves", new Change(null, null, new TreeSet<>(List.of(tag)), null, null));
    }

    private static int count(AudienceIndex index, long app, String tag) {
        Audience audience =
                new Audience(null, new DeviceFilter(null, null, List.of(tag), null, null, null));
        return index.resolve(app, audience).recipients().count();
    }
}
