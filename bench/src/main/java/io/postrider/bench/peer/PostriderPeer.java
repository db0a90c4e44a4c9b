package io.postrider.bench.peer;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.postrider.bench.Progress;
import io.postrider.protocol.v1.Ack;
import io.postrider.protocol.v1.AckOutcome;
import io.postrider.protocol.v1.AckResult;
import io.postrider.protocol.v1.Acked;
import io.postrider.protocol.v1.AppCredentials;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.Connect;
import io.postrider.protocol.v1.Publish;
import io.postrider.protocol.v1.Push;
import io.postrider.protocol.v1.ServerFrame;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A node of Postrider, over TCP with binary frames; stored and flushed but for online messages. */
public class PostriderPeer extends LocalServer {
    static final Pattern READY =
            Pattern.compile(
                    "ready http=http://127\\.0\\.0\\.1:(\\d+) gateway=127\\.0\\.0\\.1:(\\d+)");
    private static final int REGISTERING_AT_ONCE = 64;

    /** How many devices a shop has. */
    public static final int TILLS = 3;

    private final PostriderApi api;
    private String[] tokens = {};
    private final AtomicLong refused = new AtomicLong();
    private volatile boolean acknowledging = true;

    PostriderPeer(String name, Path folder, ServerProcess process, Matcher ready) {
        super(name, true, folder, process, Integer.parseInt(ready.group(2)));
        api = new PostriderApi(Integer.parseInt(ready.group(1)));
    }

    /**
     * Starts a node.
     *
     * @param launcher how the server's command line begins, such as {@code ./postrider}
     */
    static PostriderPeer start(List<String> launcher) throws IOException, InterruptedException {
        Path folder = Folders.newTemporary();
        ServerProcess process = serve(folder, launcher);
        return new PostriderPeer("postrider", folder, process, process.awaitLine(READY));
    }

    static ServerProcess serve(Path folder, List<String> launcher, String... options)
            throws IOException {
        List<String> command = new ArrayList<>(launcher);
        command.addAll(
                List.of(
                        "serve",
                        "--data=" + folder.resolve("data"),
                        "--http-port=0",
                        "--gateway-port=0",
                        "--registrations-per-second=100000",
                        "--stop-with=" + ProcessHandle.current().pid()));
        command.addAll(List.of(options));
        return ServerProcess.start(folder, command);
    }

    final PostriderApi api() {
        return api;
    }

    @Override
    public void prepare(int devices, Progress progress) throws InterruptedException {
        progress.begin("registering");
        int known = tokens.length;
        tokens = Arrays.copyOf(tokens, Math.max(known, devices));
        forEach(known, devices, device -> tokens[device] = api.register("d" + device), progress);
        if (Arrays.asList(tokens).contains(null)) {
            throw new IllegalStateException("not every device could be registered");
        }
    }

