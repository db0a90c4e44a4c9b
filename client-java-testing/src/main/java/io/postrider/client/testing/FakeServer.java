package io.postrider.client.testing;

import io.postrider.protocol.CloseCode;
import io.postrider.protocol.Protocol;
import io.postrider.protocol.v1.AckOutcome;
import io.postrider.protocol.v1.AckResult;
import io.postrider.protocol.v1.Acked;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.GoAway;
import io.postrider.protocol.v1.Notification;
import io.postrider.protocol.v1.Pong;
import io.postrider.protocol.v1.Push;
import io.postrider.protocol.v1.Ready;
import io.postrider.protocol.v1.Recall;
import io.postrider.protocol.v1.ServerFrame;
import io.postrider.protocol.v1.Settled;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import mockwebserver3.Dispatcher;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;

/**
 * A Postrider server for tests: registers every device, accepts every connection on TCP and
 * WebSocket, sends each message until it is acknowledged, and fails as the test says. Thread-safe.
 *
 * <pre>{@code
 * try (FakeServer server = FakeServer.start()) {
 *     Registered device = Registrar.onDevice(server.url(), "any-key").register(new Profile("android"));
 *     DeviceClient client = DeviceClient.builder(device, listener).build();
 *     client.start();
 *     long id = server.push("Hello", "world");
 *     server.awaitAck(id, Duration.ofSeconds(5));
 * }
 * }</pre>
 */
public final class FakeServer implements AutoCloseable {
    private static final String TOKEN = "dt_fake";
    private static final Pattern IDS = Pattern.compile("\"(\\d+)\"");
    private static final int HEARTBEAT_SECONDS = 30;
    private static final int WINDOW = 256;

    private final MockWebServer http = new MockWebServer();
    private final KnownSockets sockets = new KnownSockets();
    private final FakeTcp tcp;
    private final Set<FakeConnection> connected = new HashSet<>();
    private final Map<Long, Push> pending = new LinkedHashMap<>();
    private final Set<Long> presented = new HashSet<>();
    private final Set<Long> acked = new LinkedHashSet<>();
    private final Set<Long> opened = new LinkedHashSet<>();
    private final Set<Long> ackedOverHttp = new LinkedHashSet<>();
    private final List<String> published = new ArrayList<>();
    private long nextId = 1_000;
    private int acksHeard;
    private boolean refusesTokens;
    private boolean answersAcks = true;
    private int publishStatus = 202;

    private FakeServer() throws IOException {
        http.setDispatcher(
                new Dispatcher() {
                    @Override
                    public MockResponse dispatch(RecordedRequest request) {
                        return answer(request);
                    }
                });
        http.setServerSocketFactory(sockets);
        http.start();
        tcp = new FakeTcp(this, sockets);
    }

    /** Starts on free ports of the loopback. */
    public static FakeServer start() throws IOException {
        return new FakeServer();
    }

    /** The address of REST, as {@code Registrar} and {@code Publisher} take it. */
    public String url() {
        return "http://127.0.0.1:" + http.getPort();
    }

    private MockResponse answer(RecordedRequest request) {
        String path = request.getUrl().encodedPath();
        String protocol = request.getHeaders().get("Sec-WebSocket-Protocol");
        if (path.equals(Protocol.WEBSOCKET_PATH)) {
            boolean json = !Protocol.PROTOBUF_SUBPROTOCOL.equals(protocol);
            MockResponse.Builder upgrade =
                    new MockResponse.Builder().webSocketUpgrade(new FakeWebSocket(this, json));
            if (protocol != null) {
                upgrade.addHeader("Sec-WebSocket-Protocol", protocol);
            }
            return upgrade.build();
        }
        String body = request.getBody() == null ? "" : request.getBody().utf8();
        if (path.equals("/v1/devices")) {
            return json(201, registration());
        }
        if (path.equals("/v1/gateways")) {
            return json(200, "{" + gateways() + "}");
        }
        if (path.equals("/v1/messages")) {
            return publish(body);
        }
        if (path.endsWith("/acks")) {
            return json(200, acksOverHttp(body));
        }
        return json(404, "{\"code\":\"not_found\"}");
    }

