package io.postrider.bench.scenario;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.socket.SocketChannel;
import io.postrider.bench.Progress;
import io.postrider.bench.peer.Loops;
import io.postrider.bench.peer.Peer;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.LongConsumer;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;
import org.jspecify.annotations.Nullable;

/** Many devices: opens their connections, and counts and times what comes to them. */
final class Crowd implements Peer.Listener, AutoCloseable {
    private static final int OPENING_AT_ONCE = 128;
    private static final int DIGITS = 3;
    private static final long PATIENCE_SECONDS = 60;

    private final Peer peer;
    private final Loops loops;
    private final AtomicReferenceArray<Channel> channels;
    private final AtomicReferenceArray<@Nullable Runnable> onReady;
    private final Semaphore opening = new Semaphore(OPENING_AT_ONCE);
    private final AtomicLong ready = new AtomicLong();
    private final Count received = new Count();
    private final Count settled = new Count();
    private final AtomicLong gone = new AtomicLong();
    private final Recorder latency = new Recorder(DIGITS);

    Crowd(Peer peer, Loops loops, int size) {
        this.peer = peer;
        this.loops = loops;
        this.channels = new AtomicReferenceArray<>(size);
        this.onReady = new AtomicReferenceArray<>(size);
    }

    /** Registers and connects everyone, and waits until all are ready. */
    static Crowd connected(Peer peer, Loops loops, int size, Progress progress) throws Exception {
        progress.begin(peer.name() + ": registering");
        peer.prepare(size, progress);
        Crowd crowd = new Crowd(peer, loops, size);
        crowd.connect(progress);
        return crowd;
    }

    void connect(Progress progress) throws InterruptedException {
        progress.begin(peer.name() + ": connecting");
        for (int i = 0; i < channels.length(); i++) {
            if (!opening.tryAcquire(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException(
                        "only " + ready + " of " + channels.length() + " could connect");
            }
            open(i);
            progress.show(i, channels.length());
        }
        if (!opening.tryAcquire(OPENING_AT_ONCE, PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException(
                    "only " + ready + " of " + channels.length() + " could connect");
        }
        opening.release(OPENING_AT_ONCE);
        progress.end();
    }

    private void open(int device) {
        ChannelFuture opened =
                loops.open(
                        device, peer.port(device), channel -> peer.speakFor(device, channel, this));
        channels.set(device, opened.channel());
    }

    /** Drops every connection at once, without a word. */
    void cut() {
        for (int i = 0; i < channels.length(); i++) {
            Channel channel = channels.get(i);
            ((SocketChannel) channel).config().setSoLinger(0);
            channel.close();
        }
    }

    /** Opens a device's connection again after a time; {@code then} is told how long it took. */
    void reconnectAfter(int device, long millis, LongConsumer then) {
        channels.get(device)
                .eventLoop()
                .schedule(
                        () -> {
                            long from = System.nanoTime();
                            onReady.set(device, () -> then.accept(System.nanoTime() - from));
                            open(device);
                        },
                        millis,
                        TimeUnit.MILLISECONDS);
    }

    int size() {
        return channels.length();
    }

    @Override
    public void ready(int device) {
        ready.incrementAndGet();
        Runnable task = onReady.getAndSet(device, null);
        if (task == null) {
            opening.release();
        } else {
            task.run();
        }
    }

    @Override
    public void message(int device, long sentNanos) {
        latency.recordValue(Math.max(0, System.nanoTime() - sentNanos));
        received.increment();
    }

    @Override
    public void settled(int device) {
        settled.increment();
    }

    @Override
    public void gone(int device) {
        gone.incrementAndGet();
    }

    /** Waits until so many have come; answers whether they have. */
    boolean awaitReceived(long count, Duration patience) {
        return received.await(count, patience);
    }

    /** What has come. */
    Count messages() {
        return received;
    }

    /** What one of the crowd was the first of its shop to acknowledge. */
    Count settlements() {
        return settled;
    }

    long received() {
        return received.get();
    }

    long gone() {
        return gone.get();
    }

    /** The latencies since the last call. */
    Histogram latencies() {
        return latency.getIntervalHistogram();
    }

    /** Returns once every connection is closed. */
    @Override
    public void close() {
        for (int i = 0; i < channels.length(); i++) {
            Channel channel = channels.get(i);
            if (channel != null) {
                channel.close();
            }
        }
        for (int i = 0; i < channels.length(); i++) {
            Channel channel = channels.get(i);
            if (channel != null) {
                channel.closeFuture().syncUninterruptibly();
            }
        }
    }
}
