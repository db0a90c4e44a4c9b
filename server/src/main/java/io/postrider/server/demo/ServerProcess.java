package io.postrider.server.demo;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A node in a process of its own, on free ports that it keeps when it is started again. */
final class ServerProcess {
    /** Options that name a port or a file, which two cannot have. */
    private static final List<String> FOR_THIS_JVM_ALONE =
            List.of("-agent", "-javaagent", "-Dcom.sun.management", "-XX:AOTCacheOutput");

    private static final Pattern READY =
            Pattern.compile(
                    "ready http=http://127\\.0\\.0\\.1:(\\d+) gateway=127\\.0\\.0\\.1:(\\d+) .*");

    private final File log;
    private final List<String> options;
    private int httpPort;
    private int gatewayPort;
    private @Nullable Process process;

    /**
     * @param options of {@code serve}, besides its ports
     */
    ServerProcess(Path log, List<String> options) {
        this.log = log.toFile();
        this.options = options;
    }

    /** Starts it and waits until it takes traffic. */
    void start() {
        try {
            Process started =
                    new ProcessBuilder(command())
                            .redirectError(ProcessBuilder.Redirect.appendTo(log))
                            .start();
            process = started;
            awaitReady(started);
        } catch (IOException e) {
            throw new UncheckedIOException("the server could not be started", e);
        }
    }

    /** The node gets the options of this JVM. */
    private List<String> command() {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(option -> FOR_THIS_JVM_ALONE.stream().noneMatch(option::startsWith))
                .forEach(command::add);
        command.addAll(
                List.of(
                        "-cp",
                        System.getProperty("java.class.path"),
                        "io.postrider.server.Main",
                        "serve",
                        "--http-port=" + httpPort,
                        "--gateway-port=" + gatewayPort,
                        "--registrations-per-second=100000",
                        "--stop-with=" + ProcessHandle.current().pid()));
        command.addAll(options);
        return command;
    }

    private void awaitReady(Process started) throws IOException {
        BufferedReader out =
                new BufferedReader(
                        new InputStreamReader(started.getInputStream(), StandardCharsets.UTF_8));
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            Matcher ready = READY.matcher(line);
            if (ready.matches()) {
                httpPort = Integer.parseInt(ready.group(1));
                gatewayPort = Integer.parseInt(ready.group(2));
                return;
            }
        }
        throw new IllegalStateException("the server did not start; its log is " + log);
    }

    String http() {
        return "http://127.0.0.1:" + httpPort;
    }

    /** kill -9, and waits until it is gone. */
    void kill() {
        Process running = process;
        if (running == null) {
            return;
        }
        running.destroyForcibly();
        try {
            running.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
