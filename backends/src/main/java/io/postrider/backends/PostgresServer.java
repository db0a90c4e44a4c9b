package io.postrider.backends;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A real PostgreSQL, which can be stopped and started again on the same port. */
public final class PostgresServer implements AutoCloseable {
    private final Path folder;
    private EmbeddedPostgres running;

    /**
     * Starts it.
     *
     * @param folder for its data, which stays
     */
    public PostgresServer(Path folder) {
        this.folder = folder;
        this.running = start(folder, 0);
    }

    /** On the port that it had, after it was stopped. */
    public void start() {
        running = start(folder, running.getPort());
    }

    private static EmbeddedPostgres start(Path folder, int port) {
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
            return builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As the setting {@code store} has it. */
    public String address() {
        return "postgres://postgres@127.0.0.1:" + running.getPort() + "/postgres";
    }

    /** Stops at once: what runs is cut off, and the next start recovers from the log. */
    public void stopImmediately() {
        stop("QUIT");
    }

    /** Stops in order: what runs is rolled back, and connections are ended. */
    public void stop() {
        stop("INT");
    }

    private void stop(String signal) {
        try {
            Path pid = folder.resolve("postmaster.pid");
            String number = Files.readAllLines(pid).get(0).strip();
            new ProcessBuilder("kill", "-" + signal, number).inheritIO().start().waitFor();
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
