package io.postrider.client;

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
    boolean manualAcks;
    Threads threads = Threads.shared();

    DeviceClientBuilder(List<Gateway> gateways, String token, MessageListener listener) {
        this.gateways = new ArrayList<>(gateways);
        this.token = token;
        this.listener = listener;
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
     */
    public DeviceClient build() {
        return new DeviceClient(this);
    }
}
