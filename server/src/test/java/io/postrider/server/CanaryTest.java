package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import com.neovisionaries.ws.client.WebSocket;
import com.neovisionaries.ws.client.WebSocketAdapter;
import com.neovisionaries.ws.client.WebSocketFactory;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.Publish;
import io.postrider.protocol.v1.ServerFrame.FrameCase;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.TestApi.Reply;
import io.postrider.server.delivery.MessageStore;
import io.postrider.server.delivery.NewMessage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/**
 * Known secrets and payloads go through everything, also through what fails; then everything that
 * the server wrote is searched for them: logs down to debug, refusals, metrics, the audit log.
 */
class CanaryTest {
    private static final String PASSWORD = "canary-password-7261";
    private static final String TITLE = "canary-title-8812";
    private static final String DATA = "canary-data-9923";

    @TempDir Path data;

    private final AtomicBoolean failing = new AtomicBoolean();
    private final List<String> written = new ArrayList<>();

    /** Fails where the test says so, with an exception that knows no payload. */
    private MessageStore failingAtTimes(MessageStore real) {
        return StoreVariant.of(
                real,
                "accept",
                arguments ->
                        failing.get()
                                ? CompletableFuture.failedFuture(
                                        new IllegalStateException("the test broke it"))
                                : real.accept((NewMessage) arguments[0]));
    }

    private void refused(Reply reply) {
        assertThat(reply.status()).isGreaterThanOrEqualTo(400);
        written.add(reply.response().body());
        written.add(reply.response().headers().map().toString());
    }

    @Test
    void noSecretAndNoPayloadIsWrittenAnywhere() throws Exception {
        Logger ours = (Logger) LoggerFactory.getLogger("io.postrider");
        Level before = ours.getLevel();
        ours.setLevel(Level.DEBUG);
        List<String> canaries = new ArrayList<>(List.of(PASSWORD, TITLE, DATA));
        try (Logged logged = new Logged(Level.DEBUG);
                TestServer server =
                        TestServer.start(data, seams -> seams.messages(this::failingAtTimes))) {
            TestApi api = server.api;
            String credentials = "{\"name\":\"anna\",\"password\":\"" + PASSWORD + "\"}";
            api.call("POST", "/v1/developers", null, credentials).expect(201);
            refused(api.call("POST", "/v1/developers", null, credentials));
            refused(api.call("POST", "/v1/logins", null, credentials.replace("anna", "berta")));
            refused(api.call("POST", "/v1/logins", null, credentials.replace("\"}", "x\"}")));
            String login =
                    api.call("POST", "/v1/logins", null, credentials).expect(201).text("token");
            AppHandle app = api.newApp(TestApi.bearer(login));
            String token = app.register("d");
            canaries.addAll(List.of(login, app.masterSecret(), token));

            String message =
                    "{\"audience\":\"all\",\"notification\":{\"title\":\""
                            + TITLE
                            + "\"},\"data\":\""
                            + DATA
                            + "\"}";
            publishInEveryWay(app, message);
            tokensInWrongPlaces(app, token);
            gateway(server, app, token, message);
            canaries.add(till(app, message));
            failing.set(true);
            refused(app.call("POST", "/v1/messages", message));
            failing.set(false);

            written.add(api.call("GET", "/metrics", null, null).response().body());
            written.add(
                    api.call("GET", "/v1/audit", TestApi.bearer(login), null).response().body());
            written.addAll(logged.lines());
            assertThat(logged.lines()).as("something was logged at all").isNotEmpty();
        } finally {
            ours.setLevel(before);
        }
        for (String line : written) {
            assertThat(line).doesNotContain(canaries);
        }
    }

