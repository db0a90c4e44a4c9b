package io.postrider.server.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.protocol.v1.ServerFrame.FrameCase;
import io.postrider.server.CrashingNode;
import io.postrider.server.TestApi;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.TestApi.Reply;
import io.postrider.server.WireDevice;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The power goes: what is left is what was flushed. */
class PowerLossTest {
    private static final int PUBLISHERS = 4;
    private static final int EACH = 100;
    private static final int ROUNDS = 2;

    @TempDir Path folder;

    private final Set<Long> answered = ConcurrentHashMap.newKeySet();
    private final Set<Long> ackAnswered = ConcurrentHashMap.newKeySet();

    /** Publishes and acknowledges on a node that then loses its power; answers its app. */
    private AppHandle run(FaultyDisk disk, String point) throws Exception {
        Path data = folder.resolve("data-" + point);
        try (CrashingNode node = new CrashingNode(data, disk.environment(), List.of());
                ExecutorService publishers = Executors.newVirtualThreadPerTaskExecutor()) {
            node.start(point, 1);
            AppHandle app = new TestApi(node.http()).newApp();
            try (WireDevice device = WireDevice.connected(node.tcp(), app.register("d"))) {
                for (int i = 0; i < 10; i++) {
                    long id = Long.parseLong(app.publish("{\"devices\":[\"d\"]}"));
                    answered.add(id);
                    assertThat(device.readPush().getId()).isEqualTo(id);
                    device.ack(id);
                    assertThat(device.read().getFrameCase()).isEqualTo(FrameCase.ACKED);
                    ackAnswered.add(id);
                }
            }
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < PUBLISHERS; i++) {
                all.add(
                        publishers.submit(() -> {
                            for (int j = 0; j < EACH; j++) {
                                answered.add(Long.parseLong(app.publish("\"all\"")));
                            }
                        }));
            }
            for (Future<?> one : all) {
                one.get();
            }
            node.kill();
            return app;
        }
    }

    @Test
    void g1NothingThatWasAnsweredIsLostWithThePower() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            answered.clear();
            ackAnswered.clear();
            Path own = Files.createDirectories(folder.resolve("round-" + round));
            FaultyDisk disk = new FaultyDisk(own);
            AppHandle before = run(disk, "never");
            try (CrashingNode restarted = new CrashingNode(disk.mirror())) {
                restarted.start("never", 1);
                AppHandle app =
                        new AppHandle(
                                new TestApi(restarted.http()),
                                before.developer(),
                                before.id(),
                                before.appKey(),
                                before.masterSecret());
                for (long id : answered) {
                    Reply message = app.call("GET", "/v1/messages/" + id, null).expect(200);
                    assertThat(message.json().path("counts").path("targeted").asInt()).isOne();
                }
                for (long id : ackAnswered) {
                    assertThat(app.count(Long.toString(id), "delivered")).isOne();
                }
            }
            try (Stream<Path> files = Files.walk(folder.resolve("data-never"))) {
                files.sorted((a, b) -> b.compareTo(a)).forEach(file -> file.toFile().delete());
            }
        }
    }

    /** Without this, the test above would prove nothing. */
    @Test
    void g1WhereCommitsAreNotFlushedAnsweredMessagesAreLost() throws Exception {
        FaultyDisk disk = new FaultyDisk(folder);
        run(disk, "unflushed");
        long left = 0;
        if (Files.exists(disk.mirror().resolve("postrider.db"))) {
            left = countMessages(disk.mirror().resolve("postrider.db"));
        }
        assertThat(left).isLessThan(answered.size());
    }

    private static long countMessages(Path database) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                Statement statement = connection.createStatement();
                ResultSet tables =
                        statement.executeQuery(
                                "SELECT count(*) FROM sqlite_master WHERE name = 'messages'")) {
            if (tables.getInt(1) == 0) {
                return 0;
            }
            try (ResultSet rows = statement.executeQuery("SELECT count(*) FROM messages")) {
                return rows.getLong(1);
            }
        }
    }
}
