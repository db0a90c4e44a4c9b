package io.postrider.client.testing;

import io.postrider.protocol.v1.ServerFrame;

/** One connection of a device to the fake server, over whatever transport. */
interface FakeConnection {
    void send(ServerFrame frame);

    /** Ends it with a close code. */
    void close(int code, String reason);
}
