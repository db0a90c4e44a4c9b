package io.postrider.bench;

import io.postrider.bench.Plot.Point;
import io.postrider.bench.peer.Peer.Delivery;
import io.postrider.bench.peer.Peers;
import io.postrider.bench.scenario.Connections;
import io.postrider.bench.scenario.Messages;
import io.postrider.bench.scenario.Scenario;
import io.postrider.bench.scenario.Scenario.Load;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs Postrider at several sizes, and draws what it cost. */
final class Plots {
    private static final int SECONDS = 6;
    private static final List<Integer> CONNECTIONS = List.of(1_000, 2_500, 5_000, 10_000, 15_000);
    private static final List<Integer> RATES = List.of(500, 1_000, 2_000, 5_000, 10_000, 20_000);

    private final Peers peers;
    private final PrintStream err;
    private final Path folder;

    Plots(Peers peers, PrintStream err, Path folder) {
        this.peers = peers;
        this.err = err;
        this.folder = folder;
    }

    private Figures run(Scenario scenario, Load load) throws Exception {
        Figures figures = Bench.runOnce(peers, "postrider", scenario, load, new Progress(err));
        err.println("  " + load + ": " + figures.values());
        return figures;
    }

    void draw() throws Exception {
        Files.createDirectories(folder);
        connections();
        rates();
    }

    private void connections() throws Exception {
        List<Point> acked = new ArrayList<>();
        List<Point> unacked = new ArrayList<>();
        List<Point> memory = new ArrayList<>();
        for (int many : CONNECTIONS) {
            Load each = new Load(many, 0, SECONDS, 4, Delivery.EACH);
            Load online = new Load(many, 0, SECONDS, 4, Delivery.ONLINE);
            String cpu = "cpuSecondsPerMillion";
            acked.add(
                    new Point(
                            many,
                            run(Messages.fanout(Messages.WARM_UP_SECONDS), each).number(cpu)));
            unacked.add(
                    new Point(
                            many,
                            run(Messages.fanout(Messages.WARM_UP_SECONDS), online).number(cpu)));
            memory.add(new Point(many, run(Connections.idle(), each).number("residentKb")));
        }
        save(
                "fanout-cpu",
                new Plot(
                                "Fan-out: CPU of a delivery against connections",
                                "connections",
                                "CPU s per million")
                        .line("acked", acked)
                        .line("without acks", unacked));
        save(
                "idle-memory",
                new Plot(
                                "Idle connections: resident memory of each",
                                "connections",
                                "KB a connection")
                        .line("resident", memory));
    }

    private void rates() throws Exception {
        List<Point> middle = new ArrayList<>();
        List<Point> slowest = new ArrayList<>();
        for (int rate : RATES) {
            Load load = new Load(1_000, rate, SECONDS, 1, Delivery.EACH);
            Figures figures = run(Messages.unicast(Messages.WARM_UP_SECONDS), load);
            middle.add(new Point(rate, figures.number("p50Ms")));
            slowest.add(new Point(rate, figures.number("p99Ms")));
        }
        save(
                "unicast-latency",
                new Plot(
                                "1:1, stored and flushed: latency against rate",
                                "messages a second, at fixed times",
                                "ms from when it was due")
                        .line("p50", middle)
                        .line("p99", slowest));
    }

    private void save(String name, Plot plot) throws IOException {
        Files.writeString(folder.resolve(name + ".svg"), plot.svg());
    }
}
