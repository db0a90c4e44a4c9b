package io.postrider.server.cluster;

import io.lettuce.core.AbstractRedisClient;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.ClientOptions.DisconnectedBehavior;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.SocketOptions.KeepAliveOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.cluster.ClusterClientOptions;
import io.lettuce.core.cluster.ClusterTopologyRefreshOptions;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import io.lettuce.core.resource.Delay;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hints between nodes over Redis: 'there may be something up to this id'. One is under way at a
 * time, and the next one stands for all that were to be sent meanwhile, so that a Redis that is
 * slow or gone holds up nothing and nothing piles up here. Thread-safe; never blocks.
 */
public final class RedisHints implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RedisHints.class);
    private static final Duration TIMEOUT = Duration.ofSeconds(2);
    private static final Duration RECONNECT = Duration.ofSeconds(1);
    private static final Duration REFRESH = Duration.ofSeconds(10);
    private static final int THREADS = 2;

    /** As many pings without an answer, a second apart, and it is looked for anew. */
    private static final int MOST_UNANSWERED = 3;

    private final ClientResources resources;
    private final AbstractRedisClient client;
    private final Supplier<CompletionStage<StatefulRedisPubSubConnection<String, String>>> connect;
    private final String channel;
    private final LongConsumer heard;
    private final Runnable maybeLost;

    private @Nullable StatefulRedisPubSubConnection<String, String> sending;
    private @Nullable StatefulRedisPubSubConnection<String, String> listening;
    private boolean connecting;
    private boolean closed;
    private boolean isSending;
    private long toSend;
    private long sent;
    private boolean toldOfFailure;

    /** Pings in a row; a Redis that hangs keeps its connections. */
    private int unanswered;

    /**
     * @param channel this store's
     * @param heard of ids, on a thread of Redis' client, so it must not block
     * @param maybeLost hints may have been lost; on the same threads
     */
    public RedisHints(RedisAddress redis, String channel, LongConsumer heard, Runnable maybeLost) {
        this.channel = channel;
        this.heard = heard;
        this.maybeLost = maybeLost;
        this.resources =
                DefaultClientResources.builder()
                        .ioThreadPoolSize(THREADS)
                        .computationThreadPoolSize(THREADS)
                        .reconnectDelay(Delay.constant(RECONNECT))
                        .build();
        if (redis.isCluster()) {
            RedisClusterClient cluster = RedisClusterClient.create(resources, redis.seeds());
            ClusterClientOptions.Builder builder = ClusterClientOptions.builder();
            builder.topologyRefreshOptions(
                    ClusterTopologyRefreshOptions.builder().enablePeriodicRefresh(REFRESH).build());
            cluster.setOptions(options(builder).build());
            this.client = cluster;
            this.connect =
                    () ->
                            cluster.refreshPartitionsAsync()
                                    .thenCompose(
                                            known -> cluster.connectPubSubAsync(StringCodec.UTF8))
                                    .thenApply(made -> made);
        } else {
            RedisURI address = redis.seeds().get(0);
            RedisClient single = RedisClient.create(resources, address);
            single.setOptions(options(ClientOptions.builder()).build());
            this.client = single;
            this.connect = () -> single.connectPubSubAsync(StringCodec.UTF8, address);
        }
        client.addListener(new Listener());
    }

    private static <B extends ClientOptions.Builder> B options(B builder) {
        builder.disconnectedBehavior(DisconnectedBehavior.REJECT_COMMANDS)
                .timeoutOptions(TimeoutOptions.enabled(TIMEOUT))
                .socketOptions(
                        SocketOptions.builder()
                                .connectTimeout(TIMEOUT)
                                .keepAlive(
                                        KeepAliveOptions.builder()
                                                .enable()
                                                .idle(Duration.ofSeconds(5))
                                                .interval(Duration.ofSeconds(1))
                                                .count(3)
                                                .build())
                                .build());
        return builder;
    }

    private final class Listener implements RedisConnectionStateListener {
        @Override
        public void onRedisConnected(
                RedisChannelHandler<?, ?> connection, SocketAddress socketAddress) {
            maybeLost.run();
        }

        @Override
        public void onRedisDisconnected(RedisChannelHandler<?, ?> connection) {
            tellOfLoss();
        }
    }

    private synchronized void tellOfLoss() {
        if (!closed && listening != null) {
            LOG.warn("Redis has closed a connection; until it is back, nodes find out by looking");
        }
    }

    /**
     * Connects, unless that is done or under way, and asks whether Redis answers. To be called
     * every few seconds.
     */
    public synchronized void keepConnected() {
        if (sending != null) {
            StatefulRedisPubSubConnection<String, String> asked = sending;
            asked.async().ping().whenComplete((pong, failure) -> answered(asked, failure == null));
        }
        if (connecting || closed || listening != null) {
            return;
        }
        connecting = true;
        try {
            connect.get()
                    .thenCompose(this::connectSecond)
                    .whenComplete((done, failure) -> {
                        if (failure != null) {
                            failedToConnect(failure);
                        }
                    });
        } catch (RuntimeException e) {
            // Passed on, it would end the chore that tries again.
            failedToConnect(e);
        }
    }

    /** The first is given up if there is no second, or each attempt would leave one behind. */
    private CompletionStage<Boolean> connectSecond(
            StatefulRedisPubSubConnection<String, String> first) {
        return connect.get()
                .thenApply(second -> connected(first, second))
                .whenComplete((done, failure) -> {
                    if (failure != null) {
                        first.closeAsync();
                    }
                });
    }

    private synchronized boolean connected(
            StatefulRedisPubSubConnection<String, String> forSending,
            StatefulRedisPubSubConnection<String, String> forListening) {
        connecting = false;
        if (closed) {
            return false;
        }
        sending = forSending;
        listening = forListening;
        forListening.addListener(
                new RedisPubSubAdapter<>() {
                    @Override
                    public void message(String from, String text) {
                        hear(text);
                    }

                    @Override
                    public void subscribed(String to, long count) {
                        maybeLost.run();
                    }
                });
        forListening.async().subscribe(channel);
        unanswered = 0;
        toldOfFailure = false;
        LOG.info("connected to Redis");
        return true;
    }

    private synchronized void failedToConnect(Throwable failure) {
        connecting = false;
        if (!toldOfFailure && !closed) {
            toldOfFailure = true;
            LOG.warn(
                    "Redis cannot be reached, which costs time and no message: {}",
                    String.valueOf(failure.getMessage()));
        }
    }

    @SuppressWarnings("ReferenceEquality") // of a connection that was given up
    private synchronized void answered(
            StatefulRedisPubSubConnection<String, String> asked, boolean inTime) {
        if (asked != sending) {
            return;
        }
        if (inTime) {
            unanswered = 0;
            return;
        }
        if (unanswered == 0 && isOpen()) {
            LOG.warn("Redis does not answer; until it does, nodes find out by looking");
        }
        unanswered++;
        if (unanswered >= MOST_UNANSWERED) {
            giveUp();
        }
    }

    /** Another may have taken the place of one that hangs, or whose machine is gone. */
    private void giveUp() {
        StatefulRedisPubSubConnection<String, String> first = sending;
        StatefulRedisPubSubConnection<String, String> second = listening;
        sending = null;
        listening = null;
        if (first != null) {
            first.closeAsync();
        }
        if (second != null) {
            second.closeAsync();
        }
    }

    private void hear(String text) {
        try {
            heard.accept(Long.parseLong(text));
        } catch (NumberFormatException e) {
            LOG.debug("a hint that is none", e);
        }
    }

    /** Tells other nodes, as soon as the hint before is out. */
    public synchronized void committed(long id) {
        toSend = id;
        if (!isSending) {
            send();
        }
    }

    private void send() {
        if (sending == null || !sending.isOpen()) {
            return;
        }
        isSending = true;
        sent = toSend;
        sending.async().publish(channel, Long.toString(sent)).whenComplete((to, lost) -> sent());
    }

    private synchronized void sent() {
        isSending = false;
        if (toSend > sent) {
            send();
        }
    }

    /** Whether hints can be sent and heard now. */
    public synchronized boolean isConnected() {
        return unanswered == 0 && isOpen();
    }

    private boolean isOpen() {
        return sending != null && sending.isOpen() && listening != null && listening.isOpen();
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        client.shutdown(Duration.ZERO, TIMEOUT);
        resources.shutdown(0, TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    }
}
