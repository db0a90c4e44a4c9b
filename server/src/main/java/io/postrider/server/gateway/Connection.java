package io.postrider.server.gateway;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.util.ReferenceCountUtil;
import io.postrider.protocol.CloseCode;
import io.postrider.protocol.MalformedFrameException;
import io.postrider.protocol.v1.AckOutcome;
import io.postrider.protocol.v1.AckResult;
import io.postrider.protocol.v1.Acked;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.Close;
import io.postrider.protocol.v1.Connect;
import io.postrider.protocol.v1.ErrorInfo;
import io.postrider.protocol.v1.GoAway;
import io.postrider.protocol.v1.Pong;
import io.postrider.protocol.v1.Ready;
import io.postrider.protocol.v1.Recall;
import io.postrider.protocol.v1.ServerFrame;
import io.postrider.server.delivery.Message;
import io.postrider.server.identity.DeviceTokens.Claim;
import io.postrider.server.session.Outbound;
import io.postrider.server.session.Session;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last handler of every pipeline: nothing passes it before the device has proved who it is, and
 * then everything goes to its session. Confined to its event loop.
 */
final class Connection extends ChannelInboundHandlerAdapter implements Outbound {
    private static final Logger LOG = LoggerFactory.getLogger(Connection.class);
    private static final long CLOSE_MILLIS = 2_000;

    private final Gateway gateway;
    private final GatewayLoop loop;
    private final Channel channel;
    private final WireFormat format;
    private @Nullable Session session;
    private boolean closing;
    private boolean readingPaused;

    Connection(Gateway gateway, GatewayLoop loop, Channel channel, WireFormat format) {
        this.gateway = gateway;
        this.loop = loop;
        this.channel = channel;
        this.format = format;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object in) {
        try {
            if (!closing) {
                if (session != null) {
                    session.heard();
                }
                read(in);
            }
        } finally {
            ReferenceCountUtil.release(in);
        }
    }

    private void read(Object in) {
        switch (in) {
            case ByteBuf frame -> frame(frame);
            case TextWebSocketFrame frame when format == WireFormat.WEBSOCKET_JSON ->
                    frame(frame.content());
            case BinaryWebSocketFrame frame when format == WireFormat.WEBSOCKET_PROTOBUF ->
                    frame(frame.content());
            case PingWebSocketFrame ping when channel.isWritable() ->
                    channel.writeAndFlush(new PongWebSocketFrame(ping.content().retain()));
            case PingWebSocketFrame unanswered -> {}
            case CloseWebSocketFrame close -> answerClose(close);
            case ByteBufHolder other when other instanceof PongWebSocketFrame -> {}
            default ->
                    fail(
                            CloseCode.MALFORMED_FRAME,
                            "the subprotocol has the other kind of messages");
        }
    }

    private void frame(ByteBuf payload) {
        try {
            frame(format.read(payload));
        } catch (MalformedFrameException e) {
            fail(CloseCode.MALFORMED_FRAME, String.valueOf(e.getMessage()));
        }
    }

    private void frame(ClientFrame frame) {
        Session open = session;
        if (open == null) {
            if (frame.getFrameCase() == ClientFrame.FrameCase.CONNECT) {
                connect(frame.getConnect());
            } else {
                fail(CloseCode.OUT_OF_ORDER, "the first frame is connect");
            }
            return;
        }
        switch (frame.getFrameCase()) {
            case ACK -> open.acknowledge(frame.getAck().getIdsList(), false);
            case OPENED -> open.acknowledge(frame.getOpened().getIdsList(), true);
            case PING -> {
                if (!channel.isWritable()) {
                    return;
                }
                write(
                        ServerFrame.newBuilder()
                                .setPong(
                                        Pong.newBuilder().setServerTime(gateway.clock().millis())));
                flush();
            }
            case CONNECT -> fail(CloseCode.OUT_OF_ORDER, "connect comes once");
            case PONG, FRAME_NOT_SET -> {}
        }
    }

