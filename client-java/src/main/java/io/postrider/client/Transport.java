package io.postrider.client;

/** How a device connects, where the gateways leave a choice. */
public enum Transport {
    /** Protobuf over TCP: the least bytes. Needs a gateway {@code tcp://}. */
    TCP,
    /** Protobuf over WebSocket. Needs a gateway {@code ws://}. */
    WEBSOCKET,
    /** JSON over WebSocket, for looking at. Needs a gateway {@code ws://}. */
    WEBSOCKET_JSON
}
