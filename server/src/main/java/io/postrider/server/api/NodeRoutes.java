package io.postrider.server.api;

import io.postrider.server.api.NodeInfo.GatewayAddress;
import io.postrider.server.delivery.NodeRegistry.Node;
import java.time.Instant;
import java.util.List;

/** Which nodes there are, and where a device is to connect. */
final class NodeRoutes {
    private static final int MOST_DEVICE_ID = 128;

    private final NodeInfo node;

    NodeRoutes(NodeInfo node) {
        this.node = node;
    }

    List<Route> routes() {
        return List.of(
                Route.get("/v1/gateways", Access.PUBLIC, this::gateways),
                Route.get("/v1/nodes", Access.DEVELOPER, this::nodes));
    }

    record GatewaysView(List<GatewayAddress> gateways) {}

    record NodeView(
            String node,
            String version,
            List<GatewayAddress> gateways,
            int capacity,
            Instant startedAt) {}

    record NodesView(List<NodeView> nodes) {}

    private Answer gateways(Request request) {
        String device = request.query("device");
        if (device == null || device.isEmpty() || device.length() > MOST_DEVICE_ID) {
            throw Problem.field(
                    ErrorCode.INVALID_VALUE,
                    "device",
                    "device is a deviceId, 1 to " + MOST_DEVICE_ID + " characters.");
        }
        return Answer.json(200, new GatewaysView(node.gatewaysFor(device)));
    }

    private Answer nodes(Request request) {
        return Answer.json(
                200, new NodesView(node.nodes().stream().map(NodeRoutes::view).toList()));
    }

    private static NodeView view(Node node) {
        return new NodeView(
                node.self().name(),
                node.self().version(),
                node.self().gateways().stream().map(GatewayAddress::of).toList(),
                node.self().capacity(),
                Instant.ofEpochMilli(node.startedAt()));
    }
}