    private void connect(Connect connect) {
        Optional<Claim> claim = gateway.tokens().verify(connect.getToken());
        if (claim.isEmpty()) {
            gateway.metrics().sessionRefused();
            fail(CloseCode.TOKEN_REFUSED, "register the device again for a new token");
            return;
        }
        loop.connected(channel);
        Claim device = claim.get();
        // Whoever has read ready is found by the next publish: the session comes first.
        session = loop.sessions.open(device.app().id(), device.number(), device.generation(), this);
        Ready.Builder ready =
                Ready.newBuilder()
                        .setSession(gateway.newSessionId())
                        .setHeartbeatSeconds(gateway.heartbeatSeconds())
                        .setServerTime(gateway.clock().millis())
                        .setInflightLimit(gateway.inflightLimit())
                        .setEpoch(gateway.epoch());
        if (device.ageing()) {
            ready.setToken(
                    gateway.tokens().issue(device.app(), device.number(), device.generation()));
        }
        write(ServerFrame.newBuilder().setReady(ready));
        flush();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        readIfWelcome();
        if (session != null) {
            session.writabilityChanged();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        closing = true;
        if (session != null) {
            session.disconnected();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        switch (cause) {
            case TooLongFrameException e ->
                    fail(CloseCode.FRAME_TOO_LARGE, String.valueOf(e.getMessage()));
            case CorruptedWebSocketFrameException e
                    when e.closeStatus().equals(WebSocketCloseStatus.MESSAGE_TOO_BIG) ->
                    fail(CloseCode.FRAME_TOO_LARGE, "a frame has at most 64 KiB");
            case CorruptedWebSocketFrameException e ->
                    fail(CloseCode.MALFORMED_FRAME, "not a WebSocket frame");
            case CorruptedFrameException e -> fail(CloseCode.MALFORMED_FRAME, "not a frame");
            case IOException e -> ctx.close();
            default -> {
                LOG.error("a connection failed", cause);
                fail(CloseCode.INTERNAL_ERROR, "this is the server's fault");
            }
        }
    }

    /** Tells the device what was wrong, and closes. */
    private void fail(CloseCode code, String detail) {
        if (closing) {
            return;
        }
        write(
                ServerFrame.newBuilder()
                        .setError(ErrorInfo.newBuilder().setCode(code.reason()).setDetail(detail)));
        close(code);
    }

    private void answerClose(CloseWebSocketFrame close) {
        closing = true;
        channel.writeAndFlush(close.retain()).addListener(ChannelFutureListener.CLOSE);
        closeForSure();
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

    @Override
    public boolean isWritable() {
        return channel.isWritable();
    }

    @Override
    public void push(Message message, int attempt) {
        if (!closing) {
            channel.write(loop.encoder.encode(message, attempt, format), channel.voidPromise());
        }
    }

    @Override
    public void acked(List<Answer> answers) {
        Acked.Builder acked = Acked.newBuilder();
        for (Answer answer : answers) {
            acked.addResults(
                    AckResult.newBuilder()
                            .setId(answer.messageId())
                            .setOutcome(
                                    switch (answer.outcome()) {
                                        case RECORDED -> AckOutcome.RECORDED;
                                        case EXPIRED -> AckOutcome.EXPIRED;
                                        case RECALLED -> AckOutcome.RECALLED;
                                        case UNKNOWN -> AckOutcome.UNKNOWN;
                                    }));
        }
        write(ServerFrame.newBuilder().setAcked(acked));
    }

    @Override
    public void recall(long messageId) {
        write(ServerFrame.newBuilder().setRecall(Recall.newBuilder().setId(messageId)));
    }

    @Override
    public void goAway(String reason, int reconnectAfterMillis, int spreadMillis) {
        write(
                ServerFrame.newBuilder()
                        .setGoaway(
                                GoAway.newBuilder()
                                        .setReason(reason)
                                        .setReconnectAfterMs(reconnectAfterMillis)
                                        .setSpreadMs(spreadMillis)));
    }

    private void write(ServerFrame.Builder frame) {
        if (!closing) {
            channel.write(format.write(frame.build(), channel.alloc()), channel.voidPromise());
        }
    }

    @Override
    public void flush() {
        channel.flush();
    }

    @Override
    public void pauseReading(boolean paused) {
        readingPaused = paused;
        readIfWelcome();
    }

    /** Who does not read what he asked for may not ask for more. */
    private void readIfWelcome() {
        channel.config().setAutoRead(!readingPaused && channel.isWritable());
    }

    @Override
    public void close(CloseCode code) {
        if (closing) {
            return;
        }
        closing = true;
        channel.writeAndFlush(lastFrame(code)).addListener(ChannelFutureListener.CLOSE);
        closeForSure();
    }

    private Object lastFrame(CloseCode code) {
        if (format != WireFormat.TCP_PROTOBUF) {
            return new CloseWebSocketFrame(code.number(), code.reason());
        }
        Close close = Close.newBuilder().setCode(code.number()).setReason(code.reason()).build();
        return format.write(ServerFrame.newBuilder().setClose(close).build(), channel.alloc());
    }
}
