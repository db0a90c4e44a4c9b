package io.postrider.server.gateway;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.codec.http.websocketx.WebSocketDecoderConfig;
import io.netty.handler.codec.http.websocketx.WebSocketHandshakeException;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshaker;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshakerFactory;
import io.postrider.protocol.Protocol;
import io.postrider.server.metrics.Metrics;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The one HTTP request of a WebSocket: answers it, and leaves the pipeline. */
final class Upgrade extends SimpleChannelInboundHandler<FullHttpRequest> {
    private static final String SUBPROTOCOLS =
            Protocol.PROTOBUF_SUBPROTOCOL + "," + Protocol.JSON_SUBPROTOCOL;
    private static final WebSocketDecoderConfig DECODING =
            WebSocketDecoderConfig.newBuilder()
                    .maxFramePayloadLength(Protocol.MAX_CLIENT_FRAME)
                    .allowExtensions(false)
                    .withUTF8Validator(false)
                    .closeOnProtocolViolation(false)
                    .build();

    private final Metrics metrics;
    private final Map<String, WebSocketPath> paths;
    private final Then then;

    /** How it goes on. */
    interface Then {
        void devices(WireFormat format, @Nullable String origin);

        void on(WebSocketPath path, Map<String, List<String>> query);
    }

    /**
     * @param paths those that are not the devices' own
     */
    Upgrade(Metrics metrics, Map<String, WebSocketPath> paths, Then then) {
        this.metrics = metrics;
        this.paths = paths;
        this.then = then;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, FullHttpRequest request) {
        if (!request.decoderResult().isSuccess()) {
            refuse(ctx, HttpResponseStatus.BAD_REQUEST, "This is no HTTP request.");
            return;
        }
        String path = pathOf(request.uri());
        WebSocketPath other = paths.get(path);
        if (other != null) {
            Map<String, List<String>> query;
            try {
                query = new QueryStringDecoder(request.uri()).parameters();
            } catch (IllegalArgumentException e) {
                refuse(
                        ctx,
                        HttpResponseStatus.BAD_REQUEST,
                        "The query is not URL-encoded: a % stands before two hex digits.");
                return;
            }
            if (upgrade(ctx, request, path, null) != null) {
                then.on(other, query);
                ctx.pipeline().remove(this);
            }
            return;
        }
        if (!path.equals(Protocol.WEBSOCKET_PATH)) {
            refuse(
                    ctx,
                    HttpResponseStatus.NOT_FOUND,
                    "Devices connect to " + Protocol.WEBSOCKET_PATH + ". REST is on another port.");
            return;
        }
        String offered = request.headers().get(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL);
        if (offered != null
                && !offered.contains(Protocol.PROTOBUF_SUBPROTOCOL)
                && !offered.contains(Protocol.JSON_SUBPROTOCOL)) {
            refuse(
                    ctx,
                    HttpResponseStatus.BAD_REQUEST,
                    "The subprotocols here are " + SUBPROTOCOLS + ".");
            return;
        }
        WebSocketServerHandshaker upgraded =
                upgrade(ctx, request, path, offered == null ? null : SUBPROTOCOLS);
        if (upgraded != null) {
            then.devices(
                    Protocol.PROTOBUF_SUBPROTOCOL.equals(upgraded.selectedSubprotocol())
                            ? WireFormat.WEBSOCKET_PROTOBUF
                            : WireFormat.WEBSOCKET_JSON,
                    request.headers().get(HttpHeaderNames.ORIGIN));
            ctx.pipeline().remove(this);
        }
    }

    /** Null if it was refused, which has been answered. */
    private @Nullable WebSocketServerHandshaker upgrade(
            ChannelHandlerContext ctx,
            FullHttpRequest request,
            String path,
            @Nullable String subprotocols) {
        WebSocketServerHandshaker handshaker =
                new WebSocketServerHandshakerFactory("ws://" + path, subprotocols, DECODING)
                        .newHandshaker(request);
        if (handshaker == null) {
            WebSocketServerHandshakerFactory.sendUnsupportedVersionResponse(ctx.channel())
                    .addListener(ChannelFutureListener.CLOSE);
            return null;
        }
        try {
            handshaker.handshake(ctx.channel(), request);
        } catch (WebSocketHandshakeException e) {
            refuse(ctx, HttpResponseStatus.BAD_REQUEST, "This is no WebSocket upgrade.");
            return null;
        }
        return handshaker;
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (FirstBytes.isPeersFault(cause)) {
            ctx.close();
        } else {
            refuse(ctx, HttpResponseStatus.BAD_REQUEST, "This is no HTTP request.");
        }
    }

    private static String pathOf(String uri) {
        int query = uri.indexOf('?');
        return query < 0 ? uri : uri.substring(0, query);
    }

    private void refuse(ChannelHandlerContext ctx, HttpResponseStatus status, String why) {
        metrics.sessionRefused();
        DefaultFullHttpResponse response =
                new DefaultFullHttpResponse(
                        HttpVersion.HTTP_1_1,
                        status,
                        Unpooled.copiedBuffer(why + "\n", StandardCharsets.UTF_8));
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, "text/plain; charset=utf-8")
                .set(HttpHeaderNames.CONTENT_LENGTH, response.content().readableBytes())
                .set(HttpHeaderNames.CONNECTION, "close");
        ctx.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
    }
}
