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
        List<String> names = new ArrayList<>(List.of("postrider"));
        if (isInstalled("nats-server")) {
            names.add("nats");
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
            case "postrider" -> new PostriderPeer(launcher);
            case "nats" -> new NatsPeer(log());
            case "nchan" -> new NchanPeer(log());
            case "mosquitto" -> mosquitto();
            case "hivemq" -> hivemq();
            default ->
                    throw new IllegalArgumentException(
                            name + " is none of postrider, nats, nchan, mosquitto, hivemq");
        };
    }

    private Peer hivemq() throws IOException, InterruptedException {
        int port = ServerProcess.freePort();
        Path folder = Files.createTempDirectory("postrider-bench-hivemq");
        ServerProcess process =
                ServerProcess.start(
                        log(),
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
        process.awaitLine(Pattern.compile("^ready$"));
        return new MqttPeer("hivemq", process, port, true, folder);
    }

    private static Path log() throws IOException {
        Path log = Files.createTempFile("postrider-bench", ".log");
        log.toFile().deleteOnExit();
        return log;
    }

    private static Peer mosquitto() throws IOException, InterruptedException {
        int port = ServerProcess.freePort();
        Path folder = Files.createTempDirectory("postrider-bench-mosquitto");
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
                ServerProcess.start(log(), List.of("mosquitto", "-c", config.toString()));
        process.awaitPort(port);
        return new MqttPeer("mosquitto", process, port, false, folder);
    }
}
