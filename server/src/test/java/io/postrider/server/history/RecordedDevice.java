package io.postrider.server.history;

import io.postrider.client.DeviceClient;
import io.postrider.client.DeviceObserver;
import io.postrider.client.Gateway;
import io.postrider.client.Registrar;
import io.postrider.client.Registrar.Profile;
import io.postrider.client.Registrar.Registered;
import io.postrider.client.Transport;
import io.postrider.server.TestApi.AppHandle;
import java.io.IOException;
import java.util.List;
import java.util.function.UnaryOperator;

/** A device of the SDK that writes everything into a history. */
public final class RecordedDevice implements AutoCloseable {
    private final DeviceClient client;

    /** Registers and connects; {@code through} may put a proxy before each gateway. */
    public static RecordedDevice start(
            AppHandle app,
            String deviceId,
            Transport transport,
            History history,
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
        return new RecordedDevice(app.id(), deviceId, registered, gateways, transport, history);
    }

    private RecordedDevice(
            String app,
            String deviceId,
            Registered registered,
            List<Gateway> gateways,
            Transport transport,
            History history) {
        this.client =
                DeviceClient.builder(
                                gateways,
                                registered.deviceToken(),
                                message ->
                                        history.presented(
                                                app,
                                                deviceId,
                                                message.id(),
                                                message.title(),
                                                message.attempt(),
                                                System.currentTimeMillis()))
                        .transport(transport)
                        .observer(
                                new DeviceObserver() {
                                    @Override
                                    public void onDuplicate(long messageId, int attempt) {
                                        history.presented(
                                                app,
                                                deviceId,
                                                messageId,
                                                null,
                                                attempt,
                                                System.currentTimeMillis());
                                    }

                                    @Override
                                    public void onAckAnswered(long messageId, String outcome) {
                                        if (outcome.equals("recorded")) {
                                            history.confirmed(deviceId, messageId);
                                        }
                                    }
                                })
                        .build();
        client.start();
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
