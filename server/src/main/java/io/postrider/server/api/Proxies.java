package io.postrider.server.api;

import io.javalin.http.Context;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Collections;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Who a request comes from where proxies stand before us: theirs is believed, and no other's. */
final class Proxies {
    private static final String BYTE = "(25[0-5]|2[0-4]\\d|1?\\d?\\d)";
    private static final Pattern ADDRESS =
            Pattern.compile(
                    BYTE + "(\\." + BYTE + "){3}|\\[?[0-9a-fA-F]{0,4}:[0-9a-fA-F:.]{1,40}]?");

    private final Predicate<InetAddress> trusted;

    Proxies(Predicate<InetAddress> trusted) {
        this.trusted = trusted;
    }

    /** The nearest address that is no trusted proxy's. */
    String clientAddress(Context context) {
        String nearest = context.req().getRemoteAddr();
        // A proxy may add a line of its own after the client's: together they are one list.
        List<String> lines = Collections.list(context.req().getHeaders("X-Forwarded-For"));
        String[] hops = String.join(",", lines).split(",", -1);
        for (int i = hops.length - 1; i >= 0 && isTrusted(nearest); i--) {
            String hop = hops[i].strip();
            if (parse(hop) == null) {
                return nearest;
            }
            nearest = hop;
        }
        return nearest;
    }

    boolean isEncrypted(Context context) {
        return context.req().isSecure()
                || (isTrusted(context.req().getRemoteAddr())
                        && "https".equals(context.header("X-Forwarded-Proto")));
    }

    private boolean isTrusted(String address) {
        InetAddress parsed = parse(address);
        return parsed != null && trusted.test(parsed);
    }

    /** Null for what is no address; names are never looked up. */
    private static @Nullable InetAddress parse(String address) {
        if (!ADDRESS.matcher(address).matches()) {
            return null;
        }
        try {
            return InetAddress.getByName(address);
        } catch (UnknownHostException e) {
            return null;
        }
    }
}
