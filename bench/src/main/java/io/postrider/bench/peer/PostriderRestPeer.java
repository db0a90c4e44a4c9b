package io.postrider.bench.peer;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler.ClientHandshakeStateEvent;
import io.netty.util.ReferenceCountUtil;
import io.postrider.protocol.Protocol;
import io.postrider.protocol.v1.Ack;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.ServerFrame;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.stream.Collectors;

/** A node of Postrider with publishers over REST, one message a request or many, to WebSockets. */
final class PostriderRestPeer extends PostriderPeer {
    private static final int CONNECTIONS = 32;
    private static final int MOST_IN_BATCH = 500;

    private final boolean batches;

    private PostriderRestPeer(boolean batches, Path folder, ServerProcess process, Matcher ready) {
        super(batches ? "postrider-batch" : "postrider-rest", folder, process, ready);
        this.batches = batches;
    }

    static PostriderRestPeer start(List<String> launcher, boolean batches)
            throws IOException, InterruptedException {
        Path folder = Folders.newTemporary();
        ServerProcess process = serve(folder, launcher);
        return new PostriderRestPeer(batches, folder, process, process.awaitLine(READY));
    }

    @Override
    public void speakFor(int device, Channel channel, Listener listener) {
        WebSockets.addTo(
                channel, "ws://127.0.0.1:" + port() + "/gateway", Protocol.PROTOBUF_SUBPROTOCOL);
        channel.pipeline().addLast(new Device(device, listener));
    }

    private final class Device extends ChannelInboundHandlerAdapter {
        private final int device;
        private final Listener listener;
        private Ack.Builder acks = Ack.newBuilder();

        Device(int device, Listener listener) {
            this.device = device;
            this.listener = listener;
        }

        private void send(ChannelHandlerContext ctx, ClientFrame.Builder frame) {
            ctx.writeAndFlush(
                    new BinaryWebSocketFrame(Unpooled.wrappedBuffer(frame.build().toByteArray())));
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event == ClientHandshakeStateEvent.HANDSHAKE_COMPLETE) {
                send(ctx, ClientFrame.newBuilder().setConnect(connect(device)));
            }
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object in) throws IOException {
            if (in instanceof BinaryWebSocketFrame binary) {
                ServerFrame frame = ServerFrame.parseFrom(binary.content().nioBuffer());
                switch (frame.getFrameCase()) {
                    case READY -> listener.ready(device);
                    case PUSH -> {
                        acks.addIds(frame.getPush().getId());
                        listener.message(device, Payload.nanos(frame.getPush().getData(), 1));
                    }
                    case ERROR -> System.err.println("closed: " + frame.getError().getDetail());
                    default -> {}
                }
            }
            ReferenceCountUtil.release(in);
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            if (acks.getIdsCount() > 0) {
                send(ctx, ClientFrame.newBuilder().setAck(acks));
                acks = Ack.newBuilder();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            listener.gone(device);
        }
    }

    @Override
    public Publishing publishing(Loops loops, Delivery delivery) throws Exception {
        HttpPosts posts = new HttpPosts(loops, api().port(), CONNECTIONS);
        if (batches) {
            Batches waiting = new Batches(posts);
            return (device, sentNanos, taken) ->
                    waiting.add(message(device, sentNanos, delivery), taken);
        }
        return (device, sentNanos, taken) ->
                post(posts, "/v1/messages", message(device, sentNanos, delivery), taken);
    }

    private void post(HttpPosts posts, String path, String body, Runnable answered) {
        posts.post(
                path,
                body.getBytes(StandardCharsets.US_ASCII),
                headers ->
                        headers.set(HttpHeaderNames.AUTHORIZATION, api().basic())
                                .set(HttpHeaderNames.CONTENT_TYPE, "application/json"),
                answered);
    }

    /** One batch is under way at a time; what comes meanwhile is the next. */
    private final class Batches {
        private final HttpPosts posts;
        private final Queue<Waiting> queue = new ConcurrentLinkedQueue<>();
        private final AtomicBoolean underWay = new AtomicBoolean();

        private record Waiting(String message, Runnable taken) {}

        Batches(HttpPosts posts) {
            this.posts = posts;
        }

        void add(String message, Runnable taken) {
            queue.add(new Waiting(message, taken));
            if (underWay.compareAndSet(false, true)) {
                sendNext();
            }
        }

        private void sendNext() {
            List<Waiting> batch = new ArrayList<>();
            for (Waiting next = queue.poll(); next != null; next = queue.poll()) {
                batch.add(next);
                if (batch.size() == MOST_IN_BATCH) {
                    break;
                }
            }
            if (batch.isEmpty()) {
                underWay.set(false);
                if (!queue.isEmpty() && underWay.compareAndSet(false, true)) {
                    sendNext();
                }
                return;
            }
            String body =
                    batch.stream()
                            .map(Waiting::message)
                            .collect(Collectors.joining(",", "{\"messages\":[", "]}"));
            post(
                    posts,
                    "/v1/messages/batch",
                    body,
                    () -> {
                        batch.forEach(waiting -> waiting.taken.run());
                        sendNext();
                    });
        }
    }
}
