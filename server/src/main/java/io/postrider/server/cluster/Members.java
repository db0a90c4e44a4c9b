package io.postrider.server.cluster;

import io.postrider.server.delivery.NodeRegistry;
import io.postrider.server.delivery.NodeRegistry.Node;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
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

    /** The gateways of all nodes, in the order in which this device is to try them. */
    public List<String> gatewaysFor(String device) {
        return gateways(running, device);
    }

    /** As {@link #gatewaysFor}, without the node that has these. */
    public List<String> gatewaysFor(String device, List<String> without) {
        List<Node> others =
                running.stream().filter(node -> !node.self().gateways().equals(without)).toList();
        return gateways(others, device);
    }

    private static List<String> gateways(List<Node> nodes, String device) {
        return inOrder(nodes, device).stream()
                .flatMap(node -> node.self().gateways().stream())
                .toList();
    }

    static List<Node> inOrder(List<Node> nodes, String device) {
        return nodes.stream()
                .filter(node -> !node.self().gateways().isEmpty())
                .sorted(Comparator.comparingDouble((Node node) -> lot(node, device)).reversed())
                .toList();
    }

    /** Its gateway is what a node keeps over its restarts. */
    private static double lot(Node node, String device) {
        long hash = hash(node.self().gateways().get(0) + "\n" + device);
        double draw = ((hash >>> 11) + 0.5) / (1L << 53);
        return -node.self().capacity() / Math.log(draw);
    }

    private static long hash(String text) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest(text.getBytes(StandardCharsets.UTF_8));
            return ByteBuffer.wrap(digest).getLong();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
