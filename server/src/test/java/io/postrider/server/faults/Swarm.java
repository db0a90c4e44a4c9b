package io.postrider.server.faults;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.postrider.protocol.Protocol;
import io.postrider.protocol.Varint;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.Connect;
import io.postrider.protocol.v1.ServerFrame;
import io.postrider.protocol.v1.ServerFrame.FrameCase;
import java.net.URI;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;

/** Thousands of devices that want to be connected and come back after every loss. */
final class Swarm implements AutoCloseable {
    private final EventLoopGroup loops =
            new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
    private final URI gateway;
    private final LongSupplier backoffMillis;
    private final AtomicInteger ready = new AtomicInteger();
    private volatile boolean closing;

    /**
     * @param backoffMillis how long a device waits after a loss
     */
    Swarm(String gateway, List<String> tokens, LongSupplier backoffMillis) {
        this.gateway = URI.create(gateway);
        this.backoffMillis = backoffMillis;
        tokens.forEach(this::connect);
    }

    /** How many are connected and were told ready. */
    int ready() {
        return ready.get();
    }

    private void connect(String token) {
        if (closing) {
            return;
        }
        new Bootstrap()
                .group(loops)
                .channel(NioSocketChannel.class)
                .handler(
                        new ChannelInitializer<SocketChannel>() {
                            @Override
                            protected void initChannel(SocketChannel channel) {
                                channel.pipeline().addLast(new Frames(), new Device(token));
                            }
                        })
                .connect(gateway.getHost(), gateway.getPort())
                .addListener(connected -> {
                    if (!connected.isSuccess()) {
                        later(token);
                    }
                });
    }

    private void later(String token) {
        if (!closing) {
            loops.schedule(() -> connect(token), backoffMillis.getAsLong(), TimeUnit.MILLISECONDS);
        }
    }

    private static final class Frames extends ByteToMessageDecoder {
        @Override
        protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
            in.markReaderIndex();
            int length = 0;
            for (int shift = 0; in.isReadable(); shift += 7) {
                byte next = in.readByte();
                length |= (next & 0x7f) << shift;
                if (next >= 0 && in.readableBytes() >= length) {
                    out.add(in.readRetainedSlice(length));
                    return;
                }
                if (next >= 0) {
                    break;
                }
            }
            in.resetReaderIndex();
        }
    }

    private final class Device extends SimpleChannelInboundHandler<ByteBuf> {
        private final String token;
        private boolean isReady;

        Device(String token) {
            this.token = token;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            byte[] connect =
                    ClientFrame.newBuilder()
                            .setConnect(Connect.newBuilder().setToken(token).setSdk("swarm/1"))
                            .build()
                            .toByteArray();
            byte[] length = new byte[Varint.MAX_BYTES];
            int size = Varint.write(connect.length, length, 0);
            ctx.writeAndFlush(
                    Unpooled.wrappedBuffer(
                            Unpooled.wrappedBuffer(Protocol.tcpMagic()),
                            Unpooled.wrappedBuffer(length, 0, size),
                            Unpooled.wrappedBuffer(connect)));
        }

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, ByteBuf frame) throws Exception {
            byte[] bytes = new byte[frame.readableBytes()];
            frame.readBytes(bytes);
            if (ServerFrame.parseFrom(bytes).getFrameCase() == FrameCase.READY) {
                isReady = true;
                ready.incrementAndGet();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            if (isReady) {
                ready.decrementAndGet();
            }
            later(token);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close();
        }
    }

    @Override
    public void close() {
        closing = true;
        loops.shutdownGracefully(0, 2, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
