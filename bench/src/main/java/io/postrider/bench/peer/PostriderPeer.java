package io.postrider.bench.peer;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.postrider.bench.Progress;
import io.postrider.protocol.Protocol;
import io.postrider.protocol.v1.Ack;
import io.postrider.protocol.v1.AppCredentials;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.Connect;
import io.postrider.protocol.v1.Publish;
import io.postrider.protocol.v1.Push;
import io.postrider.protocol.v1.ServerFrame;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** A node of Postrider, over TCP with binary frames; stored and flushed but for online messages. */
public final class PostriderPeer implements Peer {
    private static final Pattern READY =
            Pattern.compile(
                    "ready http=http://127\\.0\\.0\\.1:(\\d+) gateway=127\\.0\\.0\\.1:(\\d+)");
    private static final int REGISTERING_AT_ONCE = 64;

    private final ObjectMapper json = new ObjectMapper();
    private final HttpClient http = HttpClient.newHttpClient();
    private final Path folder;
    private final ServerProcess process;
    private final int httpPort;
    private final int gatewayPort;
    private final String appKey;
    private final String masterSecret;
    private String[] tokens = {};

    /**
     * Starts a node in a temporary folder.
     *
     * @param launcher how the server's command line begins, such as {@code ./postrider}
     */
    public PostriderPeer(List<String> launcher) throws IOException {
        folder = Files.createTempDirectory("postrider-bench");
        Runtime.getRuntime().addShutdownHook(new Thread(() -> Folders.delete(folder)));
        List<String> command = new ArrayList<>(launcher);
        command.addAll(
                List.of(
                        "serve",
                        "--data=" + folder.resolve("data"),
                        "--http-port=0",
                        "--gateway-port=0",
                        "--registrations-per-second=100000",
                        "--stop-with=" + ProcessHandle.current().pid()));
        process = ServerProcess.start(folder.resolve("log"), command);
        Matcher ready = process.awaitLine(READY);
        httpPort = Integer.parseInt(ready.group(1));
        gatewayPort = Integer.parseInt(ready.group(2));
        String password = "a password of twenty letters";
        post("/v1/developers", null, Map.of("name", "bench", "password", password));
        String login =
                post("/v1/logins", null, Map.of("name", "bench", "password", password))
                        .path("token")
                        .asString();
        JsonNode app = post("/v1/apps", "Bearer " + login, Map.of("name", "bench"));
        appKey = app.path("appKey").asString();
        masterSecret = app.path("masterSecret").asString();
    }

