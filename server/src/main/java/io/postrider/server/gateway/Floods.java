package io.postrider.server.gateway;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.websocketx.ContinuationWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.util.ReferenceCountUtil;
import io.postrider.server.clock.Clock;

/** Refuses WebSocket frames that cost work and mean nothing, where they come in masses. */
final class Floods extends ChannelInboundHandlerAdapter {
    private static final int MOST_FRAGMENTS = 1_000;

    private final PingLimit pings;
    private int fragments;

    Floods(Clock clock) {
        this.pings = new PingLimit(clock);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object frame) {
        if (frame instanceof ContinuationWebSocketFrame part) {
            fragments = part.isFinalFragment() ? 0 : fragments + 1;
        }
        boolean control =
                frame instanceof PingWebSocketFrame || frame instanceof PongWebSocketFrame;
        if (fragments > MOST_FRAGMENTS || (control && pings.isExceeded())) {
            ReferenceCountUtil.release(frame);
            ctx.fireExceptionCaught(
                    new CorruptedWebSocketFrameException(
                            WebSocketCloseStatus.POLICY_VIOLATION, "a flood"));
            return;
        }
        ctx.fireChannelRead(frame);
    }
}
