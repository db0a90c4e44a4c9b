package io.postrider.client;

/** What a {@link DeviceClient} is doing. */
public enum DeviceState {
    /** Not started yet. */
    IDLE,
    /** Making a connection. */
    CONNECTING,
    /** Connected and known to the server. */
    READY,
    /** Between two attempts. */
    WAITING,
    /** No network, as the caller has said. */
    OFFLINE,
    /** Closed by the caller, or by the server for good. */
    STOPPED
}
