package io.postrider.server.cluster;

import io.postrider.server.delivery.NodeRegistry;
import io.postrider.server.delivery.NodeRegistry.Node;
import io.postrider.server.delivery.Placement;
import java.util.Comparator;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The nodes that run, as of the last look, and in which order a device is to try them. Thread-safe.
 *
 * <p>The order is by weighted rendezvous hashing: each node draws a lot for each device, the better
 * the more it can take, and nodes come in the order of their lots. So a device tends to the same
 * node, and one that leaves moves its own devices only.
 */
public final class Members {
    private static final Logger LOG = LoggerFactory.getLogger(Members.class);

    private final NodeRegistry registry;
    private volatile List<Node> running = List.of();

    public Members(NodeRegistry registry) {
        this.registry = registry;
    }

    /** Looks which nodes run; keeps what it knows while the store cannot be asked. Blocks. */
    public void refresh() {
        try {
            running = registry.running();
        } catch (RuntimeException e) {
            LOG.debug("the nodes that run could not be read", e);
        }
    }

    /** In the order of their starts. Never blocks. */
    public List<Node> running() {
        return running;
    }

    /**
     * The gateways of all nodes, in the order in which a device is to try them.
     *
     * @param device its {@link Placement}
     */
    public List<String> gatewaysFor(long device) {
        return gateways(running, device);
    }

    /** As {@link #gatewaysFor}, without the node that has these. */
    public List<String> gatewaysFor(long device, List<String> without) {
        List<Node> others =
                running.stream().filter(node -> !node.self().gateways().equals(without)).toList();
        return gateways(others, device);
    }

    private static List<String> gateways(List<Node> nodes, long device) {
        return inOrder(nodes, device).stream()
                .flatMap(node -> node.self().gateways().stream())
                .toList();
    }

    static List<Node> inOrder(List<Node> nodes, long device) {
        return nodes.stream()
                .filter(node -> !node.self().gateways().isEmpty())
                .sorted(Comparator.comparingDouble((Node node) -> lot(node, device)).reversed())
                .toList();
    }

    /** Its gateway is what a node keeps over its restarts. */
    private static double lot(Node node, long device) {
        long hash = Placement.of(node.self().gateways().get(0), device);
        double draw = ((hash >>> 11) + 0.5) / (1L << 53);
        return -node.self().capacity() / Math.log(draw);
    }
}
