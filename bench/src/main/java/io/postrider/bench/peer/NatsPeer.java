package io.postrider.bench.peer;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** NATS: nothing is stored, nothing is acknowledged. */
class NatsPeer extends LocalServer {
    private static final String CONNECT = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n";

    NatsPeer(String name, Path folder, ServerProcess process, int port) {
        super(name, false, folder, process, port);
    }

    static NatsPeer start() throws IOException, InterruptedException {
        int port = ServerProcess.freePort();
        Path folder = Folders.newTemporary();
        return new NatsPeer("nats", folder, serve(folder, port, List.of()), port);
    }

    static ServerProcess serve(Path folder, int port, List<String> options)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.addAll(List.of("nats-server", "-a", "127.0.0.1", "-p", Integer.toString(port)));
        command.addAll(options);
        ServerProcess process = ServerProcess.start(folder, command);
        process.awaitPort(port);
        return process;
    }

    static void write(Channel channel, String text) {
        ByteBuf out = channel.alloc().buffer(text.length());
        out.writeCharSequence(text, StandardCharsets.US_ASCII);
        channel.write(out, channel.voidPromise());
    }

    /** What comes, line by line: a message's bytes follow its line. */
    abstract static class Lines extends ByteToMessageDecoder {
        private final boolean keepsHeads;
        private int payload = -1;
        private String[] head = {};

        /**
         * @param keepsHeads whether it looks at {@link #head}
         */
        Lines(boolean keepsHeads) {
            this.keepsHeads = keepsHeads;
        }

        abstract void ponged(Channel channel);

        abstract void message(ChannelHandlerContext ctx, ByteBuf in);

        abstract String subscriptions();

        /** The words of the message's line: MSG, its subject, a number, perhaps a reply subject. */
        final String[] head() {
            return head;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            write(ctx.channel(), CONNECT + subscriptions() + "PING\r\n");
            ctx.flush();
        }

        @Override
        protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
            if (payload >= 0) {
                if (in.readableBytes() >= payload + 2) {
                    message(ctx, in);
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
                if (keepsHeads) {
                    head =
                            in.toString(in.readerIndex(), end - 1, StandardCharsets.US_ASCII)
                                    .split(" ", -1);
                }
            } else if (first == 'P' && second == 'I') {
                write(ctx.channel(), "PONG\r\n");
                ctx.flush();
            } else if (first == 'P') {
                ponged(ctx.channel());
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

    /** A device that hears what it has subscribed to. */
    static class Subscriber extends Lines {
        private final int device;
        private final String subscriptions;
        private final Listener listener;
        private boolean ready;

        Subscriber(int device, String subscriptions, boolean keepsHeads, Listener listener) {
            super(keepsHeads);
            this.device = device;
            this.subscriptions = subscriptions;
            this.listener = listener;
        }

        @Override
        final String subscriptions() {
            return subscriptions;
        }

        @Override
        final void ponged(Channel channel) {
            if (!ready) {
                ready = true;
                listener.ready(device);
            }
        }

        @Override
        void message(ChannelHandlerContext ctx, ByteBuf in) {
            listener.message(device, Payload.nanos(in, in.readerIndex()));
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            listener.gone(device);
        }
    }

    @Override
    public void speakFor(int device, Channel channel, Listener listener) {
        String subscriptions = "SUB all 1\r\nSUB d." + device + " 2\r\n";
        channel.pipeline().addLast(new Subscriber(device, subscriptions, false, listener));
    }

    private static final class Publisher extends Lines {
        private final CompletableFuture<Boolean> ready;

        Publisher(CompletableFuture<Boolean> ready) {
            super(false);
            this.ready = ready;
        }

        @Override
        String subscriptions() {
            return "";
        }

        @Override
        void ponged(Channel channel) {
            ready.complete(true);
        }

        @Override
        void message(ChannelHandlerContext ctx, ByteBuf in) {
            throw new IllegalStateException("a publisher subscribes to nothing");
        }
    }

    @Override
    public Publishing publishing(Loops loops, Delivery delivery) throws Exception {
        CompletableFuture<Boolean> ready = new CompletableFuture<>();
        Channel channel =
                loops.open(0, port(), opened -> opened.pipeline().addLast(new Publisher(ready)))
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
}
