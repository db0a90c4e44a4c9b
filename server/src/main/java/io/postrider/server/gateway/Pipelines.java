package io.postrider.server.gateway;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.websocketx.Utf8FrameValidator;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.postrider.protocol.Protocol;

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
        channel.pipeline().addLast(new FirstBytes((ctx, speaks) -> build(ctx, loop, speaks)));
    }

    private void build(ChannelHandlerContext ctx, GatewayLoop loop, FirstBytes.Speaks speaks) {
        ChannelPipeline pipeline = ctx.pipeline();
        switch (speaks) {
            case TCP -> {
                pipeline.addLast(new LengthFrameDecoder());
                pipeline.addLast(connection(ctx, loop, WireFormat.TCP_PROTOBUF));
            }
            case HTTP -> {
                pipeline.addLast(
                        new HttpServerCodec(MOST_REQUEST_LINE, MOST_HEADERS, MOST_HEADERS));
                pipeline.addLast(new HttpObjectAggregator(MOST_HEADERS));
                pipeline.addLast(
                        new Upgrade(
                                gateway.metrics(),
                                format -> {
                                    pipeline.addLast(new Utf8FrameValidator(false));
                                    pipeline.addLast(
                                            new WebSocketFrameAggregator(
                                                    Protocol.MAX_CLIENT_FRAME));
                                    pipeline.addLast(connection(ctx, loop, format));
                                }));
            }
            case UNKNOWN -> {
                gateway.metrics().sessionRefused();
                ctx.close();
            }
        }
    }

    private Connection connection(ChannelHandlerContext ctx, GatewayLoop loop, WireFormat format) {
        return new Connection(gateway, loop, ctx.channel(), format);
    }
}
