package io.postrider.bench;

import io.postrider.bench.peer.Peer.Delivery;
import io.postrider.bench.peer.Peers;
import io.postrider.bench.scenario.Connections;
import io.postrider.bench.scenario.Messages;
import io.postrider.bench.scenario.Offline;
import io.postrider.bench.scenario.Scenario;
import io.postrider.bench.scenario.Scenario.Load;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.ObjectMapper;

/**
 * The same load on Postrider and on the peers that are installed, in turns within the same minutes,
 * since a machine is another one an hour later. Tells medians and their ratios.
 */
final class Compare {
    private static final int SECONDS = 8;

    private final Peers peers;
    private final PrintStream out;
    private final PrintStream err;
    private final int rounds;
    private boolean lost;

    /**
     * One row.
     *
     * @param load of Postrider
     * @param theirs how the peers deliver, who may promise less
     * @param figure what of a run is compared
     * @param against the peers that can do it
     */
    private record Row(
            String name,
            Scenario scenario,
            Load load,
            Delivery theirs,
            String figure,
            List<String> against) {}

    Compare(Peers peers, PrintStream out, PrintStream err, int rounds) {
        this.peers = peers;
        this.out = out;
        this.err = err;
        this.rounds = rounds;
    }

    private static Load load(int connections, double rate, int outstanding, Delivery ours) {
        return new Load(connections, rate, SECONDS, outstanding, ours);
    }

    private static List<Row> rows() {
        Scenario fanout = Messages.fanout();
        Scenario unicast = Messages.unicast();
        List<String> all = List.of("nats", "nchan", "mosquitto", "hivemq");
        List<String> mqtt = List.of("mosquitto", "hivemq");
        String cpu = "cpuSecondsPerMillion";
        return List.of(
                new Row(
                        "idle connection, KB resident",
                        Connections.idle(),
                        load(10_000, 0, 0, Delivery.EACH),
                        Delivery.EACH,
                        "residentKb",
                        all),
                new Row(
                        "connect and prove it, CPU ms",
                        Connections.connect(),
                        load(10_000, 0, 0, Delivery.EACH),
                        Delivery.EACH,
                        "cpuMsPerConnect",
                        all),
                new Row(
                        "fan-out to 1,000, no acks, CPU s/M",
                        fanout,
                        load(1_000, 0, 8, Delivery.ONLINE),
                        Delivery.ONLINE,
                        cpu,
                        all),
                new Row(
                        "fan-out to 5,000, no acks, CPU s/M",
                        fanout,
                        load(5_000, 0, 4, Delivery.ONLINE),
                        Delivery.ONLINE,
                        cpu,
                        all),
                new Row(
                        "fan-out to 1,000, stored and acked (theirs: not), CPU s/M",
                        fanout,
                        load(1_000, 0, 8, Delivery.EACH),
                        Delivery.ONLINE,
                        cpu,
                        all),
                new Row(
                        "fan-out to 1,000 at 20/s, no acks, p99 ms",
                        fanout,
                        load(1_000, 20, 0, Delivery.ONLINE),
                        Delivery.ONLINE,
                        "p99Ms",
                        all),
                new Row(
                        "1:1 stored and acked (theirs: in memory), CPU s/M",
                        unicast,
                        load(1_000, 0, 1_000, Delivery.EACH),
                        Delivery.EACH,
                        cpu,
                        all),
                new Row(
                        "1:1 at 2,000/s, p99 ms",
                        unicast,
                        load(1_000, 2_000, 0, Delivery.EACH),
                        Delivery.EACH,
                        "p99Ms",
                        all),
                new Row(
                        "offline, flushed (theirs: in memory), published/s",
                        new Offline(),
                        load(500, 0, 0, Delivery.EACH),
                        Delivery.EACH,
                        "publishedPerSecond",
                        mqtt),
                new Row(
                        "drain after reconnect, deliveries/s",
                        new Offline(),
                        load(500, 0, 0, Delivery.EACH),
                        Delivery.EACH,
                        "perSecond",
                        mqtt));
    }

    int run() throws Exception {
        List<String> installed = peers.installed();
        err.println("compared: " + String.join(", ", installed) + "; " + rounds + " runs of each");
        List<Map<String, Object>> results = new ArrayList<>();
        for (Row row : rows()) {
            results.add(run(row, installed));
        }
        out.println(
                new ObjectMapper()
                        .writeValueAsString(Map.of("scenario", "compare", "rows", results)));
        return lost ? 1 : 0;
    }

    private Map<String, Object> run(Row row, List<String> installed) throws Exception {
        Map<String, List<Double>> found = new LinkedHashMap<>();
        for (int round = 0; round < rounds; round++) {
            for (String target : installed) {
                boolean ours = target.equals("postrider");
                if (ours || row.against.contains(target)) {
                    Load load = ours ? row.load : withDelivery(row.load, row.theirs);
                    Figures figures =
                            Bench.runOnce(peers, target, row.scenario, load, new Progress(err));
                    if (figures.number("lost") > 0) {
                        err.println(target + " lost messages in: " + row.name);
                        lost = true;
                    }
                    double value = figures.number(row.figure);
                    found.computeIfAbsent(target, name -> new ArrayList<>()).add(value);
                }
            }
        }
        err.println();
        err.println(row.name);
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("name", row.name);
        double ours = median(found.getOrDefault("postrider", List.of()));
        found.forEach((target, values) -> {
            double median = median(values);
            double least = values.stream().mapToDouble(d -> d).min().orElse(0);
            double most = values.stream().mapToDouble(d -> d).max().orElse(0);
            err.printf(
                    Locale.ROOT,
                    "  %-12s %,12.3f  (%,.3f to %,.3f)  ours / theirs %.2f%n",
                    target,
                    median,
                    least,
                    most,
                    ours / median);
            line.put(target, List.of(least, median, most));
        });
        return line;
    }

    private static Load withDelivery(Load load, Delivery delivery) {
        return new Load(
                load.connections(), load.rate(), load.seconds(), load.outstanding(), delivery);
    }

    private static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.isEmpty() ? Double.NaN : sorted.get(sorted.size() / 2);
    }
}
