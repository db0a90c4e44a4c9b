package io.postrider.server.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.client.PublishRequest;
import io.postrider.client.Publisher;
import io.postrider.client.Transport;
import io.postrider.server.CrashingNode;
import io.postrider.server.TestApi;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.history.History;
import io.postrider.server.history.RecordedDevice;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Everybody is cut off at once, and comes back (G10). */
@Tag("long")
class StormTest {
    private static final int CLIENTS = 5_000;
    private static final int CUTS = 3;

    @TempDir Path data;

    private void storm(LongSupplier backoff) throws Exception {
        History history = new History();
        try (CrashingNode node = new CrashingNode(data)) {
            node.start("never", 1);
            AppHandle app = new TestApi(node.http()).newApp();
            AppHandle other = new TestApi(node.http()).newApp();
            try (Swarm swarm = new Swarm(node.tcp(), tokens(app), backoff);
                    RecordedDevice witness =
                            RecordedDevice.start(
                                    other,
                                    "witness",
                                    Transport.TCP,
                                    history,
                                    UnaryOperator.identity())) {
                await().atMost(Duration.ofMinutes(1)).until(() -> swarm.ready() == CLIENTS);
                Publisher publisher =
                        Publisher.of(node.http(), other.appKey(), other.masterSecret())
                                .withAttempts(20);
                for (int cut = 0; cut < CUTS; cut++) {
                    node.kill();
                    await().atMost(Duration.ofSeconds(20)).until(() -> swarm.ready() == 0);
                    node.start("never", 1);
                    // While they all come back, another app publishes and its device gets it.
                    String key = "storm-" + cut;
                    history.asked(key, other.id(), Set.of("witness"));
                    long id = publisher.publish(PublishRequest.toAll().title(key)).id();
                    history.accepted(key, id, Long.MAX_VALUE);
                    await().atMost(Duration.ofSeconds(30)).until(() -> history.missing() == 0);
                    await().atMost(Duration.ofMinutes(1)).until(() -> swarm.ready() == CLIENTS);
                }
                assertThat(witness).isNotNull();
            }
        }
    }

    private static List<String> tokens(AppHandle app) throws Exception {
        try (ExecutorService many = Executors.newFixedThreadPool(8)) {
            List<Future<String>> registered = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                String name = "d" + i;
                registered.add(many.submit(() -> registerWhenTaken(app, name)));
            }
            List<String> tokens = new ArrayList<>();
            for (Future<String> token : registered) {
                tokens.add(token.get());
            }
            return tokens;
        }
    }

    /** Registration is limited per address, and all of these are one. */
    private static String registerWhenTaken(AppHandle app, String name) {
        String token = app.register(name);
        while (token.isEmpty()) {
            token = app.register(name);
        }
        return token;
    }

    @Test
    void g10AllComeBackAndNobodyStarves() throws Exception {
        storm(() -> ThreadLocalRandom.current().nextLong(1_000));
    }

    @Test
    void g10AllComeBackEvenThoseThatComeInStep() throws Exception {
        storm(() -> 100);
    }
}
