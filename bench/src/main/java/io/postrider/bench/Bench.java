package io.postrider.bench;

import io.postrider.bench.peer.Loops;
import io.postrider.bench.peer.Peer;
import io.postrider.bench.peer.Peer.Delivery;
import io.postrider.bench.peer.Peers;
import io.postrider.bench.scenario.Broadcast;
import io.postrider.bench.scenario.Connections;
import io.postrider.bench.scenario.Growth;
import io.postrider.bench.scenario.Messages;
import io.postrider.bench.scenario.Offline;
import io.postrider.bench.scenario.Scenario;
import io.postrider.bench.scenario.Scenario.Load;
import io.postrider.bench.scenario.ShopStorm;
import io.postrider.bench.scenario.Storm;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.ObjectMapper;

/** {@code ./postrider bench SCENARIO}. */
@Command(
        name = "postrider bench",
        sortOptions = false,
        mixinStandardHelpOptions = true,
        usageHelpAutoWidth = true,
        description = {
            "Puts a server of its own under load, and says what that cost. On loopback only.",
            "",
            "Scenarios:",
            "  idle      connections that do nothing: memory of each",
            "  connect   connect and prove who one is: CPU of each",
            "  storm     all are cut at once and come back; others get messages meanwhile",
            "  fanout    messages to all devices",
            "  unicast   messages to one device each",
            "  shops     orders to shops of three tills each; the first ack settles them",
            "  shopstorm all tills come back, and five orders wait in each shop",
            "  offline   messages to devices that are away, and how fast they get them later",
            "  broadcast one message to an app with very many devices",
            "  growth    what a message costs when very many are stored",
            "  compare   all of these against the peers that are installed, in turns",
            "  plots     SVG of cost against connections, and of latency against rate",
            "  micro     the places that every message passes, by themselves; JMH's options follow",
            ""
        })
public final class Bench implements Callable<Integer> {
    private final PrintStream out;
    private final PrintStream err;

    @Parameters(index = "0", paramLabel = "SCENARIO", description = "one of the above")
    private String scenario = "";

    @Option(
            names = "--target",
            paramLabel = "PEER",
            defaultValue = "postrider",
            description = {
                "postrider, postrider-rest (REST to WebSockets), postrider-batch,",
                "postrider-cluster (three nodes on POSTRIDER_STORE and POSTRIDER_CLUSTER),",
                "nats, jetstream, nchan, mosquitto or hivemq (default: ${DEFAULT-VALUE})"
            })
    private String target = "";

    @Option(
            names = "--connections",
            paramLabel = "N",
            description =
                    "how many devices (default: 1000; idle, connect and storm:"
                            + " 10000; shops: 3000; shopstorm: 18000)")
    private @Nullable Integer connections;

    @Option(
            names = "--rate",
            paramLabel = "N",
            defaultValue = "0",
            description =
                    "messages a second at fixed times; 0: as many as go through (default:"
                            + " ${DEFAULT-VALUE})")
    private double rate;

    @Option(
            names = "--outstanding",
            paramLabel = "N",
            description = "messages under way at once (default: 8 in fanout, 1000 in unicast)")
    private @Nullable Integer outstanding;

