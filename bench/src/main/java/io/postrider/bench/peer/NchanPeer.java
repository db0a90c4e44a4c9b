package io.postrider.bench.peer;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.websocketx.WebSocketClientHandshakerFactory;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler.ClientHandshakeStateEvent;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketVersion;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;

/** nginx with nchan: WebSockets to devices, HTTP from publishers; in memory, without acks. */
final class NchanPeer implements Peer {
    private static final int MOST_BYTES = 65_536;

    private final Path folder;
    private final ServerProcess process;
    private final int port;

    NchanPeer(Path log) throws IOException, InterruptedException {
        port = ServerProcess.freePort();
        folder = Files.createTempDirectory("postrider-bench-nchan");
        Path config = folder.resolve("nginx.conf");
        // One process, so that its CPU and memory are all there is.
        Files.writeString(
                config,
                """
                load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
                daemon off;
                master_process off;
                worker_rlimit_nofile 20000;
                pid nginx.pid;
                error_log %s;
                events { worker_connections 19000; }
                http {
                  access_log off;
                  client_body_temp_path body;
                  proxy_temp_path proxy;
                  fastcgi_temp_path fastcgi;
                  uwsgi_temp_path uwsgi;
                  scgi_temp_path scgi;
                  keepalive_requests 1000000000;
                  server {
                    listen 127.0.0.1:%d backlog=4096;
                    location = /pub {
                      nchan_publisher;
                      nchan_channel_id $arg_id;
                      nchan_message_buffer_length 100;
                    }
                    location = /sub {
                      nchan_subscriber websocket;
                      nchan_channel_id all $arg_id;
                      nchan_subscriber_first_message newest;
                    }
                  }
                }
                """
                        .formatted(log, port));
        process =
                ServerProcess.start(
                        log,
                        List.of("/usr/sbin/nginx", "-p", folder + "/", "-c", config.toString()));
        process.awaitPort(port);
    }

    @Override
    public String name() {
        return "nchan";
    }

    @Override
    public long pid() {
        return process.pid();
    }

    @Override
    public boolean isJava() {
        return false;
    }

    @Override
    public void prepare(int devices) {}

    @Override
    public void prepareAbsent(int devices, Loops loops) {
        throw new UnsupportedOperationException("nchan keeps nothing for devices");
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public void speakFor(int device, Channel channel, Listener listener) {
        URI uri = URI.create("ws://127.0.0.1:" + port + "/sub?id=d" + device);
        channel.pipeline()
                .addLast(
                        new HttpClientCodec(),
                        new HttpObjectAggregator(MOST_BYTES),
                        new WebSocketClientProtocolHandler(
                                WebSocketClientHandshakerFactory.newHandshaker(
                                        uri,
                                        WebSocketVersion.V13,
                                        null,
                                        false,
                                        new DefaultHttpHeaders(),
                                        MOST_BYTES)),
                        new ChannelInboundHandlerAdapter() {
                            @Override
                            public void userEventTriggered(
                                    ChannelHandlerContext ctx, Object event) {
                                if (event == ClientHandshakeStateEvent.HANDSHAKE_COMPLETE) {
                                    listener.ready(device);
                                }
                            }

                            @Override
                            public void channelRead(ChannelHandlerContext ctx, Object in) {
                                if (in instanceof WebSocketFrame frame) {
                                    ByteBuf text = frame.content();
                                    listener.message(
                                            device, Payload.nanos(text, text.readerIndex()));
                                }
                                ReferenceCountUtil.release(in);
                            }

                            @Override
                            public void channelInactive(ChannelHandlerContext ctx) {
                                listener.gone(device);
                            }
                        });
    }

    @Override
    public Publishing publishing(Loops loops, Delivery delivery) throws Exception {
        Queue<Runnable> waiting = new ArrayDeque<>();
        Channel channel =
                loops.open(
                                0,
                                port,
                                opened ->
                                        opened.pipeline()
                                                .addLast(
                                                        new HttpClientCodec(),
                                                        new Publisher(waiting)))
                        .sync()
                        .channel();
        return (device, sentNanos, taken) ->
                channel.eventLoop()
                        .execute(() -> {
                            waiting.add(taken);
                            String id = device == Publishing.ALL ? "all" : "d" + device;
                            DefaultFullHttpRequest request =
                                    new DefaultFullHttpRequest(
                                            HttpVersion.HTTP_1_1,
                                            HttpMethod.POST,
                                            "/pub?id=" + id,
                                            Unpooled.wrappedBuffer(Payload.at(sentNanos)));
                            request.headers()
                                    .set(HttpHeaderNames.HOST, "127.0.0.1")
                                    .set(HttpHeaderNames.CONTENT_LENGTH, Payload.BYTES);
                            channel.writeAndFlush(request, channel.voidPromise());
                        });
    }

    /** Requests are pipelined: answers come in their order. */
    private static final class Publisher extends ChannelInboundHandlerAdapter {
        private final Queue<Runnable> waiting;

        Publisher(Queue<Runnable> waiting) {
            this.waiting = waiting;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object in) {
            if (in instanceof LastHttpContent) {
                waiting.remove().run();
            }
            ReferenceCountUtil.release(in);
        }
    }

    @Override
    public void close() {
        process.close();
        Folders.delete(folder);
    }
}
