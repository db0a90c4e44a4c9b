package io.postrider.server.gateway;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.util.ReferenceCountUtil;
import io.postrider.protocol.CloseCode;
import io.postrider.protocol.MalformedFrameException;
import io.postrider.protocol.v1.AckOutcome;
import io.postrider.protocol.v1.AckResult;
import io.postrider.protocol.v1.Acked;
import io.postrider.protocol.v1.AppCredentials;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.ClientFrame.FrameCase;
import io.postrider.protocol.v1.Close;
import io.postrider.protocol.v1.Connect;
import io.postrider.protocol.v1.ErrorInfo;
import io.postrider.protocol.v1.GoAway;
import io.postrider.protocol.v1.Pong;
import io.postrider.protocol.v1.Publish;
import io.postrider.protocol.v1.Ready;
import io.postrider.protocol.v1.Recall;
import io.postrider.protocol.v1.ServerFrame;
import io.postrider.protocol.v1.Settled;
import io.postrider.server.delivery.Message;
import io.postrider.server.identity.App;
import io.postrider.server.identity.DeviceTokens.Claim;
import io.postrider.server.session.Outbound;
import io.postrider.server.session.Session;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last handler of every pipeline: nothing passes it before the device has proved who it is, and
 * then everything goes to its session. Confined to its event loop.
 */
final class Connection extends ChannelInboundHandlerAdapter implements Outbound {
    private static final Logger LOG = LoggerFactory.getLogger(Connection.class);
    private static final int MOST_REF = 64;

    private final Gateway gateway;
    private final GatewayLoop loop;
    private final Channel channel;
    private final Socket socket;
    private final WireFormat format;
    private final @Nullable String origin;
    private final PingLimit pings;
    private @Nullable Session session;
    private @Nullable AppServer appServer;

    /**
     * What has come while another node's changes are asked for; at most what a stranger may send.
     */
    private @Nullable Deque<Object> held;

    /**
     * @param origin of the page that connects; null where it is no browser that does
     */
    Connection(
            Gateway gateway,
            GatewayLoop loop,
            Channel channel,
            WireFormat format,
            @Nullable String origin) {
        this.origin = origin;
        this.pings = new PingLimit(gateway.parts().clock());
        this.gateway = gateway;
        this.loop = loop;
        this.channel = channel;
        this.socket = new Socket(gateway, loop, channel);
        this.format = format;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object in) {
        if (held == null) {
            take(in);
        } else {
            held.add(in);
        }
    }