    @Option(
            names = "--delivery",
            paramLabel = "KIND",
            defaultValue = "EACH",
            description =
                    "EACH: stored, flushed, acknowledged by the device; ONLINE: to those"
                            + " connected, without acks (default: ${DEFAULT-VALUE})")
    private Delivery delivery = Delivery.EACH;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "8",
            description = "how long to measure, after a warm-up (default: ${DEFAULT-VALUE})")
    private int seconds;

    @Option(
            names = "--warm-up",
            paramLabel = "N",
            defaultValue = "" + Messages.WARM_UP_SECONDS,
            description =
                    "fanout, unicast, shops: how long before, in seconds (default:"
                            + " ${DEFAULT-VALUE})")
    private int warmUp;

    @Option(
            names = "--registered",
            paramLabel = "N",
            defaultValue = "100000",
            description = "broadcast: how many devices the app has (default: ${DEFAULT-VALUE})")
    private int registered;

    @Option(names = "--json", description = "print the line of JSON only")
    private boolean json;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "5",
            description = "compare: runs of each, in turns (default: ${DEFAULT-VALUE})")
    private int rounds;

    @Option(
            names = "--stored",
            paramLabel = "N",
            defaultValue = "1000000",
            description = "growth: how many messages in the end (default: ${DEFAULT-VALUE})")
    private long stored;

    @Option(
            names = "--out",
            paramLabel = "FOLDER",
            defaultValue = "docs/plots",
            description = "plots: where they go (default: ${DEFAULT-VALUE})")
    private String folder = "";

    @Option(
            names = "--only",
            paramLabel = "TEXT",
            defaultValue = "",
            description = "compare: only the rows whose name has this in it")
    private String only = "";

    private Bench(PrintStream out, PrintStream err) {
        this.out = out;
        this.err = err;
    }

    public static void main(String[] args) {
        Bench bench = new Bench(System.out, System.err);
        System.exit(new CommandLine(bench).setCaseInsensitiveEnumValuesAllowed(true).execute(args));
    }

    static Peers peers() {
        return new Peers(
                List.of(System.getProperty("postrider.launcher", "./postrider")),
                Path.of(System.getProperty("postrider.hivemq", "bench-hivemq/target")));
    }

    private Scenario named(String name) {
        return switch (name) {
            case "idle" -> Connections.idle();
            case "connect" -> Connections.connect();
            case "storm" -> new Storm();
            case "fanout" -> Messages.fanout(warmUp);
            case "unicast" -> Messages.unicast(warmUp);
            case "shops" -> Messages.shops(warmUp);
            case "shopstorm" -> new ShopStorm();
            case "offline" -> new Offline();
            case "broadcast" -> new Broadcast(registered);
            case "growth" -> new Growth(stored);
            default -> throw new IllegalArgumentException("there is no scenario " + name);
        };
    }

    @Override
    public Integer call() throws Exception {
        try {
            check();
            return switch (scenario) {
                case "compare" -> new Compare(peers(), out, err, rounds, only).run();
                case "plots" -> plots();
                default -> runOne();
            };
        } catch (IllegalArgumentException | UnsupportedOperationException e) {
            err.println(e.getMessage() + "; see ./postrider bench --help");
            return 2;
        }
    }

    private void check() {
        if (!Files.exists(Path.of("/proc/self/smaps_rollup"))) {
            throw new UnsupportedOperationException("bench measures by /proc, so on Linux only");
        }
        if (!Peers.NAMES.contains(target)) {
            throw new IllegalArgumentException(
                    "there is no target " + target + ", but " + String.join(", ", Peers.NAMES));
        }
        boolean positive =
                (connections == null || connections > 0)
                        && (outstanding == null || outstanding > 0)
                        && rate >= 0
                        && seconds > 0
                        && registered > 0
                        && stored > 0
                        && rounds > 0;
        if (!positive) {
            throw new IllegalArgumentException("numbers must be greater than 0");
        }
    }

    private int plots() throws Exception {
        new Plots(peers(), err, Path.of(folder)).draw();
        return 0;
    }

    private int runOne() throws Exception {
        Figures figures = runOnce(peers(), target, named(scenario), load(), new Progress(err));
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("scenario", scenario);
        line.put("target", target);
        line.put("delivery", delivery.name().toLowerCase(Locale.ROOT));
        line.put("rate", rate);
        line.putAll(figures.values());
        if (!json) {
            line.forEach((name, value) -> err.printf("  %-28s %s%n", name, value));
        }
        out.println(new ObjectMapper().writeValueAsString(line));
        double lost = figures.number("lost");
        return lost > 0 ? 1 : 0;
    }

    private Load load() {
        int many =
                switch (scenario) {
                    case "idle", "connect", "storm" -> 10_000;
                    case "shopstorm" -> 18_000;
                    case "shops" -> 3_000;
                    case "offline" -> 500;
                    default -> 1_000;
                };
        int underWay = scenario.equals("fanout") ? 8 : 1_000;
        return new Load(
                connections == null ? many : connections,
                rate,
                seconds,
                outstanding == null ? underWay : outstanding,
                delivery);
    }

    /** Starts the peer for this run alone. */
    static Figures runOnce(
            Peers peers, String target, Scenario scenario, Load load, Progress progress)
            throws Exception {
        try (Peer peer = peers.start(target);
                Loops loops = new Loops(1)) {
            return scenario.run(peer, loops, load, progress);
        }
    }
}
