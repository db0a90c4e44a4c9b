package io.postrider.client;

import io.postrider.client.Registrar.Registered;
import java.io.File;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How a {@link DeviceClient} is to be. */
public final class DeviceClientBuilder {
    final List<Gateway> gateways;
    final String token;
    final MessageListener listener;
    Transport transport = Transport.WEBSOCKET;
    DeviceObserver observer = DeviceObserver.NONE;
    @Nullable TokenSource tokenSource;
    @Nullable GatewaySource gatewaySource;
    boolean manualAcks;
    Threads threads = Threads.shared();
    @Nullable File memory;
    final @Nullable Registered registered;

    /** For tests, which do not wait so long. */
    long ackTimeoutMillis = 10_000;

    Backoff backoff = Backoff.random();

    DeviceClientBuilder(List<Gateway> gateways, String token, MessageListener listener) {
        this.gateways = new ArrayList<>(gateways);
        this.token = token;
        this.listener = listener;
        this.registered = null;
    }

    DeviceClientBuilder(Registered registered, MessageListener listener) {
        this.gateways = new ArrayList<>(registered.gateways());
        this.token = registered.deviceToken();
        this.listener = listener;
        this.registered = registered;
        this.gatewaySource = registered::gatewaysByNow;
    }

    /**
     * Keeps what was acknowledged, and the server's epoch, in a file of 64 KiB, so that the
     * listener gets no message twice, and the observer hears of history that was lost, even if the
     * process dies in between; without one, only as long as this client lives. Only one client at a
     * time can use a file.
     */
    public DeviceClientBuilder memory(File file) {
        this.memory = file;
        return this;
    }

    /** WebSocket unless said otherwise. */
    public DeviceClientBuilder transport(Transport chosen) {
        this.transport = chosen;
        return this;
    }

    public DeviceClientBuilder observer(DeviceObserver watching) {
        this.observer = watching;
        return this;
    }

    /** Without one, a refused token stops the client. */
    public DeviceClientBuilder tokenSource(TokenSource source) {
        this.tokenSource = source;
        return this;
    }

    /**
     * Asked when five attempts in a row, and five more, have met no gateway that answers; a client
     * that was built with what a registration answered asks that server. Without one, only those
     * that are known, and those that a stopping node names, are tried.
     */
    public DeviceClientBuilder gatewaySource(GatewaySource source) {
        this.gatewaySource = source;
        return this;
    }

    /** Acks are the caller's to send, with {@link DeviceClient#acknowledge}. */
    public DeviceClientBuilder manualAcks() {
        this.manualAcks = true;
        return this;
    }

    public DeviceClientBuilder threads(Threads chosen) {
        this.threads = chosen;
        return this;
    }

    /**
     * @throws IllegalArgumentException if no gateway speaks the transport
     * @throws UncheckedIOException if the memory's file cannot be used
     */
    public DeviceClient build() {
        return new DeviceClient(this);
    }
}
