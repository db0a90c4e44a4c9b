package io.postrider.server.legacy;

import io.postrider.server.clock.Clock;
import io.postrider.server.gateway.Socket;
import io.postrider.server.gateway.WebSocketPath;
import io.postrider.server.identity.Secrets;
import io.postrider.server.identity.TillStore;
import io.postrider.server.identity.TillStore.Till;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The path where tills of twebsocketpush connect: {@code /pos/socket?token=…&device_id=…}. */
public final class TillSockets implements WebSocketPath {
    public static final String PATH = "/pos/socket";

    private static final Logger LOG = LoggerFactory.getLogger(TillSockets.class);

    private final TillStore tills;
    private final Clock clock;
    private final Executor virtual = Executors.newVirtualThreadPerTaskExecutor();

    public TillSockets(TillStore tills, Clock clock) {
        this.tills = tills;
        this.clock = clock;
    }

    @Override
    public Speaker open(Socket socket, Map<String, List<String>> query) {
        return new TillConnection(this, socket, value(query, "token"), value(query, "device_id"));
    }

    private static String value(Map<String, List<String>> query, String name) {
        return query.getOrDefault(name, List.of("")).get(0);
    }

    long now() {
        return clock.millis();
    }

    /** Asks whether a till may come in; answers on its event loop, empty if not. */
    void admit(
            Socket socket,
            String token,
            String deviceId,
            Consumer<Optional<Till>> then,
            Runnable otherwise) {
        virtual.execute(() -> {
            try {
                Optional<Till> till = tills.admit(Secrets.hash(token), deviceId);
                socket.execute(() -> then.accept(till));
            } catch (RuntimeException e) {
                LOG.warn("a till could not be let in: {}", e.getMessage());
                socket.execute(otherwise);
            }
        });
    }
}
