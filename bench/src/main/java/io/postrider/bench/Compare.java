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
    private static final String CPU = "cpuSecondsPerMillion";
    private static final String P99 = "p99Ms";

    private final Peers peers;
    private final PrintStream out;
    private final PrintStream err;
    private final int rounds;
    private final String only;
    private boolean lost;

    /**
     * One row.
     *
     * @param load of ours
     * @param theirs how the peers deliver, who may promise less
     * @param figures what of a run is compared
     * @param ours the target that is us
     * @param against the targets that are not
     */
    private record Row(
            String name,
            Scenario scenario,
            Load load,
            Delivery theirs,
            List<String> figures,
            String ours,
            List<String> against) {

        Row(String name, Scenario scenario, Load load) {
            this(name, scenario, load, load.delivery(), List.of(CPU), "postrider", List.of());
        }

        Row delivering(Delivery delivery) {
            return new Row(name, scenario, load, delivery, figures, ours, against);
        }

        Row telling(String... told) {
            return new Row(name, scenario, load, theirs, List.of(told), ours, against);
        }

        Row by(String target) {
            return new Row(name, scenario, load, theirs, figures, target, against);
        }

        Row against(String... targets) {
            return new Row(name, scenario, load, theirs, figures, ours, List.of(targets));
        }

        List<String> targets(List<String> installed) {
            List<String> all = new ArrayList<>(List.of(ours));
            against.stream().filter(installed::contains).forEach(all::add);
            return all;
        }

        Load loadOf(String target) {
            return target.equals(ours)
                    ? load
                    : new Load(
                            load.connections(),
                            load.rate(),
                            load.seconds(),
                            load.outstanding(),
                            theirs);
        }
    }

    Compare(Peers peers, PrintStream out, PrintStream err, int rounds, String only) {
        this.only = only;
        this.peers = peers;
        this.out = out;
        this.err = err;
        this.rounds = rounds;
    }

    private static Load load(int connections, double rate, int outstanding, Delivery ours) {
        return new Load(connections, rate, SECONDS, outstanding, ours);
    }

    /** Each row with the peers that its gates name (docs/benchmarks.md). */
    private static List<Row> rows() {
        Scenario fanout = Messages.fanout(Messages.WARM_UP_SECONDS);
        Scenario unicast = Messages.unicast(Messages.WARM_UP_SECONDS);
        Load many = load(10_000, 0, 0, Delivery.EACH);
        Load oneToOne = load(1_000, 0, 1_000, Delivery.EACH);
        return List.of(
                new Row("idle connection", Connections.idle(), many)
                        .telling("residentKb", "liveHeapKb")
                        .against("hivemq", "mosquitto", "nats"),
                new Row("connect and prove it", Connections.connect(), many)
                        .telling("cpuMsPerConnect")
                        .against("nats"),
                new Row("fan-out to 1,000, no acks", fanout, online(1_000, 0, 8)).against("nats"),
                new Row("fan-out to 5,000, no acks", fanout, online(5_000, 0, 4)).against("nats"),
                new Row(
                                "fan-out to 1,000, stored and acked (theirs: not)",
                                fanout,
                                load(1_000, 0, 8, Delivery.EACH))
                        .delivering(Delivery.ONLINE)
                        .against("hivemq", "nchan"),
                new Row("fan-out to 1,000 at 20/s, no acks", fanout, online(1_000, 20, 0))
                        .telling(P99, CPU)
                        .against("nats", "nchan", "mosquitto", "hivemq"),
                new Row(
                                "fan-out to 1,000 at 20/s, stored and acked (theirs: not)",
                                fanout,
                                load(1_000, 20, 0, Delivery.EACH))
                        .delivering(Delivery.ONLINE)
                        .against("nchan"),
                new Row("1:1, stored and acked (theirs: in memory)", unicast, oneToOne)
                        .against("mosquitto", "hivemq"),
                new Row("1:1 at 2,000/s", unicast, load(1_000, 2_000, 0, Delivery.EACH))
                        .telling("p50Ms", P99)
                        .against("hivemq", "mosquitto"),
                new Row("REST to WebSockets, stored and acked (theirs: not)", unicast, oneToOne)
                        .by("postrider-rest")
                        .against("nchan"),
                new Row("batches to WebSockets, stored and acked (theirs: not)", unicast, oneToOne)
                        .by("postrider-batch")
                        .against("nchan"),
                new Row(
                                "offline, then drained; flushed (theirs: not)",
                                new Offline(),
                                load(500, 0, 0, Delivery.EACH))
                        .telling("publishedPerSecond", "publishCpuSecondsPerMillion", "perSecond")
                        .against("jetstream", "mosquitto", "hivemq"));
    }

    private static Load online(int connections, double rate, int outstanding) {
        return load(connections, rate, outstanding, Delivery.ONLINE);
    }

    int run() throws Exception {
        List<String> installed = peers.installed();
        err.println("compared: " + String.join(", ", installed) + "; " + rounds + " runs of each");
        List<Map<String, Object>> results = new ArrayList<>();
        for (Row row : rows()) {
            if (row.name.contains(only)) {
                results.add(run(row, installed));
            }
        }
        out.println(
                new ObjectMapper()
                        .writeValueAsString(Map.of("scenario", "compare", "rows", results)));
        return lost ? 1 : 0;
    }

    private Map<String, Object> run(Row row, List<String> installed) throws Exception {
        List<String> targets = row.targets(installed);
        Map<String, List<Figures>> found = new LinkedHashMap<>();
        for (int round = 0; round < rounds; round++) {
            for (String target : targets) {
                Figures figures =
                        Bench.runOnce(
                                peers, target, row.scenario, row.loadOf(target), new Progress(err));
                if (figures.number("lost") > 0) {
                    err.println(target + " lost messages in: " + row.name);
                    lost = true;
                }
                found.computeIfAbsent(target, name -> new ArrayList<>()).add(figures);
            }
        }
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("name", row.name);
        for (String figure : row.figures) {
            err.println();
            err.println(row.name + ": " + figure);
            Map<String, List<Double>> values = new LinkedHashMap<>();
            found.forEach((target, runs) -> values.put(target, sorted(runs, figure)));
            double ours = median(values.getOrDefault(row.ours, List.of(Double.NaN)));
            values.forEach((target, sorted) -> tell(target, sorted, ours));
            line.put(figure, values);
        }
        return line;
    }

    private void tell(String target, List<Double> sorted, double ours) {
        err.printf(
                Locale.ROOT,
                "  %-16s %,12.3f  (%,.3f to %,.3f)  ours / theirs %.2f%n",
                target,
                median(sorted),
                sorted.getFirst(),
                sorted.getLast(),
                ours / median(sorted));
    }

    private static List<Double> sorted(List<Figures> runs, String figure) {
        return runs.stream().map(run -> run.number(figure)).sorted().toList();
    }

    private static double median(List<Double> sorted) {
        return sorted.get(sorted.size() / 2);
    }
}
