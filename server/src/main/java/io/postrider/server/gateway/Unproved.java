package io.postrider.server.gateway;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import io.postrider.protocol.CloseCode;
import io.postrider.protocol.Protocol;

/**
 * Stands before everything until the peer has proved who it is: it may send 16 KiB in all until
 * then, TLS and HTTP included, so that is all that can be held for it.
 */
final class Unproved extends ChannelInboundHandlerAdapter {
    private int left = Protocol.MAX_BEFORE_CONNECT;

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object in) {
        left -= ((ByteBuf) in).readableBytes();
        if (left >= 0) {
            ctx.fireChannelRead(in);
            return;
        }
        ReferenceCountUtil.release(in);
        Connection connection = ctx.pipeline().get(Connection.class);
        if (connection == null) {
            ctx.close();
        } else {
            connection.fail(CloseCode.FRAME_TOO_LARGE, "connect comes within 16 KiB");
        }
    }
}
