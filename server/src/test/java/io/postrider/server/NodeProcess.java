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
import org.jspecify.annotations.Nullable;

/** A node in a process of its own, which keeps its ports when it is started again. */
public final class NodeProcess implements AutoCloseable {
    private final Path data;
    private String httpPort = "0";
    private String gatewayPort = "0";
    private @Nullable Process process;

    private final Map<String, String> environment;
    private final List<String> before;

    public NodeProcess(Path data) {
        this(data, Map.of(), List.of());
    }

    /**
     * @param environment of the process, beside this one's
     * @param before a program with its options that runs the node's, as strace does
     */
    public NodeProcess(Path data, Map<String, String> environment, List<String> before) {
        this.data = data;
        this.environment = environment;
        this.before = before;
    }

    /**
     * Starts a node that dies the {@code times}-th time it comes to a point, which may be before it
     * has said that it is ready: clients that were waiting are faster.
     */
    public void start(String point, int times) throws InterruptedException {
        List<String> command = new ArrayList<>(before);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1"));
        command.add("--sun-misc-unsafe-memory-access=allow");
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add(CrashingServer.class.getName());
        command.addAll(List.of(data.toString(), httpPort, gatewayPort, point));
        command.add(Integer.toString(times));
        try {
            ProcessBuilder builder =
                    new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
            builder.environment().putAll(environment);
            Process started = builder.start();
            process = started;
            BufferedReader out =
                    new BufferedReader(
                            new InputStreamReader(
                                    started.getInputStream(), StandardCharsets.UTF_8));
            String ready = out.readLine();
            if (ready == null && started.waitFor() == CrashingServer.KILLED) {
                return;
            }
            if (ready == null || !ready.startsWith("ready ")) {
                throw new IllegalStateException("the node did not start: " + ready);
            }
            httpPort = ready.replaceAll(".*http://127\\.0\\.0\\.1:(\\d+).*", "$1");
            gatewayPort = ready.replaceAll(".*:(\\d+)$", "$1");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public String http() {
        return "http://127.0.0.1:" + httpPort;
    }

    /** {@code tcp://host:port} of the gateway. */
    public String tcp() {
        return "tcp://127.0.0.1:" + gatewayPort;
    }

    /** Waits until it has died by itself. */
    public void awaitDeath() throws InterruptedException {
        if (process != null) {
            process.waitFor();
        }
    }

    public void kill() throws InterruptedException {
        if (process != null) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
            process.waitFor();
        }
    }

    @Override
    public void close() {
        try {
            kill();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
