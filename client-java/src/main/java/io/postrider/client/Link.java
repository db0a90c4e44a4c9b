package io.postrider.client;

import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.ServerFrame;

/** One connection to a gateway, over whatever transport. */
interface Link {
    /**
     * What happens on a link, told on the link's one thread; {@code closed} is the last, and comes
     * exactly once, whether the link was ever open or not.
     */
    interface Events {
        void opened(Link link);

        void received(Link link, ServerFrame frame);

        /** Nothing more is at hand just now. */
        void idle(Link link);

        /** Called several times a heartbeat, to send one if it is due or give up on the peer. */
        void beat(Link link);

        void closed(Link link, int closeCode, String reason);
    }

    /** Starts connecting and returns. */
    void open();

    /** Sends a frame, or drops it where the link is closed. Any thread. */
    void send(ClientFrame frame);

    /** Calls {@link Events#beat} so often from here on. */
    void beatEvery(long millis);

    /**
     * Ends the link once what was given to it has been sent, or soon. Any thread; does not wait.
     */
    void finish();

    /** Ends the link at once. Any thread; does not wait. */
    void close(String reason);
}