    private JsonNode post(String path, @Nullable String authorization, Object body) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + path))
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(json.writeValueAsString(body)));
        if (authorization != null) {
            request.header("Authorization", authorization);
        }
        try {
            HttpResponse<String> answer =
                    http.send(request.build(), HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() >= 300) {
                throw new IllegalStateException(path + " answered " + answer.body());
            }
            return json.readTree(answer.body());
        } catch (IOException e) {
            throw new UncheckedIOException(path, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public String name() {
        return "postrider";
    }

    @Override
    public long pid() {
        return process.pid();
    }

    @Override
    public boolean isJava() {
        return true;
    }

    @Override
    public void prepare(int devices) throws InterruptedException {
        prepare(devices, new Progress(System.err));
    }

    /** As {@link #prepare(int)}, for so many that one wants to see it. */
    public void prepare(int devices, Progress progress) throws InterruptedException {
        progress.begin("registering");
        int known = tokens.length;
        tokens = Arrays.copyOf(tokens, Math.max(known, devices));
        Semaphore atOnce = new Semaphore(REGISTERING_AT_ONCE);
        try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = known; i < devices; i++) {
                int device = i;
                atOnce.acquire();
                progress.show(i, devices);
                callers.execute(() -> {
                    try {
                        register(device);
                    } finally {
                        atOnce.release();
                    }
                });
            }
        }
        progress.end();
        if (Arrays.asList(tokens).contains(null)) {
            throw new IllegalStateException("not every device could be registered");
        }
    }

    @Override
    public void prepareAbsent(int devices, Loops loops) throws InterruptedException {
        prepare(devices);
    }

    private void register(int device) {
        tokens[device] =
                post(
                                "/v1/devices",
                                null,
                                Map.of(
                                        "appKey",
                                        appKey,
                                        "deviceId",
                                        "d" + device,
                                        "platform",
                                        "iot"))
                        .path("deviceToken")
                        .asString();
    }

    /** The size of the database, its log included. */
    public long storedBytes() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("data"))) {
            return files.mapToLong(file -> file.toFile().length()).sum();
        }
    }

    /** How long it takes to read the newest message, or what is below it. */
    public double millisToRead(String below) throws IOException, InterruptedException {
        String id =
                json.readTree(get("/v1/messages?limit=1"))
                        .path("items")
                        .path(0)
                        .path("id")
                        .asString();
        long began = System.nanoTime();
        get("/v1/messages/" + id + below);
        return (System.nanoTime() - began) / 1e6;
    }

    private String get(String path) throws IOException, InterruptedException {
        String credentials =
                Base64.getEncoder()
                        .encodeToString(
                                (appKey + ":" + masterSecret).getBytes(StandardCharsets.UTF_8));
        HttpRequest request =
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + path))
                        .header("Authorization", "Basic " + credentials)
                        .build();
        return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    @Override
    public int port() {
        return gatewayPort;
    }

    @Override
    public void speakFor(int device, Channel channel, Listener listener) {
        Connect connect = Connect.newBuilder().setToken(tokens[device]).setSdk("bench").build();
        channel.pipeline()
                .addLast(
                        new Frames(connect) {
                            private Ack.@Nullable Builder acks;

                            @Override
                            void frame(ChannelHandlerContext ctx, ServerFrame frame) {
                                switch (frame.getFrameCase()) {
                                    case READY -> listener.ready(device);
                                    case PUSH -> push(frame.getPush());
                                    default -> {}
                                }
                            }

                            private void push(Push push) {
                                if (!push.hasAck() || push.getAck()) {
                                    Ack.Builder waiting = acks == null ? Ack.newBuilder() : acks;
                                    waiting.addIds(push.getId());
                                    acks = waiting;
                                }
                                // The data is a JSON string; its time comes after the quotation
                                // mark.
                                listener.message(device, Payload.nanos(push.getData(), 1));
                            }

                            @Override
                            public void channelReadComplete(ChannelHandlerContext ctx)
                                    throws Exception {
                                if (acks != null) {
                                    send(ctx.channel(), ClientFrame.newBuilder().setAck(acks));
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

    /** A varint length, then a frame: what a connection hears. */
    private abstract static class Frames extends ByteToMessageDecoder {
        private final Connect connect;

        Frames(Connect connect) {
            this.connect = connect;
        }

        abstract void frame(ChannelHandlerContext ctx, ServerFrame frame);

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            ctx.write(Unpooled.wrappedBuffer(Protocol.tcpMagic()), ctx.voidPromise());
            send(ctx.channel(), ClientFrame.newBuilder().setConnect(connect));
            ctx.flush();
        }

        @Override
        protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out)
                throws Exception {
            in.markReaderIndex();
            int length = 0;
            for (int shift = 0; in.isReadable(); shift += 7) {
                byte next = in.readByte();
                length |= (next & 0x7f) << shift;
                if (next >= 0) {
                    if (in.readableBytes() < length) {
                        break;
                    }
                    ServerFrame frame =
                            ServerFrame.parseFrom(in.nioBuffer(in.readerIndex(), length));
                    in.skipBytes(length);
                    frame(ctx, frame);
                    return;
                }
            }
            in.resetReaderIndex();
        }
    }

    /** Writes a frame, unflushed. */
    private static void send(Channel channel, ClientFrame.Builder builder) {
        byte[] frame = builder.build().toByteArray();
        ByteBuf out = channel.alloc().buffer(frame.length + 5);
        int length = frame.length;
        while (length > 0x7f) {
            out.writeByte((length & 0x7f) | 0x80);
            length >>>= 7;
        }
        out.writeByte(length);
        out.writeBytes(frame);
        channel.write(out, channel.voidPromise());
    }

    @Override
    public Publishing publishing(Loops loops, Delivery delivery) throws Exception {
        Map<String, Runnable> waiting = new ConcurrentHashMap<>();
        CompletableFuture<Boolean> ready = new CompletableFuture<>();
        Connect connect =
                Connect.newBuilder()
                        .setSdk("bench")
                        .setApp(
                                AppCredentials.newBuilder()
                                        .setAppKey(appKey)
                                        .setMasterSecret(masterSecret))
                        .build();
        Channel channel =
                loops.open(
                                0,
                                gatewayPort,
                                opened ->
                                        opened.pipeline()
                                                .addLast(new Publisher(connect, ready, waiting)))
                        .sync()
                        .channel();
        ready.get();
        AtomicLong refs = new AtomicLong();
        String options =
                delivery == Delivery.ONLINE ? "{\"delivery\":\"online\",\"ack\":false}" : "{}";
        return (device, sentNanos, taken) -> {
            String audience =
                    device == Publishing.ALL ? "\"all\"" : "{\"devices\":[\"d" + device + "\"]}";
            String message =
                    "{\"audience\":"
                            + audience
                            + ",\"data\":\""
                            + new String(Payload.at(sentNanos), StandardCharsets.US_ASCII)
                            + "\",\"options\":"
                            + options
                            + "}";
            String ref = Long.toString(refs.incrementAndGet());
            waiting.put(ref, taken);
            channel.eventLoop()
                    .execute(() -> {
                        send(
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

    private static final class Publisher extends Frames {
        private final CompletableFuture<Boolean> ready;
        private final Map<String, Runnable> waiting;

        Publisher(
                Connect connect, CompletableFuture<Boolean> ready, Map<String, Runnable> waiting) {
            super(connect);
            this.ready = ready;
            this.waiting = waiting;
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
                // What is refused is answered as well; it never arrives, and counts as lost.
                case REFUSED -> {
                    System.err.println("refused: " + frame.getRefused().getDetail());
                    take(frame.getRefused().getRef());
                }
                case ERROR -> System.err.println("closed: " + frame.getError().getDetail());
                default -> {}
            }
        }
    }

    @Override
    public void close() {
        process.close();
        http.close();
        Folders.delete(folder);
    }
}
