package io.postrider.server.api;

import io.postrider.server.delivery.NodeRegistry.Node;
import java.net.URI;
import java.util.List;

/** What REST tells of this node. The gateways are known once it listens. */
public final class NodeInfo {
    private final boolean exposed;
    private final int heartbeatSeconds;
    private final int registrationsPerSecond;
    private volatile List<GatewayAddress> gateways = List.of();
    private volatile Neighbours neighbours =
            new Neighbours() {
                @Override
                public List<Node> nodes() {
                    return List.of();
                }

                @Override
                public List<String> gatewaysFor(String device) {
                    return List.of();
                }
            };

    /**
     * @param exposed others than this machine can reach the node
     */
    public NodeInfo(int heartbeatSeconds, int registrationsPerSecond, boolean exposed) {
        this.exposed = exposed;
        this.heartbeatSeconds = heartbeatSeconds;
        this.registrationsPerSecond = registrationsPerSecond;
    }

    /** Where devices connect: transport {@code ws} or {@code tcp}, and a URL. */
    public record GatewayAddress(String transport, String address) {
        /**
         * @param url ws:// or wss://, whose path is /gateway unless it has one; tcp:// or tls://
         */
        public static GatewayAddress of(String url) {
            boolean ws = url.startsWith("ws");
            boolean bare = URI.create(url).getPath().isEmpty();
            return new GatewayAddress(ws ? "ws" : "tcp", ws && bare ? url + "/gateway" : url);
        }
    }

    /** Names where devices are told to connect. */
    public void gateways(List<GatewayAddress> told) {
        gateways = List.copyOf(told);
    }

    /** Names who knows of the other nodes; where there are any. */
    public void among(Neighbours known) {
        neighbours = known;
    }

    /** What is known of all nodes on the same store. Never blocks. */
    public interface Neighbours {
        /** In the order of their starts. */
        List<Node> nodes();

        /** The gateways of all nodes, in the order in which this device is to try them. */
        List<String> gatewaysFor(String device);
    }

    /** Where a device connects, in the order in which it tries them. */
    List<GatewayAddress> gatewaysFor(String device) {
        List<GatewayAddress> all =
                neighbours.gatewaysFor(device).stream().map(GatewayAddress::of).toList();
        return all.isEmpty() ? gateways : all;
    }

    List<Node> nodes() {
        return neighbours.nodes();
    }

    /** Where WebSockets of another path than devices' connect. */
    String webSocket(String pathAndQuery) {
        URI first =
                URI.create(
                        gateways.stream()
                                .filter(gateway -> gateway.transport.equals("ws"))
                                .findFirst()
                                .orElse(gateways.get(0))
                                .address);
        boolean encrypted = first.getScheme().equals("wss") || first.getScheme().equals("tls");
        return (encrypted ? "wss://" : "ws://") + first.getRawAuthority() + pathAndQuery;
    }

    boolean isExposed() {
        return exposed;
    }

    int heartbeatSeconds() {
        return heartbeatSeconds;
    }

    int registrationsPerSecond() {
        return registrationsPerSecond;
    }
}
