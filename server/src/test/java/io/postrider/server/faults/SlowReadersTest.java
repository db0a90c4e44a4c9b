package io.postrider.server.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.TestServer;
import io.postrider.server.WireDevice;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Readers that have stopped do not slow those that read (G9, G13). */
@Tag("long")
class SlowReadersTest {
    private static final int READERS = 20;
    private static final int STOPPED = 50;
    private static final int MESSAGES = 150;
    private static final int ROUNDS = 7;

    @TempDir Path data;

    @Test
    void g9StoppedReadersCostOthersLessThanAFifth() {
        try (TestServer server = TestServer.start(data)) {
            AppHandle app = server.app();
            String tcp = app.gateway("tcp");
            List<WireDevice> readers = new ArrayList<>();
            for (int i = 0; i < READERS; i++) {
                readers.add(
                        WireDevice.connected(tcp, app.register("r" + i, ",\"tags\":[\"reads\"]")));
            }
            broadcast(app, readers);
            broadcast(app, readers);
            double alone = best(app, readers);
            List<WireDevice> stopped = new ArrayList<>();
            for (int i = 0; i < STOPPED; i++) {
                stopped.add(
                        WireDevice.connected(
                                tcp, app.register("s" + i, ",\"tags\":[\"stopped\"]")));
            }
            String large = ",\"data\":\"" + "x".repeat(50_000) + "\"";
            for (int i = 0; i < 60; i++) {
                app.publish("{\"tags\":[\"stopped\"]}", large);
            }
            double beside = best(app, readers);
            assertThat(beside / alone)
                    .as("time beside stopped readers, to time alone")
                    .isLessThan(1.2);
            stopped.forEach(WireDevice::close);
            readers.forEach(WireDevice::close);
        }
    }

    /** The best of some rounds, since this machine has others' work to do as well. */
    private static double best(AppHandle app, List<WireDevice> readers) {
        double best = Double.MAX_VALUE;
        for (int i = 0; i < ROUNDS; i++) {
            best = Math.min(best, broadcast(app, readers));
        }
        return best;
    }

    private static double broadcast(AppHandle app, List<WireDevice> readers) {
        long began = System.nanoTime();
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < MESSAGES; i++) {
            ids.add(Long.parseLong(app.publish("{\"tags\":[\"reads\"]}")));
        }
        for (WireDevice reader : readers) {
            for (long id : ids) {
                assertThat(reader.readPush().getId()).isEqualTo(id);
            }
        }
        double seconds = (System.nanoTime() - began) / 1e9;
        long[] all = ids.stream().mapToLong(Long::longValue).toArray();
        for (WireDevice reader : readers) {
            reader.ack(all);
            int answered = 0;
            while (answered < all.length) {
                answered += reader.read().getAcked().getResultsCount();
            }
        }
        return seconds;
    }
}
