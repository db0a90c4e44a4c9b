package io.postrider.bench.peer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.stream.Stream;

/**
 * Three nodes on the PostgreSQL and the Redis that the environment names. Devices are at one after
 * the other, and so are publishes: two of three are made at another node than their device's.
 */
final class PostriderClusterPeer extends PostriderPeer {
    private static final int OTHERS = 2;

    private final List<Node> others;

    private record Node(Path folder, ServerProcess process, Matcher ready)
            implements AutoCloseable {
        static Node start(List<String> launcher, int number)
                throws IOException, InterruptedException {
            Path folder = Folders.newTemporary();
            ServerProcess process = serve(folder, launcher, "--node=bench-" + number);
            return new Node(folder, process, process.awaitLine(READY));
        }

        int gateway() {
            return Integer.parseInt(ready.group(2));
        }

        @Override
        public void close() {
            process.close();
            Folders.delete(folder);
        }
    }

    private PostriderClusterPeer(Node first, List<Node> others) {
        super("postrider-cluster", first.folder, first.process, first.ready);
        this.others = others;
    }

    static PostriderClusterPeer start(List<String> launcher)
            throws IOException, InterruptedException {
        for (String needed : List.of("POSTRIDER_STORE", "POSTRIDER_CLUSTER")) {
            if (System.getenv(needed) == null) {
                throw new IOException(
                        "postrider-cluster needs a PostgreSQL and a Redis: set POSTRIDER_STORE and"
                                + " POSTRIDER_CLUSTER (docs/operations.md)");
            }
        }
        Node first = Node.start(launcher, 0);
        List<Node> others = new ArrayList<>();
        for (int i = 1; i <= OTHERS; i++) {
            others.add(Node.start(launcher, i));
        }
        return new PostriderClusterPeer(first, others);
    }

    @Override
    public List<Long> pids() {
        return Stream.concat(super.pids().stream(), others.stream().map(node -> node.process.pid()))
                .toList();
    }

    @Override
    public int port(int device) {
        int at = device % (OTHERS + 1);
        return at == OTHERS ? port() : others.get(at).gateway();
    }

    @Override
    public Publishing publishing(Loops loops, Delivery delivery) throws Exception {
        List<Publishing> nodes = new ArrayList<>();
        for (int i = 0; i <= OTHERS; i++) {
            nodes.add(publishing(loops, delivery, port(i)));
        }
        AtomicInteger next = new AtomicInteger();
        return (device, sentNanos, taken) ->
                nodes.get(Math.floorMod(next.getAndIncrement(), nodes.size()))
                        .publish(device, sentNanos, taken);
    }

    @Override
    public void close() {
        others.forEach(Node::close);
        super.close();
    }
}
