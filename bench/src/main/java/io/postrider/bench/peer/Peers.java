package io.postrider.bench.peer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Starts a peer by its name. */
public final class Peers {
    private final List<String> launcher;

    /**
     * @param launcher how Postrider's command line begins
     */
    public Peers(List<String> launcher) {
        this.launcher = launcher;
    }

    /** The peers that this machine has, Postrider first. */
    public List<String> installed() {
        List<String> names = new ArrayList<>(List.of("postrider"));
        for (String name : List.of("nats", "mosquitto")) {
            if (isInstalled(program(name))) {
                names.add(name);
            }
        }
        return names;
    }

    private static String program(String name) {
        return name.equals("nats") ? "nats-server" : name;
    }

    private static boolean isInstalled(String program) {
        for (String folder :
                List.of("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin")) {
            if (Files.isExecutable(Path.of(folder, program))) {
                return true;
            }
        }
        return false;
    }

    public Peer start(String name) throws IOException, InterruptedException {
        return switch (name) {
            case "postrider" -> new PostriderPeer(launcher);
            case "nats" -> new NatsPeer(log());
            case "mosquitto" -> mosquitto();
            default ->
                    throw new IllegalArgumentException(
                            name + " is none of postrider, nats, mosquitto");
        };
    }

    private static Path log() throws IOException {
        Path log = Files.createTempFile("postrider-bench", ".log");
        log.toFile().deleteOnExit();
        return log;
    }

    private static Peer mosquitto() throws IOException, InterruptedException {
        int port = ServerProcess.freePort();
        Path config = Files.createTempFile("postrider-bench", ".conf");
        config.toFile().deleteOnExit();
        Files.writeString(
                config,
                """
                listener %d 127.0.0.1
                allow_anonymous true
                persistence false
                log_dest none
                max_inflight_messages 256
                max_queued_messages 0
                set_tcp_nodelay true
                """
                        .formatted(port));
        ServerProcess process =
                ServerProcess.start(log(), List.of("mosquitto", "-c", config.toString()));
        process.awaitPort(port);
        return new MqttPeer("mosquitto", process, port, false);
    }
}
