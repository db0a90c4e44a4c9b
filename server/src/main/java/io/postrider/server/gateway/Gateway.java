package io.postrider.server.gateway;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.EventExecutor;
import io.postrider.protocol.CloseCode;
import io.postrider.server.clock.Clock;
import io.postrider.server.identity.Apps;
import io.postrider.server.identity.DeviceTokens;
import io.postrider.server.identity.Quotas;
import io.postrider.server.metrics.Metrics;
import io.postrider.server.session.SessionLimits;
import io.postrider.server.session.Sessions;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gateway port. Every connection is one channel of one event loop; there are as many event
 * loops as processors.
 */
public final class Gateway implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Gateway.class);
    private static final WriteBufferWaterMark WATER_MARK =
            new WriteBufferWaterMark(32 * 1024, 128 * 1024);
    private static final int BACKLOG = 4_096;

    /** What the gateway asks of the other parts. */
    public record Parts(
            DeviceTokens tokens,
            Apps apps,
            Quotas quotas,
            Sessions sessions,
            Publishing publishing,
            Map<String, WebSocketPath> paths,
            @Nullable Tls tls,
            SessionLimits limits,
            String epoch,
            Metrics metrics,
            Clock clock) {}

    private final Parts parts;
    private final EventLoopGroup acceptors;
    private final EventLoopGroup eventLoops;
    private final IdentityHashMap<EventLoop, GatewayLoop> loops = new IdentityHashMap<>();
    private final Map<Long, Integer> appServersByApp = new ConcurrentHashMap<>();
    private final String nodeStart = UUID.randomUUID().toString().substring(0, 8);
    private final AtomicLong sessionIds = new AtomicLong();
    private @Nullable Channel listening;

    public Gateway(Parts parts) {
        this.parts = parts;
        var handlers =
                Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        this.acceptors = new MultiThreadIoEventLoopGroup(1, handlers);
        this.eventLoops =
                new MultiThreadIoEventLoopGroup(
                        Runtime.getRuntime().availableProcessors(), handlers);
        for (EventExecutor executor : eventLoops) {
            EventLoop eventLoop = (EventLoop) executor;
            loops.put(
                    eventLoop,
                    new GatewayLoop(
                            eventLoop,
                            parts.sessions.addLoop(
                                    eventLoop,
                                    task -> eventLoop.schedule(task, 0, TimeUnit.NANOSECONDS)),
                            parts));
        }
    }

    /**
     * Listens; answers the address, whose port the system chose if 0 was asked for.
     *
     * @throws UncheckedIOException if the port cannot be listened on
     */
    public InetSocketAddress start(String host, int port) {
        ChannelFuture bound =
                new ServerBootstrap()
                        .group(acceptors, eventLoops)
                        .channel(
                                Epoll.isAvailable()
                                        ? EpollServerSocketChannel.class
                                        : NioServerSocketChannel.class)
                        .option(ChannelOption.SO_BACKLOG, BACKLOG)
                        .option(ChannelOption.SO_REUSEADDR, true)
                        .childOption(ChannelOption.TCP_NODELAY, true)
                        .childOption(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT)
                        .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
                        .childHandler(new Pipelines(this))
                        .bind(host, port)
                        .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new UncheckedIOException(
                    new BindException(
                            "gateway-port "
                                    + port
                                    + " on "
                                    + host
                                    + " cannot be listened on;"
                                    + " another program may, or choose another"));
        }
        Channel channel = bound.channel();
        listening = channel;
        return (InetSocketAddress) channel.localAddress();
    }

    /** Takes no new connections; those that are open stay. */
    public void stopListening() {
        if (listening != null) {
            listening.close().syncUninterruptibly();
        }
    }

    /**
     * Reads nothing more from app servers, asks them to come back later, and closes their
     * connections once what they have published is answered, or after {@code patienceMillis}.
     *
     * @param elsewhere other nodes' gateways, in an order for each number
     */
    public void leave(
            int reconnectAfterMillis,
            int spreadMillis,
            long patienceMillis,
            LongFunction<List<String>> elsewhere) {
        Phaser busy = new Phaser(1);
        for (GatewayLoop loop : loops.values()) {
            loop.eventLoop
                    .submit(() -> {
                        busy.bulkRegister(loop.appServers());
                        loop.leave(
                                reconnectAfterMillis,
                                spreadMillis,
                                elsewhere,
                                busy::arriveAndDeregister);
                    })
                    .syncUninterruptibly();
        }
        try {
            busy.awaitAdvanceInterruptibly(busy.arrive(), patienceMillis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (TimeoutException e) {
            LOG.info("some app servers had unanswered publishes after {} ms", patienceMillis);
        }
        for (GatewayLoop loop : loops.values()) {
            loop.eventLoop.submit(() -> loop.close(CloseCode.SHUTDOWN)).syncUninterruptibly();
        }
    }

    /** Closes every connection and ends the event loops. */
    @Override
    public void close() {
        stopListening();
        for (GatewayLoop loop : loops.values()) {
            loop.eventLoop.submit(loop.encoder::close).syncUninterruptibly();
        }
        eventLoops.shutdownGracefully(0, 2, TimeUnit.SECONDS).syncUninterruptibly();
        acceptors.shutdownGracefully(0, 2, TimeUnit.SECONDS).syncUninterruptibly();
    }

    GatewayLoop loopOf(Channel channel) {
        GatewayLoop loop = loops.get(channel.eventLoop());
        if (loop == null) {
            throw new IllegalStateException("a channel of another group");
        }
        return loop;
    }

    /** Ends the connections that were opened with credentials of an app that are void now. */
    public void credentialsVoid(long appId) {
        for (GatewayLoop loop : loops.values()) {
            loop.eventLoop.execute(() -> loop.credentialsVoid(appId));
        }
    }

    /** How many connections an app has here, of devices and of its servers. */
    int connections(long appId) {
        return parts.sessions.count(appId) + appServersByApp.getOrDefault(appId, 0);
    }

    void appServerConnected(long appId) {
        appServersByApp.merge(appId, 1, Integer::sum);
    }

    void appServerGone(long appId) {
        appServersByApp.computeIfPresent(appId, (app, count) -> count == 1 ? null : count - 1);
    }

    Parts parts() {
        return parts;
    }

    int heartbeatSeconds() {
        return (int) (parts.limits.heartbeatMillis() / 1000);
    }

    int inflightLimit() {
        return parts.limits.window();
    }

    String newSessionId() {
        return nodeStart + "-" + sessionIds.incrementAndGet();
    }
}
