package io.postrider.server.history;

import io.postrider.client.DeviceClient;
import io.postrider.client.DeviceObserver;
import io.postrider.client.Gateway;
import io.postrider.client.MessageListener;
import io.postrider.client.ReceivedMessage;
import io.postrider.client.Registrar;
import io.postrider.client.Registrar.Profile;
import io.postrider.client.Registrar.Registered;
import io.postrider.client.Transport;
import io.postrider.server.TestApi.AppHandle;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A device of the SDK that writes everything into a history, and what the first ack settles into
 * another.
 */
public final class RecordedDevice implements AutoCloseable {
    /** So begin the titles of messages that the first ack settles, which a push does not say. */
    static final String SETTLED_BY_FIRST = "any-";

    private final DeviceClient client;
    private final String app;
    private final String deviceId;
    private final History history;
    private final Settling settling;

    /** Messages of which the first ack settles them. */
    private final Set<Long> settled = ConcurrentHashMap.newKeySet();

    /** As below, where no message is settled by the first ack. */
    public static RecordedDevice start(
            AppHandle app,
            String deviceId,
            Transport transport,
            History history,
            UnaryOperator<String> through,
            String... tags)
            throws IOException {
        return start(app, deviceId, transport, history, new Settling(), through, tags);
    }

    /** Registers and connects; {@code through} may put a proxy before each gateway. */
    public static RecordedDevice start(
            AppHandle app,
            String deviceId,
            Transport transport,
            History history,
            Settling settling,
            UnaryOperator<String> through,
            String... tags)
            throws IOException {
        Registered registered =
                Registrar.onServer(app.api().base, app.appKey(), app.masterSecret())
                        .register(new Profile("iot").deviceId(deviceId).tags(tags));
        List<Gateway> gateways =
                registered.gateways().stream()
                        .map(gateway -> Gateway.of(through.apply(gateway.address())))
                        .toList();
        return new RecordedDevice(
                app.id(), deviceId, registered, gateways, transport, history, settling);
    }

    private RecordedDevice(
            String app,
            String deviceId,
            Registered registered,
            List<Gateway> gateways,
            Transport transport,
            History history,
            Settling settling) {
        this.app = app;
        this.deviceId = deviceId;
        this.history = history;
        this.settling = settling;
        this.client =
                DeviceClient.builder(gateways, registered.deviceToken(), listener())
                        .transport(transport)
                        .observer(observer())
                        .build();
        client.start();
    }

    private MessageListener listener() {
        return new MessageListener() {
            @Override
            public void onMessage(ReceivedMessage message) {
                if (String.valueOf(message.title()).startsWith(SETTLED_BY_FIRST)) {
                    settled.add(message.id());
                    settling.presented(deviceId, message.id());
                } else {
                    presented(message.id(), message.title(), message.attempt());
                }
            }

            @Override
            public void onSettled(long messageId) {
                settling.told(deviceId, messageId, "settled");
            }
        };
    }

    private DeviceObserver observer() {
        return new DeviceObserver() {
            @Override
            public void onDuplicate(long messageId, int attempt) {
                if (!settled.contains(messageId)) {
                    presented(messageId, null, attempt);
                }
            }

            @Override
            public void onAckAnswered(long messageId, String outcome) {
                if (settled.contains(messageId)) {
                    settling.told(deviceId, messageId, outcome);
                } else if (outcome.equals("recorded")) {
                    history.confirmed(deviceId, messageId);
                }
            }
        };
    }

    private void presented(long id, @Nullable String key, int attempt) {
        history.presented(app, deviceId, id, key, attempt, System.currentTimeMillis());
    }

    /** Drops the connection, as a lost network would. */
    public void drop() {
        client.dropConnection();
    }

    @Override
    public void close() {
        client.close();
    }
}
