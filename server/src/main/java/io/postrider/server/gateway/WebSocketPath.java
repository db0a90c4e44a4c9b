package io.postrider.server.gateway;

import java.util.List;
import java.util.Map;

/**
 * What is spoken on a path of the gateway port beside the devices' own; the root says which there
 * are.
 */
public interface WebSocketPath {
    /**
     * Who speaks on a connection whose WebSocket handshake is done. Called on the connection's
     * event loop, and must not block.
     *
     * @param query of the request, decoded; it may hold credentials and must reach no log
     */
    Speaker open(Socket socket, Map<String, List<String>> query);

    /** Speaks on one connection, in texts. Called on its event loop, and must not block. */
    interface Speaker {
        void opened();

        /** A text message came. */
        void heard(String text);

        /** Anything at all came, a ping of the WebSocket's for one. */
        void alive();

        /** The socket takes more again, or does not. */
        void writabilityChanged();

        /** The connection is gone, whoever ended it. */
        void closed();
    }
}
