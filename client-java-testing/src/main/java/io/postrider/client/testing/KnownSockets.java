package io.postrider.client.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ServerSocketFactory;

/** Knows the sockets that a server has accepted, so that they can be cut off without a word. */
final class KnownSockets extends ServerSocketFactory {
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();

    private final class Listening extends ServerSocket {
        Listening() throws IOException {}

        Listening(int port, int backlog, InetAddress address) throws IOException {
            super(port, backlog, address);
        }

        @Override
        public Socket accept() throws IOException {
            Socket accepted = super.accept();
            open.removeIf(Socket::isClosed);
            open.add(accepted);
            return accepted;
        }
    }

    void cutOff() {
        List<Socket> now = new ArrayList<>(open);
        open.removeAll(now);
        for (Socket socket : now) {
            try {
                socket.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Override
    public ServerSocket createServerSocket() throws IOException {
        return new Listening();
    }

    @Override
    public ServerSocket createServerSocket(int port) throws IOException {
        return createServerSocket(port, 50);
    }

    @Override
    public ServerSocket createServerSocket(int port, int backlog) throws IOException {
        return createServerSocket(port, backlog, InetAddress.getLoopbackAddress());
    }

    @Override
    public ServerSocket createServerSocket(int port, int backlog, InetAddress address)
            throws IOException {
        return new Listening(port, backlog, address);
    }
}
