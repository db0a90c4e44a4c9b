package io.postrider.bench.peer;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** NATS without JetStream: nothing is stored, nothing is acknowledged. */
final class NatsPeer implements Peer {
    private static final String CONNECT = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n";

    private final ServerProcess process;
    private final int port;

    NatsPeer(Path log) throws IOException, InterruptedException {
        port = ServerProcess.freePort();
        process =
                ServerProcess.start(
                        log,
                        List.of("nats-server", "-a", "127.0.0.1", "-p", Integer.toString(port)));
        process.awaitPort(port);
    }

    @Override
    public String name() {
        return "nats";
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
        throw new UnsupportedOperationException("NATS without JetStream keeps nothing");
    }

    @Override
    public int port() {
        return port;
    }

    private static void write(Channel channel, String text) {
        ByteBuf out = channel.alloc().buffer(text.length());
        out.writeCharSequence(text, StandardCharsets.US_ASCII);
        channel.write(out, channel.voidPromise());
    }

    /** What comes, line by line: a message's bytes follow its line. */
    private abstract static class Lines extends ByteToMessageDecoder {
        private int payload = -1;

        abstract void ponged();

        abstract void message(ByteBuf in);

        abstract String subscriptions();

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            write(ctx.channel(), CONNECT + subscriptions() + "PING\r\n");
            ctx.flush();
        }

        @Override
        protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
            if (payload >= 0) {
                if (in.readableBytes() >= payload + 2) {
                    message(in);
                    in.skipBytes(payload + 2);
                    payload = -1;
                }
                return;
            }
            int end = in.bytesBefore((byte) '\n');
            if (end < 0) {
                return;
            }
            byte first = in.getByte(in.readerIndex());
            byte second = in.getByte(in.readerIndex() + 1);
            if (first == 'M') {
                payload = lastNumber(in, in.readerIndex() + end - 1);
            } else if (first == 'P' && second == 'I') {
                write(ctx.channel(), "PONG\r\n");
                ctx.flush();
            } else if (first == 'P') {
                ponged();
            }
            in.skipBytes(end + 1);
        }

        private static int lastNumber(ByteBuf in, int end) {
            int number = 0;
            int scale = 1;
            for (int i = end - 1; in.getByte(i) != ' '; i--) {
                number += scale * (in.getByte(i) - '0');
                scale *= 10;
            }
            return number;
        }
    }

    @Override
    public void speakFor(int device, Channel channel, Listener listener) {
        channel.pipeline()
                .addLast(
                        new Lines() {
                            private boolean ready;

                            @Override
                            String subscriptions() {
                                return "SUB all 1\r\nSUB d." + device + " 2\r\n";
                            }

                            @Override
                            void ponged() {
                                if (!ready) {
                                    ready = true;
                                    listener.ready(device);
                                }
                            }

                            @Override
                            void message(ByteBuf in) {
                                listener.message(device, Payload.nanos(in, in.readerIndex()));
                            }

                            @Override
                            public void channelInactive(ChannelHandlerContext ctx) {
                                listener.gone(device);
                            }
                        });
    }

    private static final class Publisher extends Lines {
        private final CompletableFuture<Boolean> ready;

        Publisher(CompletableFuture<Boolean> ready) {
            this.ready = ready;
        }

        @Override
        String subscriptions() {
            return "";
        }

        @Override
        void ponged() {
            ready.complete(true);
        }

        @Override
        void message(ByteBuf in) {
            throw new IllegalStateException("a publisher subscribes to nothing");
        }
    }

    @Override
    public Publishing publishing(Loops loops, Delivery delivery) throws Exception {
        CompletableFuture<Boolean> ready = new CompletableFuture<>();
        Channel channel =
                loops.open(0, port, opened -> opened.pipeline().addLast(new Publisher(ready)))
                        .sync()
                        .channel();
        ready.get();
        return (device, sentNanos, taken) -> {
            channel.eventLoop()
                    .execute(() -> {
                        String subject = device == Publishing.ALL ? "all" : "d." + device;
                        write(channel, "PUB " + subject + " " + Payload.BYTES + "\r\n");
                        channel.write(
                                channel.alloc()
                                        .buffer(Payload.BYTES + 2)
                                        .writeBytes(Payload.at(sentNanos))
                                        .writeByte('\r')
                                        .writeByte('\n'),
                                channel.voidPromise());
                        channel.flush();
                    });
            taken.run();
        };
    }

    @Override
    public void close() {
        process.close();
    }
}