    /** Its token is in the query of its connection; answers it. */
    private String till(AppHandle app, String message) throws Exception {
        Reply issued = app.call("POST", "/v1/tills/tokens", "{\"group\":\"shop\"}").expect(201);
        String token = issued.text("token");
        String order =
                message.replace("\"all\"", "{\"groups\":[\"shop\"]}")
                        .replace(
                                "{\"audience\"",
                                "{\"options\":{\"delivery\":\"any\"},\"audience\"");
        app.call("POST", "/v1/messages", order).expect(202);
        BlockingQueue<String> frames = new LinkedBlockingQueue<>();
        for (String url : List.of(issued.text("url"), issued.text("url") + "x")) {
            WebSocket till = new WebSocketFactory().createSocket(url + "&device_id=t1");
            till.addListener(
                    new WebSocketAdapter() {
                        @Override
                        public void onTextMessage(WebSocket from, String text) {
                            frames.add(text);
                        }
                    });
            till.connect();
            till.sendText("{\"action\":\"gotMessage\",\"req\":{\"message_id\":\"" + token + "\"}}");
            till.sendText(DATA);
            String first = frames.poll(10, TimeUnit.SECONDS);
            assertThat(first).isNotNull();
            till.disconnect();
        }
        refused(app.call("POST", "/v1/tills/tokens/revoke", "{\"token\":\"" + token + "x\"}"));
        return token;
    }

    private void publishInEveryWay(AppHandle app, String message) {
        app.call("POST", "/v1/messages", message, "Idempotency-Key", "k").expect(202);
        refused(
                app.call(
                        "POST",
                        "/v1/messages",
                        message.replace(DATA, DATA + "2"),
                        "Idempotency-Key",
                        "k"));
        refused(app.call("POST", "/v1/messages", message.replace("\"all\"", "7")));
        refused(app.call("POST", "/v1/messages", message.substring(0, message.length() - 1)));
        refused(app.call("POST", "/v1/messages", message + message));
        refused(app.call("POST", "/v1/messages", message.replace("\"title\"", "\"titel\"")));
        refused(app.call("POST", "/v1/messages", message.replace("\"data\":", "\"options\":")));
        refused(app.call("POST", "/v1/messages", "\"" + DATA + "\""));
    }

    private void tokensInWrongPlaces(AppHandle app, String token) {
        TestApi api = app.api();
        refused(api.call("GET", "/v1/devices/d?token=" + token, null, null));
        refused(api.call("GET", "/v1/devices/d", TestApi.bearer(token + "x"), null));
        refused(api.call("GET", "/v1/apps", TestApi.bearer(app.masterSecret()), null));
        refused(
                api.call(
                        "GET",
                        "/v1/apps",
                        TestApi.basic(app.appKey(), app.masterSecret() + "x"),
                        null));
        refused(api.call("GET", "/v1/messages/" + token, app.credentials(), null));
        refused(
                api.call(
                        "POST",
                        "/v1/devices",
                        app.credentials(),
                        "{\"appKey\":\"" + app.masterSecret() + "\"}"));
    }

    private void gateway(TestServer server, AppHandle app, String token, String message)
            throws Exception {
        String tcp = app.gateway("tcp");
        for (String wrong : List.of(token + "x", app.masterSecret(), "")) {
            try (WireDevice device = new WireDevice(tcp)) {
                device.connect(wrong);
                written.add(device.read().getError().getDetail());
            }
        }
        try (WireDevice device = WireDevice.connected(tcp, token)) {
            device.sendRaw(new byte[] {3, 0x0a, 0x7f, 0x01});
            written.add(device.readUntil(FrameCase.ERROR).getError().getDetail());
        }
        try (WireDevice wire = new WireDevice(tcp)) {
            wire.send(WireDevice.asAppServer(app.appKey(), app.masterSecret()));
            assertThat(wire.read().hasReady()).isTrue();
            failing.set(true);
            wire.send(
                    ClientFrame.newBuilder()
                            .setPublish(Publish.newBuilder().setRef("1").setMessage(message))
                            .build());
            written.add(wire.read().getRefused().getDetail());
            failing.set(false);
        }
        WebSocket json = new WebSocketFactory().createSocket(app.gateway("ws")).connect();
        json.sendText("{\"connect\":{\"token\":\"" + token + "\",\"token\":\"" + token + "\"}}");
        json.disconnect();
        server.clock.advance(Duration.ofSeconds(60));
    }
}
