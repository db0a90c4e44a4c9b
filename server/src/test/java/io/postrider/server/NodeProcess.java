package io.postrider.server;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A node in a process of its own, which keeps its ports when it is started again. */
public abstract class NodeProcess implements AutoCloseable {
    private static final Pattern READY =
            Pattern.compile(
                    "ready http=http://127\\.0\\.0\\.1:(\\d+) gateway=127\\.0\\.0\\.1:(\\d+).*");

    private final Map<String, String> environment;
    private final List<String> before;
    private final ProcessBuilder.Redirect log;
    private String httpPort = "0";
    private String gatewayPort = "0";
    private @Nullable Process process;

    /**
     * @param environment of the process, beside this one's
     * @param before a program with its options that runs the node's, as strace does
     */
    protected NodeProcess(
            Map<String, String> environment, List<String> before, ProcessBuilder.Redirect log) {
        this.environment = environment;
        this.before = before;
        this.log = log;
    }

    /**
     * Starts it. Answers once it takes traffic, or false if it has ended before.
     *
     * @param main more options of Java, a class, and its arguments
     */
    protected final boolean start(List<String> main) {
        List<String> command = new ArrayList<>(before);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1"));
        command.add("--sun-misc-unsafe-memory-access=allow");
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.addAll(main);
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(log);
        builder.environment().putAll(environment);
        try {
            Process started = builder.start();
            process = started;
            return awaitReady(started);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean awaitReady(Process started) throws IOException {
        BufferedReader out =
                new BufferedReader(
                        new InputStreamReader(started.getInputStream(), StandardCharsets.UTF_8));
        String line = out.readLine();
        if (line == null) {
            return false;
        }
        Matcher ready = READY.matcher(line);
        if (!ready.matches()) {
            throw new IllegalStateException("the node did not start: " + line);
        }
        httpPort = ready.group(1);
        gatewayPort = ready.group(2);
        return true;
    }

    /** 0 before its first start. */
    protected final String httpPort() {
        return httpPort;
    }

    /** 0 before its first start. */
    protected final String gatewayPort() {
        return gatewayPort;
    }

    public final String http() {
        return "http://127.0.0.1:" + httpPort;
    }

    /** {@code tcp://host:port} of the gateway. */
    public final String tcp() {
        return "tcp://127.0.0.1:" + gatewayPort;
    }

    private Process process() {
        return Objects.requireNonNull(process);
    }

    /** KILL, STOP or CONT. */
    public final void signal(String signal) throws InterruptedException {
        try {
            new ProcessBuilder("kill", "-" + signal, Long.toString(process().pid()))
                    .inheritIO()
                    .start()
                    .waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** SIGTERM; answers its exit status. */
    public final int stop() throws InterruptedException {
        signal("TERM");
        return awaitDeath();
    }

    /** Waits until it has died; answers its exit status. */
    public final int awaitDeath() throws InterruptedException {
        return process().waitFor();
    }

    /** kill -9, and waits until it is gone. */
    public final void kill() throws InterruptedException {
        process().descendants().forEach(ProcessHandle::destroyForcibly);
        process().destroyForcibly().waitFor();
    }

    @Override
    public void close() {
        if (process != null) {
            try {
                kill();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