    private static MockResponse json(int status, String body) {
        return new MockResponse.Builder()
                .code(status)
                .addHeader("Content-Type", "application/json")
                .body(body)
                .build();
    }

    private String registration() {
        return "{\"deviceId\":\"fake-device\",\"deviceToken\":\""
                + TOKEN
                + "\","
                + gateways()
                + ",\"heartbeatSeconds\":"
                + HEARTBEAT_SECONDS
                + "}";
    }

    private String gateways() {
        return "\"gateways\":[{\"transport\":\"ws\",\"address\":\"ws://127.0.0.1:"
                + http.getPort()
                + Protocol.WEBSOCKET_PATH
                + "\"},{\"transport\":\"tcp\",\"address\":\""
                + tcp.address()
                + "\"}]";
    }

    private synchronized MockResponse publish(String body) {
        if (publishStatus != 202) {
            return json(publishStatus, "{\"code\":\"scripted\",\"detail\":\"as the test said\"}");
        }
        published.add(body);
        notifyAll();
        return json(
                202,
                "{\"id\":\""
                        + ++nextId
                        + "\",\"targeted\":1,\"expiresAt\":\"2100-01-01T00:00:00Z\","
                        + "\"replayed\":false}");
    }

    private synchronized String acksOverHttp(String body) {
        StringBuilder results = new StringBuilder();
        Matcher ids = IDS.matcher(body);
        while (ids.find()) {
            long id = Long.parseLong(ids.group(1));
            ackedOverHttp.add(id);
            acknowledge(id);
            results.append(results.length() == 0 ? "" : ",")
                    .append("{\"id\":\"")
                    .append(id)
                    .append("\",\"outcome\":\"recorded\"}");
        }
        notifyAll();
        return "{\"results\":[" + results + "]}";
    }

    private void acknowledge(long id) {
        acked.add(id);
        pending.remove(id);
    }

    /** Called by connections. */
    synchronized void received(FakeConnection from, ClientFrame frame) {
        switch (frame.getFrameCase()) {
            case CONNECT:
                connect(from);
                break;
            case ACK:
                acks(from, frame.getAck().getIdsList());
                break;
            case OPENED:
                opened.addAll(frame.getOpened().getIdsList());
                acks(from, frame.getOpened().getIdsList());
                break;
            case PING:
                from.send(ServerFrame.newBuilder().setPong(Pong.getDefaultInstance()).build());
                break;
            default:
                break;
        }
        notifyAll();
    }

    private void connect(FakeConnection from) {
        if (refusesTokens) {
            from.close(CloseCode.TOKEN_REFUSED.number(), CloseCode.TOKEN_REFUSED.reason());
            return;
        }
        connected.add(from);
        from.send(
                ServerFrame.newBuilder()
                        .setReady(
                                Ready.newBuilder()
                                        .setSession("fake")
                                        .setHeartbeatSeconds(HEARTBEAT_SECONDS)
                                        .setInflightLimit(WINDOW)
                                        .setEpoch("fake"))
                        .build());
        pending.values().forEach(push -> present(from, push));
    }

    private void present(FakeConnection to, Push push) {
        boolean first = presented.add(push.getId());
        Push marked = first ? push : push.toBuilder().setAttempt(2).build();
        to.send(ServerFrame.newBuilder().setPush(marked).build());
    }

    private void acks(FakeConnection from, List<Long> ids) {
        acksHeard++;
        if (!answersAcks) {
            return;
        }
        Acked.Builder answer = Acked.newBuilder();
        for (long id : ids) {
            acknowledge(id);
            answer.addResults(AckResult.newBuilder().setId(id).setOutcome(AckOutcome.RECORDED));
        }
        from.send(ServerFrame.newBuilder().setAcked(answer).build());
    }

    /** Called by connections. */
    synchronized void lost(FakeConnection connection) {
        connected.remove(connection);
        notifyAll();
    }

    /** Sends a notification to whoever is connected, and to whoever connects until it is acked. */
    public long push(String title, String body) {
        return push(
                Push.newBuilder()
                        .setNotification(Notification.newBuilder().setTitle(title).setBody(body)));
    }

