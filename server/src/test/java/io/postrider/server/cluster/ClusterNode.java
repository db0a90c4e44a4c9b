package io.postrider.server.cluster;

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
import org.jspecify.annotations.Nullable;

/** A node among others, in a process of its own, which keeps its ports when it starts again. */
final class ClusterNode implements AutoCloseable {
    private final String name;
    private final Path log;
    private final Map<String, String> settings;
    private String httpPort = "0";
    private String gatewayPort = "0";
    private @Nullable Process process;

    /**
     * @param settings of the environment
     */
    ClusterNode(String name, Path folder, Map<String, String> settings) {
        this.name = name;
        this.log = folder.resolve(name + ".log");
        this.settings = settings;
    }

    /** Starts it, and waits until it takes traffic. */
    void start() {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1"));
        command.addAll(List.of("--sun-misc-unsafe-memory-access=allow", "-Xmx512m"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.addAll(List.of("io.postrider.server.Main", "serve"));
        command.addAll(List.of("--node=" + name, "--heartbeat-seconds=2"));
        command.addAll(List.of("--http-port=" + httpPort, "--gateway-port=" + gatewayPort));
        command.addAll(List.of("--registrations-per-second=100000"));
        command.add("--stop-with=" + ProcessHandle.current().pid());
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().putAll(settings);
        try {
            Process started = builder.start();
            process = started;
            BufferedReader out =
                    new BufferedReader(
                            new InputStreamReader(
                                    started.getInputStream(), StandardCharsets.UTF_8));
            String ready = out.readLine();
            if (ready == null || !ready.startsWith("ready ")) {
                throw new IllegalStateException("the node did not start; its log is " + log);
            }
            httpPort = ready.replaceAll(".*http://127\\.0\\.0\\.1:(\\d+).*", "$1");
            gatewayPort = ready.replaceAll(".*gateway=127\\.0\\.0\\.1:(\\d+).*", "$1");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Process process() {
        return Objects.requireNonNull(process);
    }

    String http() {
        return "http://127.0.0.1:" + httpPort;
    }

    /** KILL, STOP or CONT. */
    void signal(String signal) throws InterruptedException {
        try {
            new ProcessBuilder("kill", "-" + signal, Long.toString(process().pid()))
                    .inheritIO()
                    .start()
                    .waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void kill() throws InterruptedException {
        process().destroyForcibly().waitFor();
    }

    /** SIGTERM; answers its exit status. */
    int stop() throws InterruptedException {
        signal("TERM");
        return process().waitFor();
    }

    @Override
    public void close() {
        if (process != null) {
            process.destroyForcibly();
        }
    }
}
