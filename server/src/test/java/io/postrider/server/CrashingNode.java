package io.postrider.server;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** {@link CrashingServer} in a process of its own. */
public final class CrashingNode extends NodeProcess {
    private final Path data;

    public CrashingNode(Path data) {
        this(data, Map.of(), List.of());
    }

    /**
     * @param environment of the process, beside this one's
     * @param before a program with its options that runs the node's, as strace does
     */
    public CrashingNode(Path data, Map<String, String> environment, List<String> before) {
        super(environment, before, ProcessBuilder.Redirect.INHERIT);
        this.data = data;
    }

    /**
     * Starts a node that dies the {@code times}-th time it comes to a point, which may be before it
     * has said that it is ready: clients that were waiting are faster.
     */
    public void start(String point, int times) throws InterruptedException {
        boolean isReady =
                start(
                        List.of(
                                CrashingServer.class.getName(),
                                data.toString(),
                                httpPort(),
                                gatewayPort(),
                                point,
                                Integer.toString(times)));
        if (!isReady && awaitDeath() != CrashingServer.KILLED) {
            throw new IllegalStateException("the node did not start");
        }
    }
}