    /** As {@link #push(String, String)}, with anything in it; gives it an id and answers that. */
    public synchronized long push(Push.Builder message) {
        Push push = message.setId(++nextId).build();
        pending.put(push.getId(), push);
        connected.forEach(connection -> present(connection, push));
        return push.getId();
    }

    /** Presents a pending message again, as the server does where an ack is missing. */
    public synchronized void pushAgain(long id) {
        Push push = pending.get(id);
        if (push != null) {
            connected.forEach(connection -> present(connection, push));
        }
    }

    /** Takes a message back. */
    public synchronized void recall(long id) {
        pending.remove(id);
        toAll(ServerFrame.newBuilder().setRecall(Recall.newBuilder().setId(id)).build());
    }

    /** Says that another device of the group was the first to acknowledge a message. */
    public synchronized void settle(long id) {
        pending.remove(id);
        toAll(ServerFrame.newBuilder().setSettled(Settled.newBuilder().setId(id)).build());
    }

    /** Asks clients to come back later, as a server does that is about to stop. */
    public synchronized void goAway(Duration after, Duration spread) {
        toAll(
                ServerFrame.newBuilder()
                        .setGoaway(
                                GoAway.newBuilder()
                                        .setReason("shutdown")
                                        .setReconnectAfterMs((int) after.toMillis())
                                        .setSpreadMs((int) spread.toMillis()))
                        .build());
    }

    private void toAll(ServerFrame frame) {
        connected.forEach(connection -> connection.send(frame));
    }

    /** Ends all connections without a word, as a lost network does. */
    public void dropConnections() {
        sockets.cutOff();
    }

    /** Ends all connections with a close code. */
    public void closeConnections(CloseCode code) {
        all().forEach(connection -> connection.close(code.number(), code.reason()));
    }

    private synchronized List<FakeConnection> all() {
        return new ArrayList<>(connected);
    }

    /** From here on tokens are refused, or accepted again. */
    public synchronized void refuseTokens(boolean refuses) {
        refusesTokens = refuses;
    }

    /** From here on acks on connections are answered and recorded, or fall on deaf ears. */
    public synchronized void answerAcks(boolean answers) {
        answersAcks = answers;
    }

    /** From here on publishes are answered with this status; 202 accepts them. */
    public synchronized void answerPublishes(int status) {
        publishStatus = status;
    }

    /** The bodies of the publishes that were accepted. */
    public synchronized List<String> published() {
        return new ArrayList<>(published);
    }

    /** The messages that were acknowledged, in whatever way. */
    public synchronized Set<Long> acked() {
        return new LinkedHashSet<>(acked);
    }

    /** Those of them that were acknowledged over HTTP. */
    public synchronized Set<Long> ackedOverHttp() {
        return new LinkedHashSet<>(ackedOverHttp);
    }

    /** The messages that the user has opened. */
    public synchronized Set<Long> opened() {
        return new LinkedHashSet<>(opened);
    }

    /** How many frames with acks have come, answered or not. */
    public synchronized int ackFrames() {
        return acksHeard;
    }

    public synchronized int connections() {
        return connected.size();
    }

    /**
     * Waits until so many devices are connected.
     *
     * @throws AssertionError if they are not in time
     */
    public void awaitConnections(int count, Duration atMost) throws InterruptedException {
        await(() -> connected.size() == count, atMost, count + " connections");
    }

    /**
     * Waits until a message is acknowledged.
     *
     * @throws AssertionError if it is not in time
     */
    public void awaitAck(long id, Duration atMost) throws InterruptedException {
        await(() -> acked.contains(id), atMost, "an ack of " + id);
    }

    private synchronized void await(BooleanSupplier condition, Duration atMost, String what)
            throws InterruptedException {
        long deadline = System.nanoTime() + atMost.toNanos();
        while (!condition.getAsBoolean()) {
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                throw new AssertionError("there was not " + what + " within " + atMost);
            }
            wait(left);
        }
    }

    @Override
    public void close() throws IOException {
        dropConnections();
        tcp.close();
        http.close();
    }
}
