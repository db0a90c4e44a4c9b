package io.postrider.bench.peer;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.postrider.bench.Progress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * NATS with JetStream: a stream on disk (which it flushes every two minutes), and a durable
 * consumer with explicit acks for each device.
 */
final class JetStreamPeer extends NatsPeer {
    private static final int AT_ONCE = 32;

    private JetStreamPeer(Path folder, ServerProcess process, int port) {
        super("jetstream", folder, process, port);
    }

    static JetStreamPeer start() throws IOException, InterruptedException {
        int port = ServerProcess.freePort();
        Path folder = Folders.newTemporary();
        List<String> options = List.of("-js", "-sd", folder.resolve("store").toString());
        return new JetStreamPeer(folder, serve(folder, port, options), port);
    }

    @Override
    public void prepareAbsent(int devices, Loops loops, Progress progress) throws Exception {
        Requests requests = open(loops);
        requests.ask(
                        "$JS.API.STREAM.CREATE.M",
                        "{\"name\":\"M\",\"subjects\":[\"d.>\"],\"storage\":\"file\"}")
                .get();
        Semaphore atOnce = new Semaphore(AT_ONCE);
        for (int i = 0; i < devices; i++) {
            if (!atOnce.tryAcquire(1, TimeUnit.MINUTES)) {
                throw new IllegalStateException("JetStream answers no more");
            }
            progress.show(i, devices);
            requests.ask(
                            "$JS.API.CONSUMER.DURABLE.CREATE.M.c" + i,
                            "{\"stream_name\":\"M\",\"config\":{\"durable_name\":\"c"
                                    + i
                                    + "\",\"filter_subject\":\"d."
                                    + i
                                    + "\",\"deliver_subject\":\"in."
                                    + i
                                    + "\",\"ack_policy\":\"explicit\",\"max_ack_pending\":256}}")
                    .whenComplete((answer, failure) -> atOnce.release());
        }
        atOnce.acquire(AT_ONCE);
    }

    @Override
    public void speakFor(int device, Channel channel, Listener listener) {
        channel.pipeline()
                .addLast(
                        new Subscriber(device, "SUB in." + device + " 1\r\n", true, listener) {
                            private boolean acked;

                            @Override
                            void message(ChannelHandlerContext ctx, ByteBuf in) {
                                write(ctx.channel(), "PUB " + head()[3] + " 4\r\n+ACK\r\n");
                                acked = true;
                                super.message(ctx, in);
                            }

                            @Override
                            public void channelReadComplete(ChannelHandlerContext ctx)
                                    throws Exception {
                                super.channelReadComplete(ctx);
                                if (acked) {
                                    acked = false;
                                    ctx.flush();
                                }
                            }
                        });
    }

    /** Asks and hears answers, by an inbox whose last part is the number of the question. */
    private static final class Requests extends Lines {
        private final CompletableFuture<Channel> ready = new CompletableFuture<>();
        private final Map<Long, CompletableFuture<String>> waiting = new ConcurrentHashMap<>();
        private final AtomicLong asked = new AtomicLong();

        Requests() {
            super(true);
        }

        @Override
        String subscriptions() {
            return "SUB inbox.* 1\r\n";
        }

        @Override
        void ponged(Channel channel) {
            ready.complete(channel);
        }

        @Override
        void message(ChannelHandlerContext ctx, ByteBuf in) {
            long number = Long.parseLong(head()[1].substring("inbox.".length()));
            CompletableFuture<String> answer = waiting.remove(number);
            if (answer != null) {
                answer.complete(in.toString(StandardCharsets.UTF_8));
            }
        }

        CompletableFuture<String> ask(String subject, String body) {
            long number = asked.incrementAndGet();
            CompletableFuture<String> answer = new CompletableFuture<>();
            waiting.put(number, answer);
            Channel channel = ready.join();
            channel.eventLoop()
                    .execute(() -> {
                        write(
                                channel,
                                "PUB "
                                        + subject
                                        + " inbox."
                                        + number
                                        + " "
                                        + body.length()
                                        + "\r\n"
                                        + body
                                        + "\r\n");
                        channel.flush();
                    });
            return answer;
        }
    }

    private Requests open(Loops loops) throws Exception {
        Requests requests = new Requests();
        loops.open(0, port(), opened -> opened.pipeline().addLast(requests)).sync();
        requests.ready.get();
        return requests;
    }

    @Override
    public Publishing publishing(Loops loops, Delivery delivery) throws Exception {
        Requests requests = open(loops);
        return (device, sentNanos, taken) ->
                requests.ask(
                                "d." + device,
                                new String(Payload.at(sentNanos), StandardCharsets.US_ASCII))
                        .whenComplete((answer, failure) -> taken.run());
    }
}
