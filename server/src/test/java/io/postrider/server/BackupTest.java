package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.client.DeviceClient;
import io.postrider.client.DeviceObserver;
import io.postrider.client.DeviceState;
import io.postrider.client.Gateway;
import io.postrider.client.Transport;
import io.postrider.protocol.CloseCode;
import io.postrider.protocol.v1.ServerFrame.FrameCase;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.store.Postgres;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The verbs backup, restore and epoch, on nodes that serve. */
class BackupTest {
    @TempDir Path folder;

    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    private int run(String... arguments) {
        said.reset();
        PrintStream stream = new PrintStream(said, true, StandardCharsets.UTF_8);
        return Main.commandLine(stream, stream).execute(arguments);
    }

    private String said() {
        return said.toString(StandardCharsets.UTF_8);
    }

    private int save(Path data, Path file) {
        return run("backup", file.toString(), "--data", data.toString());
    }

    /** A backup of a node that has been. */
    private Path saved() {
        Path data = folder.resolve("data");
        Path file = folder.resolve("backup.db");
        TestServer.start(data).close();
        assertThat(save(data, file)).as(said()).isZero();
        return file;
    }

    private int restore(Path file, Path data) {
        return run("restore", file.toString(), "--data", data.toString());
    }

    private static String epoch(TestServer server, String token) {
        WireDevice device = new WireDevice("tcp://" + server.node.gateway());
        device.connect(token);
        String epoch = device.readUntil(FrameCase.READY).getReady().getEpoch();
        device.close();
        return epoch;
    }

    @Test
    void whatWasAcceptedBeforeABackupIsInItThoughTheNodeGoesOnPublishing() throws Exception {
        Path data = folder.resolve("data");
        Path other = folder.resolve("other");
        Path file = folder.resolve("backup.db");
        AppHandle app;
        String token;
        String lost;
        String before;
        List<String> accepted = new ArrayList<>();
        AtomicBoolean publishing = new AtomicBoolean(true);
        try (TestServer server = TestServer.start(data);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            app = server.app();
            token = app.register("d");
            before = epoch(server, token);
            for (int i = 0; i < 20; i++) {
                accepted.add(app.publish("\"all\""));
            }
            AppHandle busy = app;
            Future<?> traffic =
                    threads.submit(() -> {
                        while (publishing.get()) {
                            busy.publish("\"all\"");
                        }
                    });
            assertThat(save(data, file)).as(said()).isZero();
            publishing.set(false);
            traffic.get();
            lost = app.register("lost");
        }
        assertThat(restore(file, other)).as(said()).isZero();
        try (TestServer server = TestServer.start(other)) {
            AppHandle restored = app.at(server.api);
            for (String id : accepted) {
                assertThat(restored.count(id, "pending")).isEqualTo(1);
            }
            assertThat(epoch(server, token)).isNotEqualTo(before);
            restored.register("new");
            WireDevice stranger = new WireDevice("tcp://" + server.node.gateway());
            stranger.connect(lost);
            assertThat(stranger.readClose()).isEqualTo(CloseCode.TOKEN_REFUSED.number());
        }
    }

    @Test
    void whatCannotBeDoneIsSaidAndChangesNothing() throws IOException {
        Path data = folder.resolve("data");
        Path file = folder.resolve("backup.db");
        assertThat(save(folder.resolve("nothing"), file)).isEqualTo(2);
        assertThat(said()).contains("there is no database in");
        try (TestServer server = TestServer.start(data)) {
            server.app();
            Files.writeString(file, "mine");
            assertThat(save(data, file)).isEqualTo(2);
            assertThat(said()).contains("is there already");
            assertThat(restore(file, data)).isEqualTo(2);
            assertThat(said()).contains("another server is using");
        }
        assertThat(restore(file, data)).isEqualTo(2);
        assertThat(said()).contains("has a database", "move postrider.db, postrider.db-wal and");
        assertThat(restore(file, folder.resolve("empty"))).isEqualTo(2);
        assertThat(said()).contains("is no backup, or is damaged");
        assertThat(restore(folder.resolve("none"), folder.resolve("empty"))).isEqualTo(2);
        assertThat(said()).contains("there is no file");
        assertThat(Files.readString(file)).isEqualTo("mine");
        TestServer.start(data).close();
        TestServer.start(folder.resolve("empty")).close();
    }

    /** Else its log would be written over what is restored. */
    @Test
    void whatAKilledNodeHasLeftKeepsABackupOut() throws IOException {
        Path file = saved();
        Path other = Files.createDirectory(folder.resolve("other"));
        Files.writeString(other.resolve("postrider.db-wal"), "committed");
        assertThat(restore(file, other)).isEqualTo(2);
        assertThat(said()).contains("has a database");
        assertThat(other.resolve("postrider.db-wal")).hasContent("committed");
    }

