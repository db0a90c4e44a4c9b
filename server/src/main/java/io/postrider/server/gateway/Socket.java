package io.postrider.server.gateway;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.handler.ssl.SslHandler;
import io.postrider.server.identity.Device;
import io.postrider.server.session.Outbound;
import io.postrider.server.session.Session;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What the last handler of a connection does to it, whatever it speaks: writes while it is open,
 * reads while that is welcome, closes so that the peer hears why. Confined to its event loop.
 */
public final class Socket {
    private static final long CLOSE_MILLIS = 2_000;

    /** Of a WebSocket's close; RFC 6455, 7.4.2. */
    private static final int HIGHEST_CODE = 4_999;

    private final Gateway gateway;
    private final GatewayLoop loop;
    private final Channel channel;
    private boolean closing;
    private boolean readingPaused;

    Socket(Gateway gateway, GatewayLoop loop, Channel channel) {
        this.gateway = gateway;
        this.loop = loop;
        this.channel = channel;
    }

    /** Runs a task on the event loop. Any thread. */
    public void execute(Runnable task) {
        loop.eventLoop.execute(task);
    }

    /** The peer has proved who it is: the limits for everybody else are lifted. */
    void proved() {
        loop.connected(channel);
        channel.pipeline().remove(Unproved.class);
    }

    /**
     * The session of a device that has proved who it is; null if its app has as many connections as
     * it may.
     */
    public @Nullable Session open(long appId, int number, int tokenGeneration, Outbound out) {
        Gateway.Parts parts = gateway.parts();
        if (!parts.quotas().allowsConnection(gateway.connections(appId))
                && !parts.sessions().isOnline(Device.key(appId, number))) {
            parts.metrics().sessionRefused();
            return null;
        }
        proved();
        return loop.sessions.open(appId, number, tokenGeneration, out);
    }

    /** Nothing is read or written any more, but for the end. */
    public boolean isClosing() {
        return closing;
    }

    public boolean isWritable() {
        return channel.isWritable();
    }

    /** Writes what the pipeline understands; dropped, and not released, once it is closing. */
    void write(Object frame) {
        if (!closing) {
            channel.write(frame, channel.voidPromise());
        }
    }

    /** Writes a text message of a WebSocket, unflushed; dropped once it is closing. */
    public void writeText(String text) {
        write(new TextWebSocketFrame(text));
    }

    public void flush() {
        channel.flush();
    }

    /** Reads nothing more until it is resumed. */
    public void pauseReading(boolean paused) {
        if (readingPaused != paused) {
            readingPaused = paused;
            readIfWelcome();
        }
    }

    /** Who does not read what he asked for may not ask for more: to be called as that changes. */
    void readIfWelcome() {
        channel.config().setAutoRead(closing || (!readingPaused && channel.isWritable()));
    }

    /**
     * Answers a WebSocket's control frames.
     *
     * @return whether it was one
     */
    boolean answered(Object frame) {
        switch (frame) {
            case PingWebSocketFrame ping -> {
                if (channel.isWritable()) {
                    channel.writeAndFlush(new PongWebSocketFrame(ping.content().retain()));
                }
            }
            case PongWebSocketFrame pong -> {}
            case CloseWebSocketFrame close -> answerClose(close);
            default -> {
                return false;
            }
        }
        return true;
    }

    private void answerClose(CloseWebSocketFrame close) {
        if (closing) {
            channel.close();
        } else if (close.statusCode() > HIGHEST_CODE) {
            end(new CloseWebSocketFrame(WebSocketCloseStatus.PROTOCOL_ERROR));
        } else {
            closing = true;
            channel.writeAndFlush(close.retain()).addListener(ChannelFutureListener.CLOSE);
            closeForSure();
        }
    }

    /**
     * Sends the last frame, and waits a little for the peer to close as well: closing at once,
     * while it still sends, would have its system throw away what it was told.
     */
    void end(Object lastFrame) {
        closing = true;
        channel.config().setAutoRead(true);
        channel.writeAndFlush(lastFrame)
                .addListener(written -> {
                    if (!written.isSuccess()) {
                        channel.close();
                    } else if (isPlainTcp()) {
                        ((DuplexChannel) channel).shutdownOutput();
                    }
                });
        closeForSure();
    }

    private boolean isPlainTcp() {
        return channel.pipeline().get(LengthFrameDecoder.class) != null
                && channel.pipeline().get(SslHandler.class) == null;
    }

    /** A peer that does not read cannot keep the connection by that. */
    private void closeForSure() {
        loop.eventLoop.schedule(
                () -> {
                    channel.close();
                },
                CLOSE_MILLIS,
                TimeUnit.MILLISECONDS);
    }

    /** Closes a WebSocket, telling the peer a number and a word (RFC 6455, 7.4). */
    public void close(int code, String reason) {
        if (!closing) {
            end(new CloseWebSocketFrame(code, reason));
        }
    }

    /** The connection is gone. */
    void closed() {
        closing = true;
    }
}
