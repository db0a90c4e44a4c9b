package io.postrider.server.store;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A PostgreSQL of the test's own, which can be stopped and started again on the same port. */
public final class PostgresServer implements AutoCloseable {
    private final Path folder;
    private int port;
    private EmbeddedPostgres running;

    public PostgresServer(Path folder) {
        this.folder = folder;
        start();
    }

    public void start() {
        try {
            EmbeddedPostgres.Builder builder =
                    EmbeddedPostgres.builder()
                            .setDataDirectory(folder)
                            .setCleanDataDirectory(false)
                            .setRegisterShutdownHook(false)
                            .setServerConfig("fsync", "on")
                            .setServerConfig("synchronous_commit", "on");
            if (port > 0) {
                builder.setPort(port);
            }
            running = builder.start();
            port = running.getPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public String address() {
        return "postgres://postgres@127.0.0.1:" + port + "/postgres";
    }

    /** Stops at once: what runs is cut off, and the next start recovers from the log. */
    public void stopImmediately() {
        try {
            Path pid = folder.resolve("postmaster.pid");
            String number = Files.readAllLines(pid).get(0).strip();
            new ProcessBuilder("kill", "-QUIT", number).inheritIO().start().waitFor();
            while (Files.exists(pid)) {
                Thread.onSpinWait();
            }
            // It holds a lock on the folder.
            running.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        try {
            running.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
