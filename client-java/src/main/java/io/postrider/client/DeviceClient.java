package io.postrider.client;

import io.postrider.client.Acks.Overdue;
import io.postrider.client.RecentIds.Known;
import io.postrider.client.Registrar.Registered;
import io.postrider.protocol.CloseCode;
import io.postrider.protocol.v1.AckResult;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.Connect;
import io.postrider.protocol.v1.Ping;
import io.postrider.protocol.v1.Pong;
import io.postrider.protocol.v1.Push;
import io.postrider.protocol.v1.Ready;
import io.postrider.protocol.v1.ServerFrame;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Keeps one device connected: connects, says who it is, hands messages to the listener,
 * acknowledges what the listener took, and comes back after every loss, at once or when the server
 * asks, never in step with others. Thread-safe.
 *
 * <p>Every message reaches the listener once, though it may travel more than once. An ack that the
 * server has not confirmed is sent again on the next connection.
 */
public final class DeviceClient implements AutoCloseable {
    /** The name that servers see. */
    static final String SDK = "postrider-java/0.1";

    private static final int BEATS_PER_HEARTBEAT = 4;
    private static final long FIRST_HEARTBEAT_MILLIS = 10_000;

    private final Route route;
    private final Transport transport;
    private final MessageListener listener;
    private final DeviceObserver observer;
    private final @Nullable TokenSource tokenSource;
    private final boolean manualAcks;
    private final Threads threads;
    private final ReentrantLock lock = new ReentrantLock();
    private final Acks acks;
    private final @Nullable IdFile memory;
    private final @Nullable AckFallback fallback;
    private final long ackTimeoutMillis;

    /** Held while the listener runs; taken before the other lock, never inside it. */
    private final ReentrantLock handing = new ReentrantLock();

    private String token;
    private DeviceState state = DeviceState.IDLE;
    private @Nullable Link link;
    private @Nullable ScheduledFuture<?> retry;
    private @Nullable ScheduledFuture<?> ackTimer;
    private @Nullable String epoch;
    private long heartbeatMillis = FIRST_HEARTBEAT_MILLIS;
    private long heardAt;
    private long sentAt;
    private boolean closeAfterHanding;

    DeviceClient(DeviceClientBuilder builder) {
        this.transport = builder.transport;
        this.route = new Route(usable(builder.gateways, builder.transport));
        this.token = builder.token;
        this.listener = builder.listener;
        this.observer = builder.observer;
        this.tokenSource = builder.tokenSource;
        this.manualAcks = builder.manualAcks;
        this.threads = builder.threads;
        this.memory = open(builder.memory);
        this.acks =
                new Acks(
                        memory,
                        builder.ackTimeoutMillis,
                        failure -> tell(watching -> watching.onMemoryFailed(failure)));
        this.ackTimeoutMillis = builder.ackTimeoutMillis;
        this.fallback = builder.registered == null ? null : new AckFallback(builder.registered);
    }

