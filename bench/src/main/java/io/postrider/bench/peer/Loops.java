package io.postrider.bench.peer;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.function.Consumer;

/** The event loops of the load generator, and how they open connections. */
public final class Loops implements AutoCloseable {
    /** Sources are spread over so many addresses: one has only about 28,000 ports for a target. */
    private static final int SOURCES = 8;

    private final MultiThreadIoEventLoopGroup group;
    private final Class<? extends SocketChannel> kind;

    public Loops(int threads) {
        IoHandlerFactory handler =
                Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        kind = Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class;
        group = new MultiThreadIoEventLoopGroup(threads, handler);
    }

    /** Opens a connection from 127.0.0.x; the channel is set up before it connects. */
    public ChannelFuture open(int number, int port, Consumer<Channel> setUp) {
        return new Bootstrap()
                .group(group)
                .channel(kind)
                .option(ChannelOption.TCP_NODELAY, true)
                .handler(
                        new ChannelInitializer<SocketChannel>() {
                            @Override
                            protected void initChannel(SocketChannel channel) {
                                setUp.accept(channel);
                            }
                        })
                .connect(
                        new InetSocketAddress(loopback(1), port),
                        new InetSocketAddress(loopback(1 + number % SOURCES), 0));
    }

    private static InetAddress loopback(int last) {
        try {
            return InetAddress.getByAddress(new byte[] {127, 0, 0, (byte) last});
        } catch (UnknownHostException e) {
            throw new IllegalStateException("four bytes are an address", e);
        }
    }

    @Override
    public void close() {
        group.shutdownGracefully().syncUninterruptibly();
    }
}