    private void take(Object in) {
        try {
            if (!socket.isClosing()) {
                if (session != null) {
                    session.heard();
                } else if (appServer != null) {
                    appServer.heard(gateway.parts().clock().ticks());
                }
                read(in);
            } else if (in instanceof CloseWebSocketFrame) {
                socket.answered(in);
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
            case WebSocketFrame frame when socket.answered(frame) -> {}
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
        AppServer server = appServer;
        if (open == null && server == null) {
            if (frame.getFrameCase() == FrameCase.CONNECT) {
                connect(frame.getConnect());
            } else {
                fail(CloseCode.OUT_OF_ORDER, "the first frame is connect");
            }
            return;
        }
        switch (frame.getFrameCase()) {
            case ACK -> acknowledge(frame.getAck().getIdsList(), false);
            case OPENED -> acknowledge(frame.getOpened().getIdsList(), true);
            case PUBLISH -> publish(frame.getPublish());
            case PING -> pong();
            case CONNECT -> fail(CloseCode.OUT_OF_ORDER, "connect comes once");
            case PONG, FRAME_NOT_SET -> {}
        }
    }

    private void acknowledge(List<Long> ids, boolean opened) {
        if (session == null) {
            fail(CloseCode.OUT_OF_ORDER, "app servers acknowledge nothing");
        } else {
            session.acknowledge(ids, opened);
        }
    }

    private void publish(Publish frame) {
        if (appServer == null) {
            fail(CloseCode.OUT_OF_ORDER, "devices do not publish");
        } else if (frame.getRef().length() > MOST_REF) {
            fail(CloseCode.MALFORMED_FRAME, "ref has at most 64 characters");
        } else {
            appServer.publish(frame);
        }
    }

    private void pong() {
        if (pings.isExceeded()) {
            fail(CloseCode.FLOOD, "too many pings");
        } else if (channel.isWritable()) {
            long now = gateway.parts().clock().millis();
            write(ServerFrame.newBuilder().setPong(Pong.newBuilder().setServerTime(now)));
            flush();
        }
    }

    private void connect(Connect connect) {
        if (isAdmitted(connect)) {
            return;
        }
        if (gateway.parts().apps().isShared()) {
            askOtherNodes(connect);
        } else {
            refuseUnknown(connect);
        }
    }

    /** False if the token or the credentials are not valid, as far as is known here. */
    private boolean isAdmitted(Connect connect) {
        Gateway.Parts parts = gateway.parts();
        if (connect.hasApp()) {
            AppCredentials given = connect.getApp();
            Optional<App> app =
                    parts.apps().byCredentials(given.getAppKey(), given.getMasterSecret());
            // A page that has a master secret has one too many: no origin is let in with it.
            boolean valid = app.isPresent() && origin == null;
            if (valid) {
                connectAppServer(app.get());
            }
            return valid;
        }
        Optional<Claim> claim = parts.tokens().verify(connect.getToken());
        claim.ifPresent(this::connectDevice);
        return claim.isPresent();
    }

    /** What the app is may have changed at another node just now; what comes meanwhile waits. */
    private void askOtherNodes(Connect connect) {
        held = new ArrayDeque<>();
        socket.pauseReading(true);
        gateway.parts()
                .apps()
                .caughtUp()
                .whenComplete((done, failure) ->
                        socket.execute(() -> askedOtherNodes(connect, failure != null)));
    }

    private void askedOtherNodes(Connect connect, boolean failed) {
        if (!socket.isClosing()) {
            if (failed) {
                fail(CloseCode.INTERNAL_ERROR, "the database cannot be asked, try again");
            } else if (!isAdmitted(connect)) {
                refuseUnknown(connect);
            }
        }
        Deque<Object> waiting = Objects.requireNonNull(held);
        held = null;
        socket.pauseReading(false);
        waiting.forEach(this::take);
    }

    private void refuseUnknown(Connect connect) {
        if (connect.hasApp()) {
            refuse(
                    CloseCode.CREDENTIALS_REFUSED,
                    "appKey and masterSecret are none that are valid");
        } else {
            refuse(CloseCode.TOKEN_REFUSED, "register the device again for a new token");
        }
    }

    private void connectDevice(Claim device) {
        App app = device.app();
        if (origin != null && !app.settings().allowsOrigin(origin)) {
            refuse(CloseCode.ORIGIN_REFUSED, "the app's allowedOrigins do not have this page's");
            return;
        }
        // Whoever has read ready is found by the next publish: the session comes first.
        session = socket.open(app.id(), device.number(), device.generation(), this);
        if (session == null) {
            fail(CloseCode.QUOTA_EXCEEDED, "the app has as many connections as it may");
            return;
        }
        Ready.Builder ready = ready(gateway.inflightLimit());
        if (device.ageing()) {
            ready.setToken(
                    gateway.parts().tokens().issue(app, device.number(), device.generation()));
        }
        write(ServerFrame.newBuilder().setReady(ready));
        flush();
    }

    private void connectAppServer(App app) {
        Gateway.Parts parts = gateway.parts();
        if (!parts.quotas().allowsConnection(gateway.connections(app.id()))) {
            refuse(CloseCode.QUOTA_EXCEEDED, "the app has as many connections as it may");
            return;
        }
        socket.proved();
        gateway.appServerConnected(app.id());
        AppServer server =
                new AppServer(app, loop, this, parts.publishing(), parts.clock().ticks());
        appServer = server;
        loop.add(server);
        write(ServerFrame.newBuilder().setReady(ready(AppServer.MOST_UNANSWERED)));
        flush();
    }

    private void refuse(CloseCode code, String detail) {
        gateway.parts().metrics().sessionRefused();
        fail(code, detail);
    }

    private Ready.Builder ready(int inflightLimit) {
        return Ready.newBuilder()
                .setSession(gateway.newSessionId())
                .setHeartbeatSeconds(gateway.heartbeatSeconds())
                .setServerTime(gateway.parts().clock().millis())
                .setInflightLimit(inflightLimit)
                .setEpoch(gateway.parts().epoch());
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        socket.readIfWelcome();
        if (session != null) {
            session.writabilityChanged();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        socket.closed();
        if (session != null) {
            session.disconnected();
        }
        if (appServer != null) {
            loop.remove(appServer);
            gateway.appServerGone(appServer.appId());
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        switch (cause) {
            case TooLongFrameException e when format != WireFormat.TCP_PROTOBUF ->
                    violated(WebSocketCloseStatus.MESSAGE_TOO_BIG);
            case TooLongFrameException e ->
                    fail(CloseCode.FRAME_TOO_LARGE, String.valueOf(e.getMessage()));
            case CorruptedWebSocketFrameException e -> violated(e.closeStatus());
            case CorruptedFrameException e -> fail(CloseCode.MALFORMED_FRAME, "not a frame");
            case Throwable e when FirstBytes.isPeersFault(e) -> ctx.close();
            default -> {
                LOG.error("a connection failed", cause);
                fail(CloseCode.INTERNAL_ERROR, "this is the server's fault");
            }
        }
    }

    /** WebSocket itself was violated: its own code says how (RFC 6455, 7.4.1). */
    private void violated(WebSocketCloseStatus status) {
        if (session == null && appServer == null) {
            gateway.parts().metrics().sessionRefused();
        }
        if (!socket.isClosing()) {
            socket.end(new CloseWebSocketFrame(status));
        }
    }

    /** Tells the device what was wrong, and closes. */
    void fail(CloseCode code, String detail) {
        if (socket.isClosing()) {
            return;
        }
        write(
                ServerFrame.newBuilder()
                        .setError(ErrorInfo.newBuilder().setCode(code.reason()).setDetail(detail)));
        close(code);
    }

    @Override
    public boolean isWritable() {
        return socket.isWritable();
    }

    @Override
    public void push(Message message, int attempt) {
        if (!socket.isClosing()) {
            socket.write(loop.encoder.encode(message, attempt, format));
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
                                        case WON -> AckOutcome.WON;
                                        case ALREADY_SETTLED -> AckOutcome.ALREADY_SETTLED;
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

    /** Acks without an answer are repeated by clients that want one. */
    @Override
    public void unanswered(long messageId) {}

    @Override
    public void settled(long messageId) {
        write(ServerFrame.newBuilder().setSettled(Settled.newBuilder().setId(messageId)));
    }

    @Override
    public void caughtUp() {}

    @Override
    public void goAway(
            String reason, int reconnectAfterMillis, int spreadMillis, List<String> gateways) {
        write(
                ServerFrame.newBuilder()
                        .setGoaway(
                                GoAway.newBuilder()
                                        .setReason(reason)
                                        .setReconnectAfterMs(reconnectAfterMillis)
                                        .setSpreadMs(spreadMillis)
                                        .addAllGateways(gateways)));
    }

    private void write(ServerFrame.Builder frame) {
        write(frame.build());
    }

    void write(ServerFrame frame) {
        if (!socket.isClosing()) {
            socket.write(format.write(frame, channel.alloc()));
        }
    }

    @Override
    public void flush() {
        socket.flush();
    }

    @Override
    public void pauseReading(boolean paused) {
        socket.pauseReading(paused);
    }

    @Override
    public void close(CloseCode code) {
        if (!socket.isClosing()) {
            Object last;
            try {
                last = lastFrame(code);
            } catch (Throwable e) {
                channel.close();
                throw e;
            }
            socket.end(last);
        }
    }

    private Object lastFrame(CloseCode code) {
        if (format != WireFormat.TCP_PROTOBUF) {
            return new CloseWebSocketFrame(code.number(), code.reason());
        }
        Close close = Close.newBuilder().setCode(code.number()).setReason(code.reason()).build();
        return format.write(ServerFrame.newBuilder().setClose(close).build(), channel.alloc());
    }
}
