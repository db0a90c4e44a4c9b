package io.postrider.server.demo;

import io.postrider.server.cli.CliException;
import io.postrider.server.demo.Check.Result;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.databind.ObjectMapper;

/** The verb {@code demo}. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = {
            "Publishes a week of earthquakes to 2,000 devices of a node that it starts, cuts"
                    + " connections, kills the node once, and checks that every device has every"
                    + " message that it should have, once. Under 90 s; exit 0 only if all is right;"
                    + " the last line of stdout is one JSON object.",
            "",
            "With --cluster it does so on three nodes with a PostgreSQL and a Redis of their own,"
                    + " kills a node, stops Redis, and kills and restarts PostgreSQL. Under 180 s;"
                    + " the first time it fetches PostgreSQL and Redis: 80 MB."
        })
public final class DemoCommand implements Callable<Integer> {
    private final PrintStream out;
    private final PrintStream err;

    @Option(
            names = "--log",
            paramLabel = "DIR",
            description =
                    "Keep accepted.ndjson and received.ndjson, from which the figures are computed,"
                            + " and the server's log there.")
    private @Nullable Path log;

    @Option(names = "--cluster", description = "Three nodes, PostgreSQL and Redis.")
    private boolean cluster;

    public DemoCommand(PrintStream out, PrintStream err) {
        this.out = out;
        this.err = err;
    }

    @Override
    public Integer call() throws IOException, InterruptedException, ExecutionException {
        long began = System.nanoTime();
        Path folder = Files.createTempDirectory("postrider-demo");
        Path receipts = log == null ? folder.resolve("receipts") : log;
        Files.createDirectories(receipts);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder)));
        try (Stage stage = stage(folder.resolve("data"), receipts)) {
            Runtime.getRuntime().addShutdownHook(new Thread(stage::close));
            Demo.Outcome outcome = new Demo(receipts, stage, err).run();
            return report(outcome, stage.happened(), (System.nanoTime() - began) / 1e9);
        }
    }

    private Stage stage(Path data, Path logs) {
        if (!cluster) {
            return new OneNode(data, logs.resolve("server.log"));
        }
        try {
            Class.forName("io.postrider.backends.PostgresServer");
            return new ThreeNodes(data, logs);
        } catch (ClassNotFoundException notInTheJar) {
            throw new CliException(
                    "demo --cluster needs PostgreSQL and Redis, which are not in this jar;"
                            + " start it by ./postrider");
        }
    }

    private int report(Demo.Outcome outcome, Map<String, Integer> happened, double seconds) {
        Result result = outcome.result();
        err.println();
        row("messages accepted", result.accepted(), "");
        row("deliveries targeted", result.targeted(), "by what each device asked for");
        row("delivered", result.delivered(), "as each device wrote down");
        row("lost", result.lost(), "");
        row("delivered unasked", result.unexpected(), "");
        row("duplicates seen", result.duplicatesSeen(), "by a device's app");
        row("duplicates suppressed", result.suppressed(), "by the SDK");
        row("redeliveries", result.redeliveries(), "marked attempt 2 or more");
        row("wrong counts", outcome.wrongCounts(), "messages of which the server says otherwise");
        err.printf(
                Locale.ROOT,
                "  %-22s %,10.1f ms, p99 %,.1f ms%n",
                "p50, first quarter",
                result.p50Ms(),
                result.p99Ms());
        err.println();
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("accepted", result.accepted());
        line.put("targeted", result.targeted());
        line.put("delivered", result.delivered());
        line.put("lost", result.lost());
        line.put("duplicatesSeen", result.duplicatesSeen());
        line.put("wrongCounts", outcome.wrongCounts());
        line.put("unexpected", result.unexpected());
        line.put("suppressedDuplicates", result.suppressed());
        line.put("redeliveries", result.redeliveries());
        line.putAll(happened);
        line.put("p50Ms", result.p50Ms());
        line.put("p99Ms", result.p99Ms());
        line.put("seconds", Math.round(seconds * 10) / 10.0);
        out.println(new ObjectMapper().writeValueAsString(line));
        boolean right =
                result.lost() == 0
                        && result.unexpected() == 0
                        && result.duplicatesSeen() == 0
                        && outcome.wrongCounts() == 0;
        return right ? 0 : 1;
    }

    private void row(String name, long value, String more) {
        err.printf(Locale.ROOT, "  %-22s %,10d  %s%n", name, value, more);
    }

    private static void delete(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
            for (Path file : deepestFirst) {
                Files.deleteIfExists(file);
            }
        } catch (IOException leftBehind) {
            // The system empties its folder for temporary files.
        }
    }
}
