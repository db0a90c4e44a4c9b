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
import java.util.Map;
import java.util.concurrent.TimeUnit;
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

    /** Connections that have not proved who they are, and since when, oldest first. */
    private final Map<Channel, Long> awaitingConnect = new LinkedHashMap<>();

    GatewayLoop(EventLoop eventLoop, SessionLoop sessions, Clock clock, Metrics metrics) {
        this.eventLoop = eventLoop;
        this.sessions = sessions;
        this.clock = clock;
        this.metrics = metrics;
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

    /** A failure here must not end the ticking, which the event loop would do. */
    private void tick() {
        try {
            closeLate();
            sessions.tick();
        } catch (RuntimeException e) {
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
