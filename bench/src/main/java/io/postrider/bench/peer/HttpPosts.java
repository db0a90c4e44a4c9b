package io.postrider.bench.peer;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** Requests over a few connections that stay open, in turns and pipelined. Any thread. */
final class HttpPosts {
    private final List<Line> lines = new ArrayList<>();
    private final AtomicInteger next = new AtomicInteger();

    private record Line(Channel channel, Queue<Runnable> waiting) {}

    HttpPosts(Loops loops, int port, int connections) throws InterruptedException {
        for (int i = 0; i < connections; i++) {
            Queue<Runnable> waiting = new ArrayDeque<>();
            Channel channel =
                    loops.open(
                                    i,
                                    port,
                                    opened ->
                                            opened.pipeline()
                                                    .addLast(
                                                            new HttpClientCodec(),
                                                            new Answers(waiting)))
                            .sync()
                            .channel();
            lines.add(new Line(channel, waiting));
        }
    }

    /** Sends a request; the answer, whatever it says, is an answer. */
    void post(String path, byte[] body, Consumer<HttpHeaders> headers, Runnable answered) {
        Line line = lines.get(Math.floorMod(next.getAndIncrement(), lines.size()));
        line.channel
                .eventLoop()
                .execute(() -> {
                    line.waiting.add(answered);
                    DefaultFullHttpRequest request =
                            new DefaultFullHttpRequest(
                                    HttpVersion.HTTP_1_1,
                                    HttpMethod.POST,
                                    path,
                                    Unpooled.wrappedBuffer(body));
                    request.headers()
                            .set(HttpHeaderNames.HOST, "127.0.0.1")
                            .set(HttpHeaderNames.CONTENT_LENGTH, body.length);
                    headers.accept(request.headers());
                    line.channel.writeAndFlush(request, line.channel.voidPromise());
                });
    }

    /** Answers come in the order of their requests. */
    private static final class Answers extends ChannelInboundHandlerAdapter {
        private final Queue<Runnable> waiting;

        Answers(Queue<Runnable> waiting) {
            this.waiting = waiting;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object in) {
            if (in instanceof HttpResponse answer && answer.status().code() >= 300) {
                // What is refused never arrives, and counts as lost.
                System.err.println("refused: " + answer.status());
            }
            if (in instanceof LastHttpContent) {
                waiting.remove().run();
            }
            ReferenceCountUtil.release(in);
        }
    }
}
