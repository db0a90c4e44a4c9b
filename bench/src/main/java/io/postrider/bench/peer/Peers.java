package io.postrider.bench.peer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Starts a peer by its name. */
public final class Peers {
    private static final Path NCHAN = Path.of("/usr/lib/nginx/modules/ngx_nchan_module.so");

    /** What {@link #start} knows. */
    public static final List<String> NAMES =
            List.of(
                    "postrider",
                    "postrider-rest",
                    "postrider-batch",
                    "postrider-cluster",
                    "nats",
                    "jetstream",
                    "nchan",
                    "mosquitto",
                    "hivemq");

    private final List<String> launcher;
    private final Path hivemq;

    /**
     * @param launcher how Postrider's command line begins
     * @param hivemq where HiveMQ was built, if it was
     */
    public Peers(List<String> launcher, Path hivemq) {
        this.launcher = launcher;
        this.hivemq = hivemq;
    }

    /** The peers that this machine has, Postrider first. */
    public List<String> installed() {
        List<String> names =
                new ArrayList<>(List.of("postrider", "postrider-rest", "postrider-batch"));
        if (isInstalled("nats-server")) {
            names.addAll(List.of("nats", "jetstream"));
        }
        if (Files.exists(NCHAN)) {
            names.add("nchan");
        }
        if (isInstalled("mosquitto")) {
            names.add("mosquitto");
        }
        if (Files.exists(hivemq.resolve("fetched"))) {
            names.add("hivemq");
        }
        return names;
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
            case "postrider" -> PostriderPeer.start(launcher);
            case "postrider-rest" -> PostriderRestPeer.start(launcher, false);
            case "postrider-batch" -> PostriderRestPeer.start(launcher, true);
            case "postrider-cluster" -> PostriderClusterPeer.start(launcher);
            case "nats" -> NatsPeer.start();
            case "jetstream" -> JetStreamPeer.start();
            case "nchan" -> NchanPeer.start();
            case "mosquitto" -> mosquitto();
            case "hivemq" -> hivemq();
            default ->
                    throw new IllegalArgumentException(
                            name + " is none of " + String.join(", ", NAMES));
        };
    }

    private Peer hivemq() throws IOException, InterruptedException {
        int port = ServerProcess.freePort();
        Path folder = Folders.newTemporary();
        ServerProcess process =
                ServerProcess.start(
                        folder,
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-XX:+UseCompactObjectHeaders",
                                "--sun-misc-unsafe-memory-access=allow",
                                "--enable-native-access=ALL-UNNAMED",
                                "--add-opens=java.base/java.lang=ALL-UNNAMED",
                                "--add-opens=java.base/java.nio=ALL-UNNAMED",
                                "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
                                "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED",
                                "-cp",
                                hivemq.resolve("classes") + ":" + hivemq.resolve("lib") + "/*",
                                "io.postrider.bench.hivemq.HiveMq",
                                folder.toString(),
                                Integer.toString(port)));
        process.awaitLine(Pattern.compile("(?m)^ready$"));
        return new MqttPeer("hivemq", true, folder, process, port);
    }

    private static Peer mosquitto() throws IOException, InterruptedException {
        int port = ServerProcess.freePort();
        Path folder = Folders.newTemporary();
        Path config = folder.resolve("mosquitto.conf");
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
                ServerProcess.start(folder, List.of("mosquitto", "-c", config.toString()));
        process.awaitPort(port);
        return new MqttPeer("mosquitto", false, folder, process, port);
    }
}
