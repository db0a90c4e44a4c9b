package io.postrider.server.faults;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** A bad network before one gateway: bytes pass as the test says, both ways. Virtual threads. */
public final class FaultProxy implements AutoCloseable {
    private final int target;
    private final ServerSocket listening;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final AtomicLong passed = new AtomicLong();
    private volatile long delayMillis;
    private volatile long jitterMillis;
    private volatile int pieceBytes = 16 * 1024;
    private volatile long pauseMillis;
    private volatile boolean blackHole;

    public FaultProxy(String gateway) throws IOException {
        this.target = URI.create(gateway).getPort();
        this.listening = new ServerSocket(0, 1_000, InetAddress.getLoopbackAddress());
        Thread.startVirtualThread(this::accept);
    }

    /** The gateway's address, through here. */
    public String address(String gateway) {
        return gateway.replace(":" + URI.create(gateway).getPort(), ":" + listening.getLocalPort());
    }

    /** Everything arrives so much later, and up to so much more. */
    public void delay(long millis, long jitter) {
        delayMillis = millis;
        jitterMillis = jitter;
    }

    /** So many bytes at a time, with a pause after each. */
    void dribble(int bytes, long pause) {
        pieceBytes = bytes;
        pauseMillis = pause;
    }

    /** No bytes arrive any more, and nobody is told: a half-open connection. */
    public void swallow(boolean swallows) {
        blackHole = swallows;
    }

    /** Ends all connections with a reset. */
    public void reset() {
        open.forEach(FaultProxy::reset);
        open.clear();
    }

    private static void reset(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
            socket.close();
        } catch (IOException closedAlready) {
            // Which is what was wanted.
        }
    }

    /** How many bytes have gone through. */
    long passed() {
        return passed.get();
    }

    private void accept() {
        while (true) {
            try {
                pass(listening.accept());
            } catch (IOException closed) {
                if (listening.isClosed()) {
                    return;
                }
            }
        }
    }

    private void pass(Socket client) throws IOException {
        try {
            Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
            open.add(client);
            open.add(server);
            Thread.startVirtualThread(() -> pump(client, server));
            Thread.startVirtualThread(() -> pump(server, client));
        } catch (IOException refused) {
            client.close();
        }
    }

    private void pump(Socket from, Socket to) {
        byte[] bytes = new byte[16 * 1024];
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int read = in.read(bytes); read >= 0; read = in.read(bytes)) {
                if (blackHole) {
                    continue;
                }
                pause(delayMillis + (jitterMillis == 0 ? 0 : read * 7919L % jitterMillis));
                for (int at = 0; at < read; ) {
                    int piece = Math.min(pieceBytes, read - at);
                    out.write(bytes, at, piece);
                    at += piece;
                    passed.addAndGet(piece);
                    pause(pauseMillis);
                }
            }
        } catch (IOException | InterruptedException ended) {
            // As connections do here.
        } finally {
            open.remove(from);
            open.remove(to);
        }
    }

    private static void pause(long millis) throws InterruptedException {
        if (millis > 0) {
            TimeUnit.MILLISECONDS.sleep(millis);
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
        reset();
    }
}
