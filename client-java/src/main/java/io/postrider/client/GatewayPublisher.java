package io.postrider.client;

import io.postrider.protocol.CloseCode;
import io.postrider.protocol.v1.Accepted;
import io.postrider.protocol.v1.AppCredentials;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.Connect;
import io.postrider.protocol.v1.Ping;
import io.postrider.protocol.v1.Publish;
import io.postrider.protocol.v1.Ready;
import io.postrider.protocol.v1.Refused;
import io.postrider.protocol.v1.ServerFrame;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Publishes over the gateway's port, on one connection that stays, with many publishes on their way
 * at once. What a lost connection left unanswered is sent again under its idempotency key, so it
 * cannot be published twice. Thread-safe.
 */
public final class GatewayPublisher implements AutoCloseable {
    private static final int DEFAULT_ATTEMPTS = 6;
    private static final int MOST_MESSAGE = 64 * 1024;

    /** So much may be unanswered: less than what the transports queue. */
    private static final long MOST_INFLIGHT_BYTES = 4 << 20;

    private final Transport transport;
    private final AppCredentials credentials;
    private final Threads threads;
    private final int attempts;
    private final Route route;
    private final ReentrantLock lock = new ReentrantLock();

    /** In the order in which they were asked for. */
    private final Map<String, Waiting> waiting = new LinkedHashMap<>();

    /** Those of them that are to be sent as soon as the server takes more. */
    private final ArrayDeque<Waiting> unsent = new ArrayDeque<>();

    private @Nullable Link link;
    private boolean ready;

    /** The next connection is planned already. */
    private boolean connecting;

    private boolean closed;
    private int inflightLimit;
    private int inflight;
    private long inflightBytes;
    private long nextRef;
    private Heartbeat heartbeat = new Heartbeat();

    private static final class Waiting {
        final ClientFrame frame;
        final CompletableFuture<Published> answer = new CompletableFuture<>();
        final Backoff backoff = Backoff.random();
        int failures;
        boolean resting;

        Waiting(ClientFrame frame) {
            this.frame = frame;
        }
    }

    private GatewayPublisher(
            List<Gateway> gateways, AppCredentials credentials, Threads threads, int attempts) {
        if (gateways.isEmpty()) {
            throw new IllegalArgumentException("name at least one gateway");
        }
        this.transport = gateways.get(0).isTcp() ? Transport.TCP : Transport.WEBSOCKET;
        this.route = Route.over(transport, gateways, Backoff.random());
        this.credentials = credentials;
        this.threads = threads;
        this.attempts = attempts;
    }

    /** As {@link #of(List, String, String)}, where there is one node. */
    public static GatewayPublisher of(Gateway gateway, String appKey, String masterSecret) {
        return of(Collections.singletonList(gateway), appKey, masterSecret);
    }

    /**
     * Connects with the first publish.
     *
     * @param gateways in the order in which they are tried; those that speak another transport than
     *     the first are left out
     */
    public static GatewayPublisher of(List<Gateway> gateways, String appKey, String masterSecret) {
        return new GatewayPublisher(
                gateways,
                AppCredentials.newBuilder().setAppKey(appKey).setMasterSecret(masterSecret).build(),
                Threads.shared(),
                DEFAULT_ATTEMPTS);
    }

    /** A publisher like this one, not connected, with other threads or another trust. */
    public GatewayPublisher using(Threads other) {
        return new GatewayPublisher(route.registered(), credentials, other, attempts);
    }

    /**
     * A publisher like this one, not connected, that gives a publish up after so many refusals for
     * a while and lost or failed connections; but not before each gateway was tried.
     */
    public GatewayPublisher withAttempts(int most) {
        return new GatewayPublisher(route.registered(), credentials, threads, most);
    }

