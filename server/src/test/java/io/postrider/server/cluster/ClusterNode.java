package io.postrider.server.cluster;

import io.postrider.server.NodeProcess;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A node among others, in a process of its own. */
final class ClusterNode extends NodeProcess {
    private final String name;
    private final Path log;

    /**
     * @param settings of the environment
     */
    ClusterNode(String name, Path folder, Map<String, String> settings) {
        this(name, settings, folder.resolve(name + ".log"));
    }

    private ClusterNode(String name, Map<String, String> settings, Path log) {
        super(settings, List.of(), ProcessBuilder.Redirect.appendTo(log.toFile()));
        this.name = name;
        this.log = log;
    }

    void start() {
        boolean isReady =
                start(
                        List.of(
                                "-Xmx512m",
                                "io.postrider.server.Main",
                                "serve",
                                "--node=" + name,
                                "--heartbeat-seconds=2",
                                "--http-port=" + httpPort(),
                                "--gateway-port=" + gatewayPort(),
                                "--registrations-per-second=100000",
                                "--stop-with=" + ProcessHandle.current().pid()));
        if (!isReady) {
            throw new IllegalStateException("the node did not start; its log is " + log);
        }
    }
}
