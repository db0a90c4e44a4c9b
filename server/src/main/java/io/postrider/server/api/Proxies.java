package io.postrider.server.api;

import io.javalin.http.Context;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Who a request comes from where proxies stand before us: theirs is believed, and no other's. */
final class Proxies {
    private static final Pattern ADDRESS =
            Pattern.compile("[0-9.]{7,15}|\\[?[0-9a-fA-F]{0,4}:[0-9a-fA-F:.]{1,40}]?");

    private final Predicate<InetAddress> trusted;

    Proxies(Predicate<InetAddress> trusted) {
        this.trusted = trusted;
    }

    /** The nearest address that is no trusted proxy's. */
    String clientAddress(Context context) {
        String nearest = context.req().getRemoteAddr();
        String header = isTrusted(nearest) ? context.header("X-Forwarded-For") : null;
        if (header == null) {
            return nearest;
        }
        String[] hops = header.split(",");
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
