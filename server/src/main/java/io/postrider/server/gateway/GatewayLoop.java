package io.postrider.server.gateway;

import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.postrider.protocol.CloseCode;
import io.postrider.server.clock.Clock;
import io.postrider.server.metrics.Metrics;
import io.postrider.server.session.SessionLoop;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the connections of one event loop share. Confined to it, but for the constructor. */
final class GatewayLoop {
    private static final Logger LOG = LoggerFactory.getLogger(GatewayLoop.class);
    private static final long CONNECT_MILLIS = 10_000;

    final EventLoop eventLoop;
    final SessionLoop sessions;
    final PushEncoder encoder = new PushEncoder(PooledByteBufAllocator.DEFAULT);
    private final Clock clock;
    private final Metrics metrics;
    private final long silenceMillis;

    /** Connections that have not proved who they are, and since when, oldest first. */
    private final Map<Channel, Long> awaitingConnect = new LinkedHashMap<>();

    private final Set<AppServer> appServers = new LinkedHashSet<>();

    GatewayLoop(EventLoop eventLoop, SessionLoop sessions, Gateway.Parts parts) {
        this.eventLoop = eventLoop;
        this.sessions = sessions;
        this.clock = parts.clock();
        this.metrics = parts.metrics();
        this.silenceMillis = parts.limits().silenceMillis();
        eventLoop.scheduleWithFixedDelay(
                this::tick,
                SessionLoop.TICK_MILLIS,
                SessionLoop.TICK_MILLIS,
                TimeUnit.MILLISECONDS);
    }

    /** From here on the connection has 10 seconds in all to prove who it is. */
    void awaitConnect(Channel channel) {
        awaitingConnect.put(channel, clock.ticks());
        channel.closeFuture().addListener(closed -> awaitingConnect.remove(channel));
    }

    void connected(Channel channel) {
        awaitingConnect.remove(channel);
    }

    void add(AppServer appServer) {
        appServers.add(appServer);
    }

    void remove(AppServer appServer) {
        appServers.remove(appServer);
        appServer.ended();
    }

    long now() {
        return clock.ticks();
    }

    /** Asks all app servers to come back later; runs the signal once for each that is idle. */
    void leave(
            int reconnectAfterMillis,
            int spreadMillis,
            LongFunction<List<String>> elsewhere,
            Runnable whenIdle) {
        for (AppServer appServer : List.copyOf(appServers)) {
            List<String> gateways = elsewhere.apply(ThreadLocalRandom.current().nextLong());
            appServer.leave(reconnectAfterMillis, spreadMillis, gateways, whenIdle);
        }
    }

    void close(CloseCode code) {
        List.copyOf(appServers).forEach(appServer -> appServer.close(code));
    }

    int appServers() {
        return appServers.size();
    }

    void credentialsVoid(long appId) {
        for (AppServer appServer : List.copyOf(appServers)) {
            if (appServer.appId() == appId) {
                appServer.credentialsVoid();
            }
        }
    }

    /** A failure here must not end the ticking, which the event loop would do. */
    private void tick() {
        try {
            closeLate();
            sessions.tick();
            long now = clock.ticks();
            List.copyOf(appServers).forEach(appServer -> appServer.tick(now, silenceMillis));
        } catch (Throwable e) {
            LOG.error("a tick of an event loop failed", e);
        }
    }

    private void closeLate() {
        long deadline = clock.ticks() - CONNECT_MILLIS;
        for (Iterator<Map.Entry<Channel, Long>> i = awaitingConnect.entrySet().iterator();
                i.hasNext(); ) {
            Map.Entry<Channel, Long> waiting = i.next();
            if (waiting.getValue() > deadline) {
                return;
            }
            i.remove();
            metrics.sessionRefused();
            Connection connection = waiting.getKey().pipeline().get(Connection.class);
            if (connection == null) {
                waiting.getKey().close();
            } else {
                connection.close(CloseCode.CONNECT_TIMEOUT);
            }
        }
    }
}
