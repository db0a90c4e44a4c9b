package io.postrider.client;

import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Where a device connects. */
public final class Gateway {
    private static final List<String> SCHEMES = Arrays.asList("ws", "wss", "tcp", "tls");

    private final String address;

    private Gateway(String address) {
        this.address = address;
    }

    /**
     * @param address {@code ws://host:port/gateway} or {@code tcp://host:port}; with TLS {@code
     *     wss://} or {@code tls://}
     * @throws IllegalArgumentException if it is neither
     */
    public static Gateway of(String address) {
        URI uri = URI.create(address);
        boolean known = uri.getScheme() != null && SCHEMES.contains(uri.getScheme());
        if (!known || uri.getHost() == null || uri.getPort() < 0) {
            throw new IllegalArgumentException(
                    "a gateway is ws[s]://host:port/gateway, tcp://host:port or tls://host:port,"
                            + " not "
                            + address);
        }
        return new Gateway(address);
    }

    /** Null for an address of a kind that this version does not know. */
    static @Nullable Gateway known(String address) {
        try {
            return of(address);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    public String address() {
        return address;
    }

    boolean isTcp() {
        return address.startsWith("tcp:") || isTls();
    }

    /** Frames on TCP inside TLS. */
    boolean isTls() {
        return address.startsWith("tls:");
    }

    boolean isEncrypted() {
        return isTls() || address.startsWith("wss:");
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Gateway && address.equals(((Gateway) other).address);
    }

    @Override
    public int hashCode() {
        return Objects.hash(address);
    }

    @Override
    public String toString() {
        return address;
    }
}
