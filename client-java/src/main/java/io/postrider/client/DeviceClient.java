package io.postrider.client;

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
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
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

    private final Route route;
    private final Transport transport;
    private final MessageListener listener;
    private final DeviceObserver observer;
    private final @Nullable TokenSource tokenSource;
    private final @Nullable GatewaySource gatewaySource;
    private final boolean manualAcks;
    private final Threads threads;
    private final ReentrantLock lock = new ReentrantLock();
    private final AckKeeper acks;

    /** Held while the listener runs; taken before the other lock, never inside it. */
    private final ReentrantLock handing = new ReentrantLock();

    private String token;
    private DeviceState state = DeviceState.IDLE;
    private @Nullable Link link;
    private @Nullable ScheduledFuture<?> retry;
    private Heartbeat heartbeat = new Heartbeat();
    private boolean closeAfterHanding;

    DeviceClient(DeviceClientBuilder builder) {
        this.transport = builder.transport;
        this.route = Route.over(builder.transport, builder.gateways, builder.backoff);
        this.token = builder.token;
        this.listener = builder.listener;
        this.observer = builder.observer;
        this.tokenSource = builder.tokenSource;
        this.gatewaySource = builder.gatewaySource;
        this.manualAcks = builder.manualAcks;
        this.threads = builder.threads;
        this.acks = new AckKeeper(builder, owner, lock);
    }

    private final AckKeeper.Owner owner =
            new AckKeeper.Owner() {
                @Override
                public boolean isReady() {
                    return state == DeviceState.READY;
                }

                @Override
                public void send(ClientFrame frame) {
                    DeviceClient.this.send(frame);
                }

                @Override
                public String token() {
                    return token;
                }

                @Override
                public void tell(Consumer<DeviceObserver> event) {
                    DeviceClient.this.tell(event);
                }
            };

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
        locked(() -> {
            if (state == DeviceState.IDLE) {
                connect();
            }
        });
    }

    private void locked(Runnable action) {
        lock.lock();
        try {
            action.run();
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
        locked(() -> {
            acks.acknowledge(messageId);
            acks.flush();
        });
    }

    /** The user has opened a message, which acknowledges it as well. Sent again until confirmed. */
    public void opened(long messageId) {
        locked(() -> {
            acks.opened(messageId);
            acks.flush();
        });
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
        locked(() -> {
            if (link != null) {
                link.close("dropped by the caller");
            }
        });
    }

    /**
     * Ends the connection for good, after sending what is to be acknowledged. Does not wait for the
     * listener; called by the listener, it takes effect once the listener has returned.
     */
    @Override
    public void close() {
        locked(() -> {
            if (handing.isHeldByCurrentThread()) {
                closeAfterHanding = true;
            } else {
                stop();
            }
        });
    }

    private void stop() {
        acks.flush();
        cancelRetry();
        stopped();
        Link open = link;
        link = null;
        if (open != null) {
            open.finish();
        }
    }

    /** What the listener has in hand it may still acknowledge, to be remembered. */
    private void stopped() {
        become(DeviceState.STOPPED);
        if (!handing.isLocked() || handing.isHeldByCurrentThread()) {
            acks.close();
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
        heartbeat = new Heartbeat();
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
        locked(() -> {
            if (state == DeviceState.WAITING) {
                connect();
            }
        });
    }

    private void cancelRetry() {
        if (retry != null) {
            retry.cancel(false);
            retry = null;
        }
    }

    private void send(ClientFrame frame) {
        if (link != null && state == DeviceState.READY) {
            heartbeat.sent();
            link.send(frame);
        }
    }

    private final Link.Events events =
            new Link.Events() {
                @Override
                public void opened(Link from) {
                    ifCurrent(from, () -> from.send(sayWho()));
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
                    ifCurrent(from, acks::flush);
                }

                @Override
                public void beat(Link from) {
                    ifCurrent(from, () -> heartbeat.beat(from, DeviceClient.this::ping));
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

    private void ifCurrent(Link from, Runnable then) {
        locked(() -> {
            if (isCurrent(from)) {
                then.run();
            }
        });
    }

    private ClientFrame sayWho() {
        return ClientFrame.newBuilder()
                .setConnect(Connect.newBuilder().setToken(token).setSdk(SDK))
                .build();
    }

    private void ping() {
        send(ClientFrame.newBuilder().setPing(Ping.getDefaultInstance()).build());
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
            known = acks.receive(id);
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
                acks.acknowledge(id);
            }
            if (closeAfterHanding) {
                stop();
            } else if (state == DeviceState.STOPPED) {
                acks.close();
            } else if (acks.areMany()) {
                acks.flush();
            }
        } finally {
            lock.unlock();
        }
    }

    /** The gateway works: the next loss is a first one again. */
    private void heard() {
        heartbeat.heard();
        route.heard();
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
                        acks.answered(
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
            withdrawn(frame.getRecall().getId(), listener::onRecall);
        } else if (frame.getFrameCase() == ServerFrame.FrameCase.SETTLED) {
            withdrawn(frame.getSettled().getId(), listener::onSettled);
        }
    }

    private void withdrawn(long id, LongConsumer how) {
        handing.lock();
        try {
            how.accept(id);
        } catch (RuntimeException failure) {
            tell(watching -> watching.onListenerFailed(id, failure));
        } finally {
            handing.unlock();
        }
    }

    private void ready(Link open, Ready ready) {
        heartbeat.agreed(ready.getHeartbeatSeconds(), open);
        if (ready.hasToken()) {
            token = ready.getToken();
            tell(watching -> watching.onTokenRenewed(ready.getToken()));
        }
        String before = acks.epoch(ready.getEpoch());
        if (before != null && !before.equals(ready.getEpoch())) {
            tell(watching -> watching.onEpochChanged(before, ready.getEpoch()));
        }
        become(DeviceState.READY);
        acks.startOver();
    }

    private void ended(Link from, int closeCode, String reason) {
        boolean renew;
        boolean lost = false;
        lock.lock();
        try {
            Gateway gateway = route.gateway();
            tell(watching -> watching.onDropped(gateway, closeCode, reason));
            if (!isCurrent(from)) {
                return;
            }
            link = null;
            if (CloseCode.isOwn(closeCode)) {
                route.heard();
            }
            renew = CloseCode.needsNewToken(closeCode);
            if (!CloseCode.reconnects(closeCode) || (renew && tokenSource == null)) {
                stopped();
                return;
            }
            if (renew) {
                become(DeviceState.WAITING);
            } else {
                scheduleRetry(route.afterLoss());
                lost = route.isLost();
            }
        } finally {
            lock.unlock();
        }
        if (renew) {
            renewToken();
        } else if (lost) {
            findGateways();
        }
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

    /** On the same thread; the next attempt does not wait for it. */
    private void findGateways() {
        GatewaySource source = gatewaySource;
        if (source == null) {
            return;
        }
        try {
            List<Gateway> now = source.gateways();
            locked(() -> {
                // Else it was heard of a gateway meanwhile, or is trying one.
                if (state == DeviceState.WAITING && route.isLost()) {
                    route.register(now);
                }
            });
        } catch (IOException | RuntimeException askedAgainLater) {
            // The network may be gone, and the attempts go on.
        }
    }
}