    /**
     * Publishes, and blocks until the server has stored the message.
     *
     * @throws PostriderException as {@link Publisher#publish}
     */
    public Published publish(PublishRequest request) throws IOException, InterruptedException {
        try {
            return publishLater(request).get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof PostriderException) {
                throw (PostriderException) e.getCause();
            }
            throw new IOException(e.getCause());
        }
    }

    /**
     * Publishes and returns. What one thread asks for is stored in the order in which it asked,
     * unless something of it is refused for a while and sent again.
     *
     * @return completes once the server has stored the message, or with a {@link
     *     PostriderException}, on the connection's thread, which must not be blocked
     */
    public CompletableFuture<Published> publishLater(PublishRequest request) {
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("the publisher is closed");
            }
            String message = request.json();
            if (message.getBytes(StandardCharsets.UTF_8).length > MOST_MESSAGE) {
                // The gateway would close the connection, and with it fail everybody else's.
                CompletableFuture<Published> refused = new CompletableFuture<>();
                refused.completeExceptionally(
                        new PostriderException(
                                413, "request.too_large", "a publish has at most 64 KiB"));
                return refused;
            }
            String ref = Long.toString(++nextRef);
            Waiting publish =
                    new Waiting(
                            ClientFrame.newBuilder()
                                    .setPublish(
                                            Publish.newBuilder()
                                                    .setRef(ref)
                                                    .setIdempotencyKey(request.idempotencyKey())
                                                    .setMessage(message))
                                    .build());
            waiting.put(ref, publish);
            unsent.add(publish);
            if (link == null && !connecting) {
                connect();
            }
            sendAll();
            return publish.answer;
        } finally {
            lock.unlock();
        }
    }

    /** Closes the connection; what is not answered yet fails, and may or may not be stored. */
    @Override
    public void close() {
        List<Waiting> left;
        lock.lock();
        try {
            closed = true;
            left = new ArrayList<>(waiting.values());
            waiting.clear();
            if (link != null) {
                link.finish();
            }
        } finally {
            lock.unlock();
        }
        fail(left, new PostriderException(0, null, "the publisher was closed"));
    }

    private static void fail(List<Waiting> publishes, PostriderException why) {
        publishes.forEach(publish -> publish.answer.completeExceptionally(why));
    }

    private void connect() {
        route.leaving();
        connecting = false;
        ready = false;
        heartbeat = new Heartbeat();
        Link made = threads.link(route.gateway(), transport, events);
        link = made;
        made.open();
    }

    private void sendAll() {
        while (ready
                && link != null
                && inflight < inflightLimit
                && inflightBytes < MOST_INFLIGHT_BYTES
                && !unsent.isEmpty()) {
            Waiting publish = unsent.remove();
            inflight++;
            inflightBytes += publish.frame.getSerializedSize();
            heartbeat.sent();
            link.send(publish.frame);
        }
    }

    private final Link.Events events =
            new Link.Events() {
                @Override
                public void opened(Link from) {
                    from.send(
                            ClientFrame.newBuilder()
                                    .setConnect(
                                            Connect.newBuilder()
                                                    .setSdk(DeviceClient.SDK)
                                                    .setApp(credentials))
                                    .build());
                }

                @Override
                public void received(Link from, ServerFrame frame) {
                    Runnable answer = taken(from, frame);
                    answer.run();
                }

                @Override
                public void idle(Link from) {}

                @Override
                public void beat(Link from) {
                    lock.lock();
                    try {
                        heartbeat.beat(from, () -> ping(from));
                    } finally {
                        lock.unlock();
                    }
                }

                @Override
                public void closed(Link from, int closeCode, String reason) {
                    ended(closeCode, reason);
                }
            };

    private void ping(Link open) {
        if (ready) {
            heartbeat.sent();
            open.send(ClientFrame.newBuilder().setPing(Ping.getDefaultInstance()).build());
        }
    }

    /** Takes a frame in; what is to be answered is answered outside the lock. */
    private Runnable taken(Link from, ServerFrame frame) {
        lock.lock();
        try {
            heartbeat.heard();
            switch (frame.getFrameCase()) {
                case READY:
                    ready(from, frame.getReady());
                    return () -> {};
                case ACCEPTED:
                    route.works();
                    return accepted(frame.getAccepted());
                case REFUSED:
                    return refused(frame.getRefused());
                case GOAWAY:
                    route.asked(frame.getGoaway());
                    return () -> {};
                default:
                    return () -> {};
            }
        } finally {
            lock.unlock();
        }
    }

    private void ready(Link open, Ready answer) {
        heartbeat.agreed(answer.getHeartbeatSeconds(), open);
        // Half of it, so that the server never has to stop reading.
        inflightLimit = Math.max(1, answer.getInflightLimit() / 2);
        inflight = 0;
        inflightBytes = 0;
        unsent.clear();
        for (Waiting publish : waiting.values()) {
            if (!publish.resting) {
                unsent.add(publish);
            }
        }
        ready = true;
        sendAll();
    }

    private @Nullable Waiting remove(String ref) {
        Waiting publish = waiting.remove(ref);
        if (publish != null) {
            answered(publish);
            sendAll();
        }
        return publish;
    }

    private void answered(Waiting publish) {
        inflight--;
        inflightBytes -= publish.frame.getSerializedSize();
    }

    private Runnable accepted(Accepted accepted) {
        Waiting publish = remove(accepted.getRef());
        if (publish == null) {
            return () -> {};
        }
        Published published =
                new Published(
                        accepted.getId(),
                        accepted.getTargeted(),
                        Instant.ofEpochMilli(accepted.getExpiresAt()),
                        accepted.getReplayed());
        return () -> publish.answer.complete(published);
    }

    private Runnable refused(Refused refused) {
        Waiting publish = waiting.get(refused.getRef());
        if (publish == null) {
            return () -> {};
        }
        boolean forNow = refused.getStatus() == 429 || refused.getStatus() >= 500;
        publish.failures++;
        if (forNow && publish.failures < attempts) {
            rest(publish, refused);
            return () -> {};
        }
        remove(refused.getRef());
        return () ->
                publish.answer.completeExceptionally(
                        new PostriderException(
                                refused.getStatus(), refused.getCode(), refused.getDetail()));
    }

    /** Sends it again when the server asked for that, or after a back-off. */
    private void rest(Waiting publish, Refused refused) {
        publish.resting = true;
        answered(publish);
        sendAll();
        long asked = 1_000L * refused.getRetryAfterSeconds();
        threads.timers()
                .schedule(
                        () -> rested(publish),
                        Math.max(asked, publish.backoff.nextMillis()),
                        TimeUnit.MILLISECONDS);
    }

    private void rested(Waiting publish) {
        lock.lock();
        try {
            publish.resting = false;
            if (waiting.containsValue(publish)) {
                unsent.add(publish);
                sendAll();
            }
        } finally {
            lock.unlock();
        }
    }

    private void ended(int closeCode, String reason) {
        List<Waiting> failed = new ArrayList<>();
        boolean forGood = !CloseCode.reconnects(closeCode) || CloseCode.needsNewToken(closeCode);
        lock.lock();
        try {
            // Where devices connect need not be where app servers can.
            boolean isNoWay = !ready && route.forgetNamed();
            link = null;
            ready = false;
            inflight = 0;
            unsent.clear();
            int most = Math.max(attempts, route.registered().size());
            waiting.values()
                    .removeIf(publish -> {
                        publish.failures += isNoWay ? 0 : 1;
                        boolean over = forGood || publish.failures >= most;
                        if (over) {
                            failed.add(publish);
                        }
                        return over;
                    });
            // Where the server sent it the next publish goes, too, if none waits now.
            long pause = route.afterLoss();
            connecting = !waiting.isEmpty() && !closed;
            if (connecting) {
                threads.timers().schedule(this::reconnect, pause, TimeUnit.MILLISECONDS);
            }
        } finally {
            lock.unlock();
        }
        int status = CloseCode.needsNewToken(closeCode) ? 401 : 0;
        fail(failed, new PostriderException(status, reason, "the connection ended: " + reason));
    }

    private void reconnect() {
        lock.lock();
        try {
            if (link == null && !closed) {
                connect();
            }
        } finally {
            lock.unlock();
        }
    }
}