    @Test
    void aBackupOfANewerVersionIsRefused() throws Exception {
        Path file = saved();
        try (Connection newer = DriverManager.getConnection("jdbc:sqlite:" + file);
                Statement statement = newer.createStatement()) {
            statement.execute(
                    "INSERT INTO flyway_schema_history (installed_rank, version, description, type,"
                            + " script, checksum, installed_by, installed_on, execution_time,"
                            + " success) VALUES (99, '99', 'added', 'SQL', 'V99__added.sql', 1,"
                            + " 'me', strftime('%Y-%m-%d %H:%M:%f', 'now'), 1, 1)");
        }
        Path other = folder.resolve("other");
        assertThat(restore(file, other)).isEqualTo(2);
        assertThat(said()).contains("newer Postrider");
        TestServer.start(other).close();
    }

    @Test
    void nobodyElseReadsABackup() throws IOException {
        Path file = saved();
        assertThat(Files.getPosixFilePermissions(file))
                .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    }

    /** An old folder beside it would be saved, and nobody would know before the restore. */
    @Test
    void aNodeOnPostgresHasNoFolderToSave() throws IOException {
        Path data = folder.resolve("data");
        Path file = folder.resolve("backup.db");
        TestServer.start(data).close();
        Path config = folder.resolve("postrider.yaml");
        Files.writeString(config, "data: " + data + "\nstore: postgres://postrider@db/postrider\n");
        for (String verb : List.of("backup", "restore")) {
            assertThat(run(verb, file.toString(), "--config", config.toString())).isEqualTo(2);
            assertThat(said()).contains("pg_dump");
        }
        assertThat(file).doesNotExist();
        Files.writeString(config, "data: " + data + "\n");
        assertThat(run("backup", file.toString(), "--config", config.toString()))
                .as(said())
                .isZero();
    }

    /** Though its process may have died in between. */
    @Test
    void aDeviceIsToldThatHistoryWasLost() throws Exception {
        Path data = folder.resolve("data");
        Path other = folder.resolve("other");
        Path file = folder.resolve("backup.db");
        String token;
        List<String> told = new CopyOnWriteArrayList<>();
        try (TestServer server = TestServer.start(data)) {
            token = server.app().register("d");
            connectOnce(server, token, told);
            connectOnce(server, token, told);
            assertThat(save(data, file)).as(said()).isZero();
        }
        assertThat(restore(file, other)).as(said()).isZero();
        assertThat(told).isEmpty();
        try (TestServer server = TestServer.start(other)) {
            connectOnce(server, token, told);
            connectOnce(server, token, told);
        }
        assertThat(told).hasSize(1);
        assertThat(said()).contains(told.get(0));
    }

    private void connectOnce(TestServer server, String token, List<String> epochs) {
        try (DeviceClient client =
                DeviceClient.builder(
                                List.of(Gateway.of("tcp://" + server.node.gateway())),
                                token,
                                message -> {})
                        .transport(Transport.TCP)
                        .memory(folder.resolve("memory").toFile())
                        .observer(
                                new DeviceObserver() {
                                    @Override
                                    public void onEpochChanged(
                                            @Nullable String before, String now) {
                                        epochs.add(now);
                                    }
                                })
                        .build()) {
            client.start();
            await().until(() -> client.state() == DeviceState.READY);
        }
    }

    @Test
    void aPostgresThatWasRestoredGetsANewEpochWhileNoNodeRunsOnIt() {
        String store = Postgres.address(folder);
        Map<String, String> settings = Map.of("store", store);
        assertThat(run("epoch", "--new", "--store", store)).isEqualTo(2);
        assertThat(said()).contains("no node has ever run");
        AppHandle app;
        String token;
        String before;
        try (TestServer server = TestServer.start(folder, settings)) {
            app = server.app();
            token = app.register("d");
            before = epoch(server, token);
            assertThat(run("epoch", "--new", "--store", store)).isEqualTo(2);
            assertThat(said()).contains("a node runs on this database");
        }
        assertThat(run("epoch", "--new", "--store", store)).as(said()).isZero();
        try (TestServer server = TestServer.start(folder, settings)) {
            assertThat(said()).contains(epoch(server, token)).doesNotContain(before);
        }
        assertThat(run("epoch", "--new")).isEqualTo(2);
        assertThat(said()).contains("say which database");
        assertThat(run("epoch", "--store", store)).isEqualTo(2);
    }
}
