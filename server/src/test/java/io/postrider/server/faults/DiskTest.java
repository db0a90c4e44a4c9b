package io.postrider.server.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.protocol.v1.ServerFrame.FrameCase;
import io.postrider.server.CrashingNode;
import io.postrider.server.TestApi;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.TestApi.Reply;
import io.postrider.server.WireDevice;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A disk that is full, or that cannot flush (G1, G12). */
class DiskTest {
    @TempDir Path folder;

    enum Fault {
        FULL,
        CANNOT_FLUSH;

        void set(FaultyDisk disk, boolean on) throws IOException {
            switch (this) {
                case FULL -> disk.fill(on);
                case CANNOT_FLUSH -> disk.failFlushes(on);
            }
        }
    }

    private static Reply publish(AppHandle app) {
        return app.call(
                "POST",
                "/v1/messages",
                "{\"audience\":{\"devices\":[\"d\"]},\"data\":\"" + "x".repeat(2_000) + "\"}");
    }

    private static int readiness(AppHandle app) {
        return app.api().call("GET", "/readyz", null, null).status();
    }

    @ParameterizedTest
    @EnumSource(Fault.class)
    void g1g12NothingIsAcceptedUntilItWorksAndNothingAcceptedIsLost(Fault fault) throws Exception {
        FaultyDisk disk = new FaultyDisk(folder);
        Path data = folder.resolve("data");
        try (CrashingNode node = new CrashingNode(data, disk.environment(), List.of())) {
            node.start("never", 1);
            AppHandle app = new TestApi(node.http()).newApp();
            String token = app.register("d");
            List<Long> accepted = new ArrayList<>();
            try (WireDevice device = WireDevice.connected(node.tcp(), token)) {
                accepted.add(Long.parseLong(publish(app).expect(202).text("id")));
                device.readPush();

                fault.set(disk, true);
                Reply refused = publish(app);
                while (refused.status() == 202) {
                    // A full disk still has what the files were grown by before.
                    accepted.add(Long.parseLong(refused.text("id")));
                    refused = publish(app);
                }
                assertThat(refused.expect(503).code()).isEqualTo("unavailable");
                assertThat(refused.response().headers().firstValue("Retry-After")).isPresent();
                for (int i = 0; i < 20; i++) {
                    assertThat(publish(app).status()).isEqualTo(503);
                }
                Reply unready = app.api().call("GET", "/readyz", null, null).expect(503);
                assertThat(unready.text("status")).isEqualTo("disk_failing");
                app.api().call("GET", "/healthz", null, null).expect(200);
                app.call("GET", "/v1/messages/" + accepted.get(0), null).expect(200);
                device.readAllNow();
                try (WireDevice again = WireDevice.connected(node.tcp(), token)) {
                    again.readAllNow();
                    fault.set(disk, false);
                    await().atMost(Duration.ofSeconds(20)).until(() -> readiness(app) == 200);
                    accepted.add(Long.parseLong(publish(app).expect(202).text("id")));
                    again.readUntil(FrameCase.PUSH);
                    again.ack(accepted.get(0));
                    again.readUntil(FrameCase.ACKED);
                }
            }
            assertAllThere(app, accepted);
            node.kill();
            // Only what was flushed counts: the faults must not have left a gap in that.
            try (CrashingNode restarted = new CrashingNode(disk.mirror())) {
                restarted.start("never", 1);
                assertAllThere(
                        new AppHandle(
                                new TestApi(restarted.http()),
                                app.developer(),
                                app.id(),
                                app.appKey(),
                                app.masterSecret()),
                        accepted);
            }
        }
    }

    private static void assertAllThere(AppHandle app, List<Long> accepted) {
        for (long id : accepted) {
            app.call("GET", "/v1/messages/" + id, null).expect(200);
        }
    }

    @Test
    void aNodeThatCannotWriteStopsAndStartsAgain() throws Exception {
        FaultyDisk disk = new FaultyDisk(folder);
        Path data = folder.resolve("data");
        try (CrashingNode node = new CrashingNode(data, disk.environment(), List.of())) {
            node.start("never", 1);
            AppHandle app = new TestApi(node.http()).newApp();
            app.register("d");
            String id = publish(app).expect(202).text("id");
            disk.failFlushes(true);
            publish(app).expect(503);
            node.kill();
            disk.failFlushes(false);
            node.start("never", 1);
            app.call("GET", "/v1/messages/" + id, null).expect(200);
            publish(app).expect(202);
        }
    }
}
