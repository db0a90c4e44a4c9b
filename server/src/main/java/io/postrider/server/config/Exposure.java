package io.postrider.server.config;

import java.net.URI;
import java.util.List;
import java.util.Set;

/** Whether others than this machine can reach a server, as far as its settings tell. */
public final class Exposure {
    private static final Set<String> SCHEMES = Set.of("ws", "wss", "tcp", "tls");

    private Exposure() {}

    /**
     * Bound to an address of the network, told to devices under one, or behind a proxy: what is
     * open to everybody on this machine must not be open to everybody.
     */
    public static boolean isExposed(Settings settings) {
        return !isLoopback(settings.bind())
                || settings.trustedProxies().isPresent()
                || settings.advertise().orElse(List.of()).stream()
                        .anyMatch(address -> !isLoopback(URI.create(address).getHost()));
    }

    /** Names are not looked up: of them, only localhost is known to be this machine. */
    static boolean isLoopback(String host) {
        String bare = host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
        return bare.equals("localhost")
                || (Network.isAddress(bare) && Network.parse(bare).isLoopbackAddress());
    }

    static void checkAdvertised(String address) {
        try {
            URI uri = URI.create(address);
            if (uri.getScheme() != null
                    && SCHEMES.contains(uri.getScheme())
                    && uri.getHost() != null
                    && uri.getPort() > 0
                    && uri.getPort() <= 65_535
                    && uri.getUserInfo() == null
                    && uri.getQuery() == null
                    && uri.getFragment() == null) {
                return;
            }
        } catch (IllegalArgumentException e) {
            // Answered as every other mistake in it is.
        }
        throw new SettingsException(
                "advertise has '"
                        + address
                        + "'; each address is ws://host:port, wss://host:port, tcp://host:port or"
                        + " tls://host:port");
    }
}
