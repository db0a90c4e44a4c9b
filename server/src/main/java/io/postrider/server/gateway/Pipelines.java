package io.postrider.server.gateway;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.websocketx.Utf8FrameValidator;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.netty.handler.ssl.SslHandler;
import io.postrider.protocol.Protocol;
import io.postrider.server.gateway.FirstBytes.Speaks;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Builds every connection's pipeline; read it from the top to see what a byte passes. */
final class Pipelines extends ChannelInitializer<Channel> {
    private static final int MOST_REQUEST_LINE = 2_048;
    private static final int MOST_HEADERS = 8_192;

    private final Gateway gateway;

    Pipelines(Gateway gateway) {
        this.gateway = gateway;
    }

    @Override
    protected void initChannel(Channel channel) {
        GatewayLoop loop = gateway.loopOf(channel);
        loop.awaitConnect(channel);
        channel.pipeline().addLast(new Unproved());
        boolean encrypted = gateway.parts().tls() == null;
        channel.pipeline().addLast(firstBytes(loop, encrypted));
    }

    /**
     * @param encrypted no TLS is to come before what is to be read here: there was, or there is
     *     none on this gateway
     */
    private FirstBytes firstBytes(GatewayLoop loop, boolean encrypted) {
        return new FirstBytes((ctx, speaks) -> {
            Tls tls = gateway.parts().tls();
            if (speaks == Speaks.TLS && !encrypted && tls != null) {
                ctx.pipeline().addLast(handshake(tls, ctx), firstBytes(loop, true));
            } else if (speaks == Speaks.TCP && encrypted) {
                tcp(ctx, loop);
            } else if (speaks == Speaks.HTTP && encrypted) {
                http(ctx, loop);
            } else {
                gateway.parts().metrics().sessionRefused();
                ctx.close();
            }
        });
    }

    private static SslHandler handshake(Tls tls, ChannelHandlerContext ctx) {
        SslHandler handler = tls.netty().newHandler(ctx.alloc());
        // The connection's own deadline is the shorter one, and counts from its beginning.
        handler.setHandshakeTimeoutMillis(0);
        return handler;
    }

    private void tcp(ChannelHandlerContext ctx, GatewayLoop loop) {
        ctx.pipeline()
                .addLast(
                        new LengthFrameDecoder(),
                        connection(ctx, loop, WireFormat.TCP_PROTOBUF, null));
    }

    private void http(ChannelHandlerContext ctx, GatewayLoop loop) {
        ctx.pipeline()
                .addLast(
                        new HttpServerCodec(MOST_REQUEST_LINE, MOST_HEADERS, MOST_HEADERS),
                        new HttpObjectAggregator(MOST_HEADERS),
                        new Upgrade(
                                gateway.parts().metrics(),
                                gateway.parts().paths(),
                                upgraded(ctx, loop)));
    }

    private Upgrade.Then upgraded(ChannelHandlerContext ctx, GatewayLoop loop) {
        return new Upgrade.Then() {
            @Override
            public void devices(WireFormat format, @Nullable String origin) {
                webSocket(ctx, connection(ctx, loop, format, origin));
            }

            @Override
            public void on(WebSocketPath path, Map<String, List<String>> query) {
                webSocket(
                        ctx,
                        new SpokenPath(
                                new Socket(gateway, loop, ctx.channel()),
                                socket -> path.open(socket, query)));
            }
        };
    }

    /** From frames to whole messages, and then whoever speaks there. */
    private void webSocket(ChannelHandlerContext ctx, ChannelHandler last) {
        ctx.pipeline()
                .addLast(
                        new Floods(gateway.parts().clock()),
                        new Utf8FrameValidator(false),
                        new WebSocketFrameAggregator(Protocol.MAX_CLIENT_FRAME),
                        last);
    }

    private Connection connection(
            ChannelHandlerContext ctx,
            GatewayLoop loop,
            WireFormat format,
            @Nullable String origin) {
        return new Connection(gateway, loop, ctx.channel(), format, origin);
    }
}