    private static @Nullable IdFile open(@Nullable File file) {
        try {
            return file == null ? null : new IdFile(file, Acks.MOST_RECENT_IDS);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Gateway> usable(List<Gateway> gateways, Transport transport) {
        List<Gateway> usable = new ArrayList<>();
        for (Gateway gateway : gateways) {
            if (gateway.isTcp() == (transport == Transport.TCP)) {
                usable.add(gateway);
            }
        }
        if (usable.isEmpty()) {
            throw new IllegalArgumentException("no gateway speaks " + transport);
        }
        return usable;
    }

    /**
     * @param gateways in the order in which they are tried, as the registration answered them
     * @param token the device token of the registration
     */
    public static DeviceClientBuilder builder(
            List<Gateway> gateways, String token, MessageListener listener) {
        return new DeviceClientBuilder(gateways, token, listener);
    }

    /**
     * For a device that has just been registered: with its token, its gateways, and the server's
     * REST for acks that no connection gets through.
     */
    public static DeviceClientBuilder builder(Registered registered, MessageListener listener) {
        return new DeviceClientBuilder(registered, listener);
    }

    /** Starts connecting and returns. Has no effect on a client that was started. */
    public void start() {
        lock.lock();
        try {
            if (state == DeviceState.IDLE) {
                connect();
            }
        } finally {
            lock.unlock();
        }
    }

    public DeviceState state() {
        lock.lock();
        try {
            return state;
        } finally {
            lock.unlock();
        }
    }

    /** Acknowledges a message; for manual acks. Sent again until the server confirms it. */
    public void acknowledge(long messageId) {
        lock.lock();
        try {
            acks.acknowledge(messageId, now());
            flushAcks();
            watchAcks();
        } finally {
            lock.unlock();
        }
    }

    /** The user has opened a message, which acknowledges it as well. Sent again until confirmed. */
    public void opened(long messageId) {
        lock.lock();
        try {
            acks.opened(messageId, now());
            flushAcks();
            watchAcks();
        } finally {
            lock.unlock();
        }
    }

    /**
     * The network has changed, as Android's callback says: a connection over the old one is given
     * up; with a network, the next attempt is made soon instead of after its back-off.
     */
    public void networkChanged(boolean available) {
        lock.lock();
        try {
            if (state == DeviceState.STOPPED || state == DeviceState.IDLE) {
                return;
            }
            cancelRetry();
            long delay = route.afterChange();
            Link open = link;
            link = null;
            if (open != null) {
                open.close("the network changed");
            }
            if (available) {
                scheduleRetry(delay);
            } else {
                become(DeviceState.OFFLINE);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Drops the connection as a lost network would, and comes back as after any loss. */
    public void dropConnection() {
        lock.lock();
        try {
            if (link != null) {
                link.close("dropped by the caller");
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Ends the connection for good, after sending what is to be acknowledged. Does not wait for the
     * listener; called by the listener, it takes effect once the listener has returned.
     */
    @Override
    public void close() {
        lock.lock();
        try {
            if (handing.isHeldByCurrentThread()) {
                closeAfterHanding = true;
            } else {
                stop();
            }
        } finally {
            lock.unlock();
        }
    }

    private void stop() {
        flushAcks();
        cancelRetry();
        stopped();
        Link open = link;
        link = null;
        if (open != null) {
            open.finish();
        }
    }

    private void stopped() {
        become(DeviceState.STOPPED);
        if (ackTimer != null) {
            ackTimer.cancel(false);
            ackTimer = null;
        }
        try {
            if (memory != null) {
                memory.close();
            }
        } catch (IOException failure) {
            tell(watching -> watching.onMemoryFailed(failure));
        }
    }

    private void become(DeviceState next) {
        if (state != next) {
            state = next;
            tell(watching -> watching.onState(next));
        }
    }

    private void tell(Consumer<DeviceObserver> event) {
        try {
            event.accept(observer);
        } catch (RuntimeException ignoredAsDocumented) {
            // An observer's mistake must not cost a message.
        }
    }

    private void connect() {
        become(DeviceState.CONNECTING);
        route.leaving();
        heartbeatMillis = FIRST_HEARTBEAT_MILLIS;
        heardAt = now();
        sentAt = heardAt;
        Link made = threads.link(route.gateway(), transport, events);
        link = made;
        made.open();
    }

    private void scheduleRetry(long delayMillis) {
        become(DeviceState.WAITING);
        Gateway next = route.gateway();
        int attempt = route.attempt();
        tell(watching -> watching.onRetry(attempt, delayMillis, next));
        retry = threads.timers().schedule(this::retryNow, delayMillis, TimeUnit.MILLISECONDS);
    }

    private void retryNow() {
        lock.lock();
        try {
            if (state == DeviceState.WAITING) {
                connect();
            }
        } finally {
            lock.unlock();
        }
    }

    private void cancelRetry() {
        if (retry != null) {
            retry.cancel(false);
            retry = null;
        }
    }

    private static long now() {
        return System.nanoTime() / 1_000_000;
    }

    private void send(ClientFrame frame) {
        if (link != null && state == DeviceState.READY) {
            sentAt = now();
            link.send(frame);
        }
    }

    private void flushAcks() {
        if (state == DeviceState.READY) {
            acks.flush(this::send);
        }
    }

    /** Looks after acks until all are confirmed. */
    private void watchAcks() {
        if (ackTimer == null && state != DeviceState.STOPPED && !acks.allConfirmed()) {
            ackTimer =
                    threads.timers()
                            .schedule(this::lookAfterAcks, ackTimeoutMillis, TimeUnit.MILLISECONDS);
        }
    }

    private void lookAfterAcks() {
        lock.lock();
        try {
            ackTimer = null;
            Overdue overdue = acks.timedOut(now());
            flushAcks();
            watchAcks();
            AckFallback other = fallback;
            if (other != null && !overdue.isEmpty()) {
                String current = token;
                threads.factory().newThread(() -> post(other, overdue, current)).start();
            }
        } finally {
            lock.unlock();
        }
    }

    private void post(AckFallback other, Overdue overdue, String current) {
        try {
            Map<Long, String> outcomes = other.post(overdue, current);
            lock.lock();
            try {
                outcomes.forEach(this::ackAnswered);
            } finally {
                lock.unlock();
            }
        } catch (IOException | RuntimeException stillUnconfirmed) {
            // They are told again on the connection, and here when that has failed again.
        }
    }

    private final Link.Events events =
            new Link.Events() {
                @Override
                public void opened(Link from) {
                    lock.lock();
                    try {
                        if (isCurrent(from)) {
                            from.send(
                                    ClientFrame.newBuilder()
                                            .setConnect(
                                                    Connect.newBuilder()
                                                            .setToken(token)
                                                            .setSdk(SDK))
                                            .build());
                        }
                    } finally {
                        lock.unlock();
                    }
                }

                @Override
                public void received(Link from, ServerFrame frame) {
                    if (frame.getFrameCase() == ServerFrame.FrameCase.PUSH) {
                        pushed(from, frame.getPush());
                    } else {
                        control(from, frame);
                    }
                }

                @Override
                public void idle(Link from) {
                    lock.lock();
                    try {
                        if (isCurrent(from)) {
                            flushAcks();
                        }
                    } finally {
                        lock.unlock();
                    }
                }

                @Override
                public void beat(Link from) {
                    lock.lock();
                    try {
                        if (isCurrent(from)) {
                            beatNow(from);
                        }
                    } finally {
                        lock.unlock();
                    }
                }

                @Override
                public void closed(Link from, int closeCode, String reason) {
                    ended(from, closeCode, reason);
                }
            };

    @SuppressWarnings("ReferenceEquality") // a link is one connection, not a value
    private boolean isCurrent(Link from) {
        return from == link;
    }

    private void beatNow(Link open) {
        long now = now();
        if (now - heardAt > heartbeatMillis + heartbeatMillis / 2) {
            open.close("the gateway was silent");
        } else if (now - sentAt >= heartbeatMillis - heartbeatMillis / BEATS_PER_HEARTBEAT) {
            send(ClientFrame.newBuilder().setPing(Ping.getDefaultInstance()).build());
        }
    }

    private void pushed(Link from, Push push) {
        handing.lock();
        try {
            receive(from, push);
        } finally {
            handing.unlock();
        }
    }

    private void receive(Link from, Push push) {
        long id = push.getId();
        Known known;
        lock.lock();
        try {
            if (!isCurrent(from)) {
                return;
            }
            heard();
            known = acks.receive(id, now());
        } finally {
            lock.unlock();
        }
        ReceivedMessage message = new ReceivedMessage(push);
        if (known != Known.NEW) {
            tell(watching -> watching.onDuplicate(id, message.attempt()));
            return;
        }
        boolean taken = hand(message);
        lock.lock();
        try {
            if (!taken) {
                acks.refuse(id);
            } else if (!manualAcks && message.wantsAck()) {
                acks.acknowledge(id, now());
                watchAcks();
            }
            if (closeAfterHanding) {
                stop();
            } else if (acks.areMany()) {
                flushAcks();
            }
        } finally {
            lock.unlock();
        }
    }

    /** The gateway works: the next loss is a first one again. */
    private void heard() {
        heardAt = now();
        if (state == DeviceState.READY) {
            route.works();
        }
    }

    /** Whether the listener took it. */
    private boolean hand(ReceivedMessage message) {
        try {
            listener.onMessage(message);
            return true;
        } catch (Exception failure) {
            if (failure instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            tell(watching -> watching.onListenerFailed(message.id(), failure));
            return false;
        }
    }

    private void control(Link from, ServerFrame frame) {
        lock.lock();
        try {
            if (!isCurrent(from)) {
                return;
            }
            heard();
            switch (frame.getFrameCase()) {
                case READY:
                    ready(from, frame.getReady());
                    break;
                case ACKED:
                    for (AckResult result : frame.getAcked().getResultsList()) {
                        ackAnswered(
                                result.getId(),
                                result.getOutcome().name().toLowerCase(Locale.ROOT));
                    }
                    break;
                case PING:
                    send(ClientFrame.newBuilder().setPong(Pong.getDefaultInstance()).build());
                    break;
                case GOAWAY:
                    route.asked(frame.getGoaway());
                    break;
                default:
                    break;
            }
        } finally {
            lock.unlock();
        }
        if (frame.getFrameCase() == ServerFrame.FrameCase.RECALL) {
            handing.lock();
            try {
                recalled(frame.getRecall().getId());
            } finally {
                handing.unlock();
            }
        }
    }

    private void recalled(long id) {
        try {
            listener.onRecall(id);
        } catch (RuntimeException failure) {
            tell(watching -> watching.onListenerFailed(id, failure));
        }
    }

    private void ready(Link open, Ready ready) {
        heartbeatMillis = Math.max(1, ready.getHeartbeatSeconds()) * 1_000L;
        open.beatEvery(heartbeatMillis / BEATS_PER_HEARTBEAT);
        if (ready.hasToken()) {
            token = ready.getToken();
            tell(watching -> watching.onTokenRenewed(ready.getToken()));
        }
        if (!ready.getEpoch().equals(epoch)) {
            String before = epoch;
            epoch = ready.getEpoch();
            if (before != null) {
                tell(watching -> watching.onEpochChanged(before, ready.getEpoch()));
            }
        }
        become(DeviceState.READY);
        acks.startOver();
        flushAcks();
    }

    private void ackAnswered(long id, String outcome) {
        acks.confirmed(id);
        tell(watching -> watching.onAckAnswered(id, outcome));
    }

    private void ended(Link from, int closeCode, String reason) {
        boolean renew;
        lock.lock();
        try {
            Gateway gateway = route.gateway();
            tell(watching -> watching.onDropped(gateway, closeCode, reason));
            if (!isCurrent(from)) {
                return;
            }
            link = null;
            renew = CloseCode.needsNewToken(closeCode);
            if (!CloseCode.reconnects(closeCode) || (renew && tokenSource == null)) {
                stopped();
                return;
            }
            if (!renew) {
                scheduleRetry(route.afterLoss());
                return;
            }
            become(DeviceState.WAITING);
        } finally {
            lock.unlock();
        }
        renewToken();
    }

    /** On the thread of the link that has ended, which may block. */
    private void renewToken() {
        TokenSource source = tokenSource;
        if (source == null) {
            return;
        }
        String renewed = null;
        try {
            renewed = source.newToken();
        } catch (IOException | RuntimeException e) {
            Gateway gateway = route.gateway();
            tell(watching -> watching.onDropped(gateway, 0, "no new token: " + e.getMessage()));
        }
        lock.lock();
        try {
            if (state != DeviceState.WAITING) {
                return;
            }
            if (renewed != null) {
                token = renewed;
                String now = renewed;
                tell(watching -> watching.onTokenRenewed(now));
            }
            scheduleRetry(route.afterRefusal());
        } finally {
            lock.unlock();
        }
    }
}
