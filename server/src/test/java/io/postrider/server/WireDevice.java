package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.protocol.Protocol;
import io.postrider.protocol.Varint;
import io.postrider.protocol.v1.Ack;
import io.postrider.protocol.v1.AppCredentials;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.Connect;
import io.postrider.protocol.v1.Opened;
import io.postrider.protocol.v1.Ping;
import io.postrider.protocol.v1.Push;
import io.postrider.protocol.v1.ServerFrame;
import io.postrider.protocol.v1.ServerFrame.FrameCase;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;

/**
 * A device over a bare TCP socket, which does just what the test says: no acks, no pings and no
 * reading unless asked.
 */
public final class WireDevice implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 10_000;

    private final Socket socket;
    private final DataInputStream in;
    private final OutputStream out;

    public WireDevice(String address) {
        try {
            URI uri = URI.create(address);
            socket = new Socket(uri.getHost(), uri.getPort());
            socket.setSoTimeout(PATIENCE_MILLIS);
            socket.setTcpNoDelay(true);
            in = new DataInputStream(socket.getInputStream());
            out = socket.getOutputStream();
            out.write(Protocol.tcpMagic());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What an app server says first. */
    public static ClientFrame asAppServer(String appKey, String masterSecret) {
        return ClientFrame.newBuilder()
                .setConnect(
                        Connect.newBuilder()
                                .setSdk("test/1")
                                .setApp(
                                        AppCredentials.newBuilder()
                                                .setAppKey(appKey)
                                                .setMasterSecret(masterSecret)))
                .build();
    }

    /** A device that has said who it is and was told ready. */
    public static WireDevice connected(String address, String token) {
        WireDevice device = new WireDevice(address);
        device.connect(token);
        assertThat(device.read().getFrameCase()).isEqualTo(FrameCase.READY);
        return device;
    }

    public void connect(String token) {
        send(
                ClientFrame.newBuilder()
                        .setConnect(Connect.newBuilder().setToken(token).setSdk("test/1"))
                        .build());
    }

    public void send(ClientFrame frame) {
        byte[] body = frame.toByteArray();
        byte[] bytes = new byte[Varint.size(body.length) + body.length];
        System.arraycopy(body, 0, bytes, Varint.write(body.length, bytes, 0), body.length);
        sendRaw(bytes);
    }

    public void sendRaw(byte[] bytes) {
        try {
            out.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public void ack(long... ids) {
        Ack.Builder ack = Ack.newBuilder();
        for (long id : ids) {
            ack.addIds(id);
        }
        send(ClientFrame.newBuilder().setAck(ack).build());
    }

    public void opened(long id) {
        send(ClientFrame.newBuilder().setOpened(Opened.newBuilder().addIds(id)).build());
    }

    public void ping() {
        send(ClientFrame.newBuilder().setPing(Ping.getDefaultInstance()).build());
    }

    /** The next frame; fails after 10 seconds. */
    public ServerFrame read() {
        try {
            return frame();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private ServerFrame frame() throws IOException {
        int length = 0;
        int shift = 0;
        byte next;
        do {
            next = in.readByte();
            length |= (next & 0x7f) << shift;
            shift += 7;
        } while (next < 0);
        byte[] body = new byte[length];
        in.readFully(body);
        return ServerFrame.parseFrom(body);
    }

    /** The next frame, which must be a push. */
    public Push readPush() {
        ServerFrame frame = read();
        assertThat(frame.getFrameCase()).isEqualTo(FrameCase.PUSH);
        return frame.getPush();
    }

    /** The next frame of a kind, whatever comes before it. */
    public ServerFrame readUntil(FrameCase kind) {
        ServerFrame frame = read();
        while (frame.getFrameCase() != kind) {
            frame = read();
        }
        return frame;
    }

    /** Everything up to the answer to a ping: what the server had written for us by then. */
    public List<ServerFrame> readAllNow() {
        ping();
        List<ServerFrame> frames = new ArrayList<>();
        ServerFrame frame = read();
        while (frame.getFrameCase() != FrameCase.PONG) {
            frames.add(frame);
            frame = read();
        }
        return frames;
    }

    /** The number of the close frame with which the server ends the connection. */
    public int readClose() {
        int code = readUntil(FrameCase.CLOSE).getClose().getCode();
        assertThat(readEnd()).isTrue();
        return code;
    }

    /** Everything that comes before the server ends the connection. */
    public List<ServerFrame> readToEnd() {
        List<ServerFrame> frames = new ArrayList<>();
        try {
            while (true) {
                frames.add(frame());
            }
        } catch (SocketTimeoutException e) {
            throw new UncheckedIOException(e);
        } catch (IOException ended) {
            return frames;
        }
    }

    /** Whether the server ends the connection, having sent nothing more. */
    public boolean readEnd() {
        try {
            return in.read() < 0;
        } catch (EOFException e) {
            return true;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    @Override
    public void close() {
        disconnect();
    }

    /** Ends the connection without a word. */
    public void disconnect() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
