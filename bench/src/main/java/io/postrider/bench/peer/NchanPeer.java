package io.postrider.bench.peer;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler.ClientHandshakeStateEvent;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** nginx with nchan: WebSockets to devices, HTTP from publishers; in memory, without acks. */
final class NchanPeer extends LocalServer {
    private NchanPeer(Path folder, ServerProcess process, int port) {
        super("nchan", false, folder, process, port);
    }

    static NchanPeer start() throws IOException, InterruptedException {
        int port = ServerProcess.freePort();
        Path folder = Folders.newTemporary();
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
                        .formatted(folder.resolve("log"), port));
        ServerProcess process =
                ServerProcess.start(
                        folder,
                        List.of("/usr/sbin/nginx", "-p", folder + "/", "-c", config.toString()));
        process.awaitPort(port);
        return new NchanPeer(folder, process, port);
    }

    @Override
    public void speakFor(int device, Channel channel, Listener listener) {
        WebSockets.addTo(channel, "ws://127.0.0.1:" + port() + "/sub?id=d" + device, null);
        channel.pipeline()
                .addLast(
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
        HttpPosts posts = new HttpPosts(loops, port(), 1);
        return (device, sentNanos, taken) -> {
            String id = device == Publishing.ALL ? "all" : "d" + device;
            posts.post("/pub?id=" + id, Payload.at(sentNanos), headers -> {}, taken);
        };
    }
}
