package io.postrider.bench.peer;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A peer's process. It ends with this one, however this one ends. */
final class ServerProcess implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final Process process;
    private final Path log;

    private ServerProcess(Process process, Path log) {
        this.process = process;
        this.log = log;
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    }

    /** Starts it; what it says goes into the file {@code log} of the folder. */
    static ServerProcess start(Path folder, List<String> command) throws IOException {
        Path log = folder.resolve("log");
        return new ServerProcess(
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                        .start(),
                log);
    }

    long pid() {
        return process.pid();
    }

    /** Waits for the line of its output that says that it is ready. */
    Matcher awaitLine(Pattern pattern) throws IOException, InterruptedException {
        return await(() -> {
            Matcher matcher = pattern.matcher(Files.readString(log));
            return matcher.find() ? matcher : null;
        });
    }

    /** Waits until somebody listens on a port. */
    void awaitPort(int port) throws IOException, InterruptedException {
        await(() -> {
            try (Socket socket = new Socket()) {
                socket.connect(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1_000);
                return true;
            } catch (IOException notYet) {
                return null;
            }
        });
    }

    private interface Look<T> {
        @Nullable T look() throws IOException;
    }

    /** Another process gives no signal but these; a look costs it nothing. */
    private <T> T await(Look<T> look) throws IOException, InterruptedException {
        long until = System.nanoTime() + PATIENCE.toNanos();
        while (process.isAlive() && System.nanoTime() < until) {
            T found = look.look();
            if (found != null) {
                return found;
            }
            Thread.sleep(20);
        }
        List<String> said = Files.readAllLines(log);
        throw new IOException(
                "the server did not start:\n"
                        + String.join(
                                "\n", said.subList(Math.max(0, said.size() - 10), said.size())));
    }

    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    /** Asks it to end, and makes it, if it does not in 15 s. */
    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(15, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
