package io.postrider.bench.peer;

import io.netty.channel.Channel;
import io.postrider.bench.Progress;
import java.util.List;

/** A server under load. Its process is its own, so that its CPU and memory are. */
public interface Peer extends AutoCloseable {
    /** How messages are to be delivered, as far as the peer knows the difference. */
    enum Delivery {
        /** To those connected now, without acks. */
        ONLINE,
        /** Kept until each device has acknowledged it. */
        EACH,
        /** To a shop, kept until the first of its devices has acknowledged it. */
        ANY
    }

    /** What a device tells of itself; on its event loop. */
    interface Listener {
        void ready(int device);

        /** A message came that was published at {@code sentNanos} ({@link System#nanoTime}). */
        void message(int device, long sentNanos);

        void gone(int device);

        /** It was the first of its shop to acknowledge a message. */
        default void settled(int device) {}
    }

    /** One connection that publishes; any thread may use it. */
    interface Publishing {
        /**
         * Publishes to all devices, to one, or to a shop.
         *
         * @param device its number, or the shop's, or {@link #ALL}
         * @param taken called once the peer has answered; at once where the peer does not answer
         */
        void publish(int device, long sentNanos, Runnable taken);

        int ALL = -1;
    }

    String name();

    /** The processes whose CPU and memory count. */
    List<Long> pids();

    /** Whether it is a JVM, which can be asked to collect its garbage. */
    boolean isJava();

    /** Makes so many devices known, numbered from 0; before they connect. */
    void prepare(int devices, Progress progress) throws Exception;

    /** Makes so many devices known for which messages are kept while they are away. */
    void prepareAbsent(int devices, Loops loops, Progress progress) throws Exception;

    /** Speaks for a device on a connection that is being opened. */
    void speakFor(int device, Channel channel, Listener listener);

    /** Where a device connects. */
    int port(int device);

    Publishing publishing(Loops loops, Delivery delivery) throws Exception;

    /** How many publishes it has answered with a refusal: what it refused it need not deliver. */
    default long refused() {
        return 0;
    }

    @Override
    void close();
}
