package io.postrider.client.testing;

import io.postrider.protocol.Protocol;
import io.postrider.protocol.Varint;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.Close;
import io.postrider.protocol.v1.ServerFrame;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;

/** The fake server's gateway on TCP: a daemon thread for the port, and one a connection. */
final class FakeTcp implements AutoCloseable {
    private final FakeServer server;
    private final ServerSocket listening;

    FakeTcp(FakeServer server, KnownSockets sockets) throws IOException {
        this.server = server;
        this.listening = sockets.createServerSocket(0, 50, InetAddress.getLoopbackAddress());
        daemon(this::accept);
    }

    private static void daemon(Runnable work) {
        Thread thread = new Thread(work, "postrider-fake-server");
        thread.setDaemon(true);
        thread.start();
    }

    String address() {
        return "tcp://127.0.0.1:" + listening.getLocalPort();
    }

    private void accept() {
        while (true) {
            try {
                Socket socket = listening.accept();
                daemon(() -> serve(socket));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        Connection connection = new Connection(socket);
        try (Socket open = socket) {
            DataInputStream in = new DataInputStream(open.getInputStream());
            byte[] magic = new byte[Protocol.tcpMagic().length];
            in.readFully(magic);
            while (Arrays.equals(magic, Protocol.tcpMagic())) {
                server.received(connection, ClientFrame.parseFrom(frame(in)));
            }
        } catch (IOException lost) {
            // As every connection ends.
        } finally {
            server.lost(connection);
        }
    }

    private static byte[] frame(DataInputStream in) throws IOException {
        int length = 0;
        byte next;
        int shift = 0;
        do {
            next = in.readByte();
            length |= (next & 0x7f) << shift;
            shift += 7;
        } while (next < 0);
        byte[] frame = new byte[length];
        in.readFully(frame);
        return frame;
    }

    private static final class Connection implements FakeConnection {
        private final Socket socket;

        Connection(Socket socket) {
            this.socket = socket;
        }

        @Override
        public synchronized void send(ServerFrame frame) {
            byte[] body = frame.toByteArray();
            byte[] bytes = new byte[Varint.size(body.length) + body.length];
            System.arraycopy(body, 0, bytes, Varint.write(body.length, bytes, 0), body.length);
            try {
                socket.getOutputStream().write(bytes);
            } catch (IOException gone) {
                drop();
            }
        }

        @Override
        public void close(int code, String reason) {
            send(
                    ServerFrame.newBuilder()
                            .setClose(Close.newBuilder().setCode(code).setReason(reason))
                            .build());
            drop();
        }

        private void drop() {
            try {
                socket.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
    }
}
