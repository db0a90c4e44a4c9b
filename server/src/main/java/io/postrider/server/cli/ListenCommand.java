package io.postrider.server.cli;

import io.postrider.client.DeviceClient;
import io.postrider.client.DeviceObserver;
import io.postrider.client.DeviceState;
import io.postrider.client.Gateway;
import io.postrider.client.ReceivedMessage;
import io.postrider.client.Registrar;
import io.postrider.client.Registrar.Registered;
import io.postrider.client.Transport;
import java.io.IOException;
import java.io.PrintStream;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The verb {@code listen}: a device until Ctrl-C. */
@Command(
        name = "listen",
        mixinStandardHelpOptions = true,
        description = {
            "Is a device of the app that `app create` made: prints each message and acknowledges it."
                    + " Ctrl-C ends it and removes the device."
        })
public final class ListenCommand implements Callable<Integer> {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("HH:mm:ss.SSS").withZone(ZoneId.systemDefault());

    private final PrintStream out;
    private final PrintStream err;

    @Option(
            names = "--transport",
            paramLabel = "KIND",
            description = "${COMPLETION-CANDIDATES}; default ${DEFAULT-VALUE}.")
    private Transport transport = Transport.WEBSOCKET;

    @Option(names = "--tag", paramLabel = "TAG", description = "A tag of the device; repeatable.")
    private String[] tags = new String[0];

    public ListenCommand(PrintStream out, PrintStream err) {
        this.out = out;
        this.err = err;
    }

    @Override
    public Integer call() throws InterruptedException {
        Credentials credentials = Credentials.load();
        String deviceId = "listen-" + UUID.randomUUID().toString().substring(0, 8);
        Registered device = register(credentials, deviceId);
        CountDownLatch stopped = new CountDownLatch(1);
        DeviceClient client =
                DeviceClient.builder(device.gateways(), device.deviceToken(), this::print)
                        .transport(transport)
                        .observer(new Watching(deviceId, stopped))
                        .build();
        Runtime.getRuntime()
                .addShutdownHook(new Thread(() -> remove(client, credentials, deviceId)));
        client.start();
        stopped.await();
        return 1;
    }

    private Registered register(Credentials credentials, String deviceId) {
        try {
            return Registrar.onServer(
                            credentials.server(), credentials.appKey(), credentials.secret())
                    .register(new Registrar.Profile("desktop").deviceId(deviceId).tags(tags));
        } catch (IOException e) {
            throw new CliException(
                    "the device could not be registered at "
                            + credentials.server()
                            + " ("
                            + e.getMessage()
                            + "). Does the node run (./postrider serve), and was the app made on"
                            + " it (./postrider app create NAME)?");
        }
    }

    private static void remove(DeviceClient client, Credentials credentials, String deviceId) {
        client.close();
        try {
            new RestCalls(credentials.server())
                    .call(
                            "DELETE",
                            "/v1/devices/" + deviceId,
                            RestCalls.basic(credentials.appKey(), credentials.secret()),
                            null);
        } catch (CliException alreadyGone) {
            // A node that has stopped cannot be told; the device stays registered there.
        }
    }

    private void print(ReceivedMessage message) {
        StringBuilder line = new StringBuilder(TIME.format(message.createdAt()));
        append(line, message.title());
        append(line, message.body());
        append(line, message.url());
        append(line, message.data());
        if (message.attempt() > 1) {
            line.append("  (attempt ").append(message.attempt()).append(')');
        }
        out.println(line);
        out.flush();
    }

    private static void append(StringBuilder line, @Nullable String part) {
        if (part != null) {
            line.append("  ").append(part);
        }
    }

    private final class Watching implements DeviceObserver {
        private final String deviceId;
        private final CountDownLatch stopped;

        Watching(String deviceId, CountDownLatch stopped) {
            this.deviceId = deviceId;
            this.stopped = stopped;
        }

        @Override
        public void onState(DeviceState state) {
            if (state == DeviceState.READY) {
                err.println("listening as " + deviceId + "; Ctrl-C ends it");
            } else if (state == DeviceState.STOPPED) {
                stopped.countDown();
            }
        }

        @Override
        public void onDropped(Gateway gateway, int closeCode, String reason) {
            err.println("connection lost: " + reason);
        }

        @Override
        public void onRetry(int attempt, long delayMillis, Gateway gateway) {
            err.println("trying " + gateway + " again in " + delayMillis + " ms");
        }
    }
}
