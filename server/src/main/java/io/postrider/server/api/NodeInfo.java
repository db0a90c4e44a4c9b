package io.postrider.server.api;

import java.util.List;

/** What REST tells of this node. */
public record NodeInfo(
        String name,
        List<GatewayAddress> gateways,
        int heartbeatSeconds,
        int registrationsPerSecond) {

    /** Where devices connect: transport {@code ws} or {@code tcp}, and a URL of that scheme. */
    public record GatewayAddress(String transport, String address) {}
}
