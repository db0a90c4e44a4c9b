package io.postrider.protocol;

import java.nio.charset.StandardCharsets;

/** The constants of protocol version 1 that both sides must agree on. */
public final class Protocol {
    /** The path of the WebSocket gateway. */
    public static final String WEBSOCKET_PATH = "/gateway";

    /** WebSocket subprotocol with one JSON frame per text message. */
    public static final String JSON_SUBPROTOCOL = "postrider.v1.json";

    /** WebSocket subprotocol with one protobuf frame per binary message. */
    public static final String PROTOBUF_SUBPROTOCOL = "postrider.v1.proto";

    /** A client sends no frame longer than this, in bytes: 64 KiB of publish and what is around. */
    public static final int MAX_CLIENT_FRAME = 65 * 1024;

    /** Until its connect is accepted, a client sends no more than this in all, in bytes. */
    public static final int MAX_BEFORE_CONNECT = 16 * 1024;

    /**
     * A server sends no frame longer than this, in bytes: a publish body of 64 KiB whose escapes
     * grow it sixfold, and room for the rest.
     */
    public static final int MAX_SERVER_FRAME = 512 * 1024;

    private Protocol() {}

    /** The four bytes with which a TCP connection begins, before its first frame. */
    public static byte[] tcpMagic() {
        return "PTR1".getBytes(StandardCharsets.US_ASCII);
    }
}
