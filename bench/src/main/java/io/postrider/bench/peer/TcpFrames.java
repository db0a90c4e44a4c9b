package io.postrider.bench.peer;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.util.concurrent.Future;
import io.postrider.protocol.Protocol;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.Connect;
import io.postrider.protocol.v1.Ping;
import io.postrider.protocol.v1.ServerFrame;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Postrider's frames over TCP: a varint length, then a frame. */
abstract class TcpFrames extends ByteToMessageDecoder {
    /** Well within the heartbeat that every node asks for. */
    private static final int PING_SECONDS = 20;

    private final Connect connect;

    TcpFrames(Connect connect) {
        this.connect = connect;
    }

    abstract void frame(ChannelHandlerContext ctx, ServerFrame frame);

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        ctx.write(Unpooled.wrappedBuffer(Protocol.tcpMagic()), ctx.voidPromise());
        send(ctx.channel(), ClientFrame.newBuilder().setConnect(connect));
        ctx.flush();
        Future<?> pinging =
                ctx.executor()
                        .scheduleAtFixedRate(
                                () -> ping(ctx), PING_SECONDS, PING_SECONDS, TimeUnit.SECONDS);
        ctx.channel().closeFuture().addListener(closed -> pinging.cancel(false));
    }

    private static void ping(ChannelHandlerContext ctx) {
        send(ctx.channel(), ClientFrame.newBuilder().setPing(Ping.getDefaultInstance()));
        ctx.flush();
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out)
            throws Exception {
        in.markReaderIndex();
        int length = 0;
        for (int shift = 0; in.isReadable(); shift += 7) {
            byte next = in.readByte();
            length |= (next & 0x7f) << shift;
            if (next >= 0) {
                if (in.readableBytes() < length) {
                    break;
                }
                ServerFrame frame = ServerFrame.parseFrom(in.nioBuffer(in.readerIndex(), length));
                in.skipBytes(length);
                frame(ctx, frame);
                return;
            }
        }
        in.resetReaderIndex();
    }

    /** Writes a frame, unflushed. */
    static void send(Channel channel, ClientFrame.Builder builder) {
        byte[] frame = builder.build().toByteArray();
        ByteBuf out = channel.alloc().buffer(frame.length + 5);
        int length = frame.length;
        while (length > 0x7f) {
            out.writeByte((length & 0x7f) | 0x80);
            length >>>= 7;
        }
        out.writeByte(length);
        out.writeBytes(frame);
        channel.write(out, channel.voidPromise());
    }
}
