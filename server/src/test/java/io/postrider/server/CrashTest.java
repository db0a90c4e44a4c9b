package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.client.Publisher;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.history.RecordedTraffic;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The node dies again and again while publishers publish and devices receive: at the four points
 * where a crash could lose or double something, and at random moments. Publishers and devices write
 * down what they were told, and that decides.
 */
class CrashTest {
    private static final int DEVICES = 20;
    private static final int PUBLISHERS = 4;
    private static final Duration PAUSE = Duration.ofMillis(5);
    private static final String[] POINTS = {
        "before-commit", "after-commit", "before-send", "before-ack", "at-random"
    };

    @TempDir Path data;

    @Test
    void g1g4g5NothingAcceptedIsLostAndNoDuplicateIsUnmarked() throws Exception {
        crash(20);
    }

    @Test
    @Tag("long")
    void g1g4g5NothingAcceptedIsLostIn200Crashes() throws Exception {
        crash(200);
    }

    private void crash(int rounds) throws Exception {
        Random random = new Random(20_261_122);
        try (CrashingNode node = new CrashingNode(data)) {
            node.start("never", 1);
            AppHandle app = new TestApi(node.http()).newApp();
            Publisher publisher =
                    Publisher.of(node.http(), app.appKey(), app.masterSecret()).withAttempts(60);
            try (RecordedTraffic traffic = new RecordedTraffic(app, DEVICES)) {
                traffic.publishDuring(
                        Collections.nCopies(PUBLISHERS, publisher::publish),
                        PAUSE,
                        during -> {
                            for (int round = 0; round < rounds; round++) {
                                crash(node, POINTS[round % POINTS.length], random);
                            }
                            node.start("never", 1);
                        });
                traffic.check(app);
                assertThat(traffic.accepted()).isGreaterThan(rounds * 5);
            }
        }
    }

    private static void crash(CrashingNode node, String point, Random random)
            throws InterruptedException {
        node.kill();
        node.start(point, 5 + random.nextInt(40));
        if (point.equals("at-random")) {
            TimeUnit.MILLISECONDS.sleep(300 + random.nextInt(1_500));
            node.kill();
        } else {
            node.awaitDeath();
        }
    }
}