    /** Calls for each device, some at once. */
    private static void forEach(int from, int devices, IntConsumer call, Progress progress)
            throws InterruptedException {
        Semaphore atOnce = new Semaphore(REGISTERING_AT_ONCE);
        try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = from; i < devices; i++) {
                int device = i;
                atOnce.acquire();
                progress.show(i, devices);
                callers.execute(() -> {
                    try {
                        call.accept(device);
                    } finally {
                        atOnce.release();
                    }
                });
            }
        }
        progress.end();
    }

    /** Puts devices into shops: {@link #TILLS} into each, in their order. */
    public void openShops(int devices, Progress progress) throws InterruptedException {
        progress.begin("opening shops");
        forEach(0, devices, device -> api.join("s" + device / TILLS, "d" + device), progress);
    }

    /** Whether devices acknowledge what comes from here on. */
    public void acknowledge(boolean yes) {
        acknowledging = yes;
    }

    @Override
    public void prepareAbsent(int devices, Loops loops, Progress progress)
            throws InterruptedException {
        prepare(devices, progress);
    }

    /** The size of the database, its log included. */
    public long storedBytes() throws IOException {
        try (Stream<Path> files = Files.list(folder().resolve("data"))) {
            return files.mapToLong(file -> file.toFile().length()).sum();
        }
    }

    /** How long it takes to read the newest message, or what is below it. */
    public double millisToRead(String below) {
        return api.millisToRead(below);
    }

    final Connect connect(int device) {
        return Connect.newBuilder().setToken(tokens[device]).setSdk("bench").build();
    }

    /** The body of a message to one device, to a shop, or to all. */
    static String message(int device, long sentNanos, Delivery delivery) {
        String one =
                delivery == Delivery.ANY
                        ? "{\"groups\":[\"s" + device + "\"]}"
                        : "{\"devices\":[\"d" + device + "\"]}";
        String audience = device == Publishing.ALL ? "\"all\"" : one;
        String options =
                switch (delivery) {
                    case ONLINE -> "{\"delivery\":\"online\",\"ack\":false}";
                    case ANY -> "{\"delivery\":\"any\"}";
                    case EACH -> "{}";
                };
        return "{\"audience\":"
                + audience
                + ",\"data\":\""
                + new String(Payload.at(sentNanos), StandardCharsets.US_ASCII)
                + "\",\"options\":"
                + options
                + "}";
    }

    @Override
    public void speakFor(int device, Channel channel, Listener listener) {
        channel.pipeline()
                .addLast(
                        new TcpFrames(connect(device)) {
                            private Ack.@Nullable Builder acks;

                            @Override
                            void frame(ChannelHandlerContext ctx, ServerFrame frame) {
                                switch (frame.getFrameCase()) {
                                    case READY -> listener.ready(device);
                                    case PUSH -> push(frame.getPush());
                                    case ACKED -> acked(frame.getAcked());
                                    default -> {}
                                }
                            }

                            private void push(Push push) {
                                if (acknowledging && (!push.hasAck() || push.getAck())) {
                                    Ack.Builder waiting = acks == null ? Ack.newBuilder() : acks;
                                    waiting.addIds(push.getId());
                                    acks = waiting;
                                }
                                // The data is a JSON string; its time comes after the quotation
                                // mark.
                                listener.message(device, Payload.nanos(push.getData(), 1));
                            }

                            private void acked(Acked acked) {
                                for (AckResult result : acked.getResultsList()) {
                                    if (result.getOutcome() == AckOutcome.WON) {
                                        listener.settled(device);
                                    }
                                }
                            }

                            @Override
                            public void channelReadComplete(ChannelHandlerContext ctx)
                                    throws Exception {
                                if (acks != null) {
                                    TcpFrames.send(
                                            ctx.channel(), ClientFrame.newBuilder().setAck(acks));
                                    acks = null;
                                    ctx.flush();
                                }
                                super.channelReadComplete(ctx);
                            }

                            @Override
                            public void channelInactive(ChannelHandlerContext ctx) {
                                listener.gone(device);
                            }
                        });
    }

    @Override
    public long refused() {
        return refused.get();
    }

    @Override
    public Publishing publishing(Loops loops, Delivery delivery) throws Exception {
        return publishing(loops, delivery, port(0));
    }

    /** A connection that publishes at the gateway on that port. */
    final Publishing publishing(Loops loops, Delivery delivery, int port) throws Exception {
        Map<String, Runnable> waiting = new ConcurrentHashMap<>();
        CompletableFuture<Boolean> ready = new CompletableFuture<>();
        Connect connect =
                Connect.newBuilder()
                        .setSdk("bench")
                        .setApp(
                                AppCredentials.newBuilder()
                                        .setAppKey(api.appKey())
                                        .setMasterSecret(api.masterSecret()))
                        .build();
        Channel channel =
                loops.open(
                                0,
                                port,
                                opened ->
                                        opened.pipeline()
                                                .addLast(
                                                        new Publisher(
                                                                connect, ready, waiting, refused)))
                        .sync()
                        .channel();
        ready.get();
        AtomicLong refs = new AtomicLong();
        return (device, sentNanos, taken) -> {
            String message = message(device, sentNanos, delivery);
            String ref = Long.toString(refs.incrementAndGet());
            waiting.put(ref, taken);
            channel.eventLoop()
                    .execute(() -> {
                        TcpFrames.send(
                                channel,
                                ClientFrame.newBuilder()
                                        .setPublish(
                                                Publish.newBuilder()
                                                        .setRef(ref)
                                                        .setMessage(message)));
                        channel.flush();
                    });
        };
    }

    private static final class Publisher extends TcpFrames {
        private final CompletableFuture<Boolean> ready;
        private final Map<String, Runnable> waiting;
        private final AtomicLong refused;

        Publisher(
                Connect connect,
                CompletableFuture<Boolean> ready,
                Map<String, Runnable> waiting,
                AtomicLong refused) {
            super(connect);
            this.ready = ready;
            this.waiting = waiting;
            this.refused = refused;
        }

        private void take(String ref) {
            Runnable taken = waiting.remove(ref);
            if (taken != null) {
                taken.run();
            }
        }

        @Override
        void frame(ChannelHandlerContext ctx, ServerFrame frame) {
            switch (frame.getFrameCase()) {
                case READY -> ready.complete(true);
                case ACCEPTED -> take(frame.getAccepted().getRef());
                case REFUSED -> {
                    if (refused.getAndIncrement() == 0) {
                        System.err.println("refused: " + frame.getRefused().getDetail());
                    }
                    take(frame.getRefused().getRef());
                }
                case ERROR -> System.err.println("closed: " + frame.getError().getDetail());
                default -> {}
            }
        }
    }

    @Override
    public void close() {
        super.close();
        api.close();
    }
}
