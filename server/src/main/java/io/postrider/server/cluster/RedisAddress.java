package io.postrider.server.cluster;

import io.lettuce.core.RedisURI;
import io.lettuce.core.cluster.RedisClusterURIUtil;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a Redis is. {@code redis://} or {@code rediss://} names one; {@code redis-sentinel://} and
 * {@code rediss-sentinel://} are in Lettuce's syntax; {@code redis-cluster://} and {@code
 * rediss-cluster://} name one or more of a cluster's nodes, separated by commas.
 */
public final class RedisAddress {
    private static final Pattern CLUSTER = Pattern.compile("(rediss?)-cluster://(.+)");
    private static final Pattern HOST = Pattern.compile("\\[.+]|[^\\[,:@]+");
    private static final Duration TIMEOUT = Duration.ofSeconds(2);

    private final boolean isCluster;
    private final List<RedisURI> seeds;

    private RedisAddress(boolean isCluster, List<RedisURI> seeds) {
        this.isCluster = isCluster;
        this.seeds = seeds;
        seeds.forEach(seed -> {
            seed.setTimeout(TIMEOUT);
            seed.getSentinels().forEach(sentinel -> sentinel.setTimeout(TIMEOUT));
        });
    }

    /**
     * @throws IllegalArgumentException if it is none; the message has nothing of it
     */
    public static RedisAddress of(String uri) {
        Matcher cluster = CLUSTER.matcher(uri);
        try {
            if (cluster.matches()) {
                URI seeds = URI.create(cluster.group(1) + "://" + cluster.group(2));
                return new RedisAddress(true, RedisClusterURIUtil.toRedisURIs(seeds));
            }
            RedisURI one = RedisURI.create(uri);
            if (names(one)) {
                return new RedisAddress(false, List.of(one));
            }
        } catch (RuntimeException e) {
            // What Lettuce says quotes the address, with its password.
        }
        throw new IllegalArgumentException(
                "cluster is no address of a Redis, such as redis://:password@host:6379; in the"
                        + " password write @ as %40, / as %2F, % as %25");
    }

    /** What Lettuce can make no host and port of it takes for the name of a host, or for none. */
    private static boolean names(RedisURI one) {
        return one.getHost() == null
                ? one.getSocket() != null || !one.getSentinels().isEmpty()
                : HOST.matcher(one.getHost()).matches();
    }

    boolean isCluster() {
        return isCluster;
    }

    /** Of a cluster some nodes, else the one. */
    List<RedisURI> seeds() {
        return seeds;
    }
}
