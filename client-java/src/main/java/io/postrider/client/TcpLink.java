package io.postrider.client;

import com.google.protobuf.ByteString;
import io.postrider.protocol.MalformedFrameException;
import io.postrider.protocol.Protocol;
import io.postrider.protocol.Varint;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.ServerFrame;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.util.Arrays;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/** Protobuf frames over a plain socket, read by one thread of the caller's factory. */
final class TcpLink implements Link {
    private static final int CONNECT_MILLIS = 10_000;
    private static final int FIRST_BUFFER = 2_048;
    private static final long FINISH_MILLIS = 2_000;

    private final Gateway gateway;
    private final Events events;
    private final ThreadFactory threads;
    private final ScheduledExecutorService timers;
    private final SSLSocketFactory tls;
    private volatile Socket socket = new Socket();
    private final ReentrantLock writing = new ReentrantLock();
    private @Nullable OutputStream out;
    private volatile @Nullable String closedBecause;

    private byte[] buffer = new byte[FIRST_BUFFER];
    private int start;
    private int end;
    private int closeCode;
    private String closeReason = "the connection was lost";

    TcpLink(
            Gateway gateway,
            Events events,
            ThreadFactory threads,
            ScheduledExecutorService timers,
            SSLSocketFactory tls) {
        this.tls = tls;
        this.timers = timers;
        this.gateway = gateway;
        this.events = events;
        this.threads = threads;
    }

    @Override
    public void open() {
        threads.newThread(this::run).start();
    }

    private void run() {
        try {
            URI uri = URI.create(gateway.address());
            socket.connect(new InetSocketAddress(uri.getHost(), uri.getPort()), CONNECT_MILLIS);
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(CONNECT_MILLIS);
            if (gateway.isTls()) {
                socket = handshake(uri);
            }
            OutputStream opened = socket.getOutputStream();
            opened.write(Protocol.tcpMagic());
            out = opened;
            events.opened(this);
            read(socket.getInputStream());
        } catch (IOException e) {
            closeReason = closeCode == 0 ? String.valueOf(e.getMessage()) : closeReason;
        } finally {
            closeSocket();
            String own = closedBecause;
            events.closed(this, closeCode, own == null ? closeReason : own);
        }
    }

    private Socket handshake(URI uri) throws IOException {
        SSLSocket secured =
                (SSLSocket) tls.createSocket(socket, uri.getHost(), uri.getPort(), true);
        SSLParameters parameters = secured.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        secured.setSSLParameters(parameters);
        secured.startHandshake();
        return secured;
    }

    private void read(InputStream in) throws IOException {
        while (closedBecause == null) {
            int read;
            try {
                makeRoom();
                read = in.read(buffer, end, buffer.length - end);
            } catch (SocketTimeoutException e) {
                events.beat(this);
                continue;
            }
            if (read < 0) {
                throw new EOFException(closeReason);
            }
            end += read;
            for (ServerFrame frame = next(); frame != null; frame = next()) {
                take(frame);
            }
            events.idle(this);
            events.beat(this);
        }
    }

    private void take(ServerFrame frame) {
        if (frame.getFrameCase() == ServerFrame.FrameCase.CLOSE) {
            closeCode = frame.getClose().getCode();
            closeReason = frame.getClose().getReason();
        } else {
            events.received(this, frame);
        }
    }

    /** The next whole frame in the buffer, or null if it has not all come yet. */
    private @Nullable ServerFrame next() throws IOException {
        int length = 0;
        for (int i = 0; i < Varint.MAX_BYTES; i++) {
            if (start + i == end) {
                return null;
            }
            byte next = buffer[start + i];
            length |= (next & 0x7f) << (7 * i);
            if (next >= 0) {
                return frame(start + i + 1, length);
            }
        }
        throw new MalformedFrameException("the gateway sent no frame");
    }

    private @Nullable ServerFrame frame(int at, int length) throws IOException {
        if (length > Protocol.MAX_SERVER_FRAME) {
            throw new MalformedFrameException("the gateway sent a frame over the limit");
        }
        if (end - at < length) {
            return null;
        }
        start = at + length;
        return ServerFrame.parseFrom(ByteString.copyFrom(buffer, at, length));
    }

    private void makeRoom() {
        if (start == end) {
            start = 0;
            end = 0;
        } else if (end == buffer.length) {
            byte[] larger = start > buffer.length / 2 ? buffer : new byte[2 * buffer.length];
            System.arraycopy(buffer, start, larger, 0, end - start);
            buffer = larger;
            end -= start;
            start = 0;
        }
        if (end == 0 && buffer.length > 16 * FIRST_BUFFER) {
            buffer = Arrays.copyOf(buffer, FIRST_BUFFER);
        }
    }

    @Override
    public void send(ClientFrame frame) {
        byte[] body = frame.toByteArray();
        byte[] bytes = new byte[Varint.size(body.length) + body.length];
        int at = Varint.write(body.length, bytes, 0);
        System.arraycopy(body, 0, bytes, at, body.length);
        writing.lock();
        try {
            OutputStream opened = out;
            if (opened != null && closedBecause == null) {
                opened.write(bytes);
            }
        } catch (IOException e) {
            closeSocket();
        } finally {
            writing.unlock();
        }
    }

    @Override
    public void beatEvery(long millis) {
        try {
            socket.setSoTimeout((int) millis);
        } catch (IOException e) {
            closeSocket();
        }
    }

    @Override
    public void finish() {
        try {
            socket.shutdownOutput();
            timers.schedule(
                    () -> close("closed by the caller"), FINISH_MILLIS, TimeUnit.MILLISECONDS);
        } catch (IOException e) {
            close("closed by the caller");
        }
    }

    @Override
    public void close(String reason) {
        closedBecause = reason;
        closeSocket();
    }

    private void closeSocket() {
        try {
            socket.close();
        } catch (IOException e) {
            closeReason = String.valueOf(e.getMessage());
        }
    }
}
