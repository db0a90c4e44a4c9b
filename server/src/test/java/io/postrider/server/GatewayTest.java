package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.neovisionaries.ws.client.WebSocket;
import com.neovisionaries.ws.client.WebSocketAdapter;
import com.neovisionaries.ws.client.WebSocketException;
import com.neovisionaries.ws.client.WebSocketFactory;
import com.neovisionaries.ws.client.WebSocketFrame;
import io.postrider.protocol.CloseCode;
import io.postrider.protocol.Protocol;
import io.postrider.protocol.Varint;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.Connect;
import io.postrider.protocol.v1.Push;
import io.postrider.protocol.v1.ServerFrame.FrameCase;
import io.postrider.server.TestApi.AppHandle;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** What comes over the gateway port before and around a session. */
class GatewayTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir Path data;

    private TestServer server;
    private AppHandle app;
    private String tcp;
    private String ws;
    private String token;

    @BeforeEach
    void start() {
        server = TestServer.start(data);
        app = server.app();
        tcp = app.gateway("tcp");
        ws = app.gateway("ws");
        token = app.register("d");
    }

    @AfterEach
    void stop() {
        server.close();
    }

    /** A WebSocket by a library that nobody here wrote. */
    private static final class Foreign extends WebSocketAdapter implements AutoCloseable {
        private final LinkedBlockingQueue<String> texts = new LinkedBlockingQueue<>();
        private final LinkedBlockingQueue<Integer> closes = new LinkedBlockingQueue<>();
        private final WebSocket socket;

        Foreign(String address, @Nullable String subprotocol)
                throws IOException, WebSocketException {
            socket = new WebSocketFactory().createSocket(address).addListener(this);
            if (subprotocol != null) {
                socket.addProtocol(subprotocol);
            }
            socket.connect();
        }

        @Override
        public void onTextMessage(WebSocket from, String text) {
            texts.add(text);
        }

        @Override
        public void onDisconnected(
                WebSocket from,
                @Nullable WebSocketFrame serverFrame,
                @Nullable WebSocketFrame clientFrame,
                boolean closedByServer) {
            closes.add(serverFrame == null ? 0 : serverFrame.getCloseCode());
        }

        JsonNode read() throws InterruptedException {
            String text = texts.poll(10, TimeUnit.SECONDS);
            assertThat(text).isNotNull();
            return JSON.readTree(text);
        }

        int readClose() throws InterruptedException {
            Integer code = closes.poll(10, TimeUnit.SECONDS);
            return code == null ? -1 : code;
        }

        @Override
        public void close() {
            socket.disconnect();
        }
    }

    @Test
    void aForeignWebSocketClientSpeaksJson() throws Exception {
        try (Foreign device = new Foreign(ws, Protocol.JSON_SUBPROTOCOL)) {
            device.socket.sendText("{\"connect\":{\"token\":\"" + token + "\",\"sdk\":\"nv/2\"}}");
            JsonNode ready = device.read().path("ready");
            assertThat(ready.path("session").asString()).isNotEmpty();
            assertThat(ready.path("heartbeatSeconds").asInt()).isEqualTo(30);
            assertThat(ready.path("inflightLimit").asInt()).isEqualTo(256);
            assertThat(ready.path("epoch").asString()).isNotEmpty();
            assertThat(ready.path("serverTime").asString()).endsWith("Z");

            String id =
                    app.publish(
                            "\"all\"", ",\"data\":{ \"n\": 12345678901234567890.10, \"a\":[1,2] }");
            String text = device.texts.poll(10, TimeUnit.SECONDS);
            assertThat(text)
                    .as("data travels to the letter")
                    .contains("\"data\":{ \"n\": 12345678901234567890.10, \"a\":[1,2] }");
            JsonNode push = JSON.readTree(text).path("push");
            assertThat(push.path("id").asString()).isEqualTo(id);
            assertThat(push.path("notification").path("title").asString()).isEqualTo("hello");
            assertThat(push.has("attempt")).isFalse();

            device.socket.sendText("{\"ack\":{\"ids\":[\"" + id + "\"]}}");
            JsonNode acked = device.read().path("acked").path("results").path(0);
            assertThat(acked.path("id").asString()).isEqualTo(id);
            assertThat(acked.path("outcome").asString()).isEqualTo("recorded");

            device.socket.sendText("{\"ping\":{}}");
            assertThat(device.read().path("pong").path("serverTime").asString()).isNotEmpty();
            device.socket.sendText("{\"somethingNew\":{\"x\":1}}");
            device.socket.sendText("{\"ping\":{\"future\":[1]}}");
            assertThat(device.read().has("pong")).isTrue();
        }
    }

    @Test
    void withoutASubprotocolAWebSocketSpeaksJson() throws Exception {
        try (Foreign device = new Foreign(ws, null)) {
            device.socket.sendText("{\"connect\":{\"token\":\"" + token + "\"}}");
            assertThat(device.read().has("ready")).isTrue();
        }
    }

    @Test
    void nothingPassesBeforeConnect() throws Exception {
        try (Foreign device = new Foreign(ws, Protocol.JSON_SUBPROTOCOL)) {
            device.socket.sendText("{\"ack\":{\"ids\":[\"1\"]}}");
            assertThat(device.read().path("error").path("code").asString())
                    .isEqualTo("out_of_order");
            assertThat(device.readClose()).isEqualTo(CloseCode.OUT_OF_ORDER.number());
        }
        try (WireDevice device = new WireDevice(tcp)) {
            device.ack(1);
            assertThat(device.read().getError().getCode()).isEqualTo("out_of_order");
            assertThat(device.readClose()).isEqualTo(CloseCode.OUT_OF_ORDER.number());
        }
    }

    @Test
    void connectComesOnce() {
        try (WireDevice device = WireDevice.connected(tcp, token)) {
            device.connect(token);
            assertThat(device.readClose()).isEqualTo(CloseCode.OUT_OF_ORDER.number());
        }
    }

    @Test
    void aBadTokenIsRefused() {
        String changed = (token.charAt(20) == 'A' ? 'B' : 'A') + token.substring(21);
        for (String bad :
                new String[] {
                    "", "x", "dt_", "dt_AAAA", token + "A", token.substring(0, 20) + changed
                }) {
            try (WireDevice device = new WireDevice(tcp)) {
                device.connect(bad);
                assertThat(device.read().getError().getCode()).isEqualTo("token_refused");
                assertThat(device.readClose()).isEqualTo(CloseCode.TOKEN_REFUSED.number());
            }
        }
    }

    @Test
    void aConnectionThatDoesNotSayWhoItIsIsClosedAfterTenSeconds() throws Exception {
        try (WireDevice silent = new WireDevice(tcp);
                Socket mute =
                        new Socket(InetAddress.getLoopbackAddress(), URI.create(tcp).getPort());
                Foreign upgraded = new Foreign(ws, Protocol.JSON_SUBPROTOCOL);
                WireDevice known = WireDevice.connected(tcp, token)) {
            known.readAllNow();
            server.clock.advance(Duration.ofSeconds(11));
            assertThat(silent.readClose()).isEqualTo(CloseCode.CONNECT_TIMEOUT.number());
            assertThat(mute.getInputStream().read()).isEqualTo(-1);
            assertThat(upgraded.readClose()).isEqualTo(CloseCode.CONNECT_TIMEOUT.number());
            assertThat(known.readAllNow()).isEmpty();
        }
    }

    @Test
    void aFrameOverTheLimitIsRefusedByItsLength() throws Exception {
        try (WireDevice device = WireDevice.connected(tcp, token)) {
            byte[] length = new byte[Varint.MAX_BYTES];
            int size = Varint.write(Protocol.MAX_CLIENT_FRAME + 1, length, 0);
            device.sendRaw(Arrays.copyOf(length, size));
            assertThat(device.read().getError().getCode()).isEqualTo("frame_too_large");
            assertThat(device.readClose()).isEqualTo(CloseCode.FRAME_TOO_LARGE.number());
        }
        try (WireDevice device = WireDevice.connected(tcp, token)) {
            device.sendRaw(new byte[] {-1, -1, -1, -1, -1});
            assertThat(device.readClose()).isEqualTo(CloseCode.FRAME_TOO_LARGE.number());
        }
        try (Foreign device = new Foreign(ws, Protocol.JSON_SUBPROTOCOL)) {
            device.socket.sendText("x".repeat(Protocol.MAX_CLIENT_FRAME + 1));
            assertThat(device.readClose()).isEqualTo(1009);
        }
    }

    @Test
    void whatIsNoFrameIsRefused() throws Exception {
        for (String bad :
                new String[] {
                    "",
                    "{",
                    "[]",
                    "null",
                    "{\"connect\":1}",
                    "{\"connect\":{\"token\":1}}",
                    "{\"connect\":{\"token\":\"a\",\"token\":\"b\"}}",
                    "{\"connect\":{}} {}"
                }) {
            try (Foreign device = new Foreign(ws, Protocol.JSON_SUBPROTOCOL)) {
                device.socket.sendText(bad);
                assertThat(device.read().path("error").path("code").asString())
                        .as(bad)
                        .isEqualTo("malformed_frame");
                assertThat(device.readClose()).isEqualTo(CloseCode.MALFORMED_FRAME.number());
            }
        }
        try (WireDevice device = new WireDevice(tcp)) {
            device.sendRaw(new byte[] {3, -1, -1, -1});
            assertThat(device.readClose()).isEqualTo(CloseCode.MALFORMED_FRAME.number());
        }
        try (Foreign device = new Foreign(ws, Protocol.JSON_SUBPROTOCOL)) {
            device.socket.sendBinary(new byte[] {1, 2});
            assertThat(device.readClose()).isEqualTo(CloseCode.MALFORMED_FRAME.number());
        }
    }

    @Test
    void whatIsNoProtocolOfOursIsClosed() throws Exception {
        for (String bytes :
                new String[] {
                    "POST / HTTP/1.1\r\n\r\n", "\u0016\u0003\u0001\u0000", "SSH-2.0-x\r\n"
                }) {
            try (Socket socket =
                    new Socket(InetAddress.getLoopbackAddress(), URI.create(tcp).getPort())) {
                socket.setSoTimeout(10_000);
                socket.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
                assertThat(socket.getInputStream().read()).isEqualTo(-1);
            }
        }
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), URI.create(tcp).getPort())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream()
                    .write(
                            "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
                                    .getBytes(StandardCharsets.US_ASCII));
            String answer =
                    new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            assertThat(answer).startsWith("HTTP/1.1 404");
        }
    }

    @Test
    void g13AcksForAnotherAppsMessageChangeNothing() {
        AppHandle other = server.app();
        other.register("d");
        String foreign = other.publish("\"all\"");
        try (WireDevice device = WireDevice.connected(tcp, token)) {
            device.ack(Long.parseLong(foreign), 42);
            assertThat(device.readUntil(FrameCase.ACKED).getAcked().getResultsList())
                    .as("a foreign id answers like an unknown one")
                    .allSatisfy(result ->
                            assertThat(result.getOutcome())
                                    .isEqualTo(io.postrider.protocol.v1.AckOutcome.UNKNOWN));
            device.opened(Long.parseLong(foreign));
            device.readUntil(FrameCase.ACKED);
        }
        assertThat(other.count(foreign, "pending")).isEqualTo(1);
        assertThat(other.count(foreign, "opened")).isZero();
    }

    @Test
    void g9AReaderThatStopsIsParkedThenClosedAndOthersAreServed() {
        String other = app.register("e");
        String large = ",\"data\":\"" + "x".repeat(60_000) + "\"";
        try (WireDevice stopped = WireDevice.connected(tcp, token);
                WireDevice reads = WireDevice.connected(tcp, other)) {
            stopped.ping();
            List<String> ids = new ArrayList<>();
            for (int i = 0; i < 250; i++) {
                ids.add(app.publish("{\"devices\":[\"d\"]}", large));
            }
            String last = ids.get(ids.size() - 1);
            assertThat(app.states(last)).as("parked").containsExactly("d=queued");
            app.publish("{\"devices\":[\"e\"]}");
            reads.readPush();
            server.clock.advance(Duration.ofSeconds(31));
            reads.ping();
            await().until(() ->
                    !app.call("GET", "/v1/devices/d", null).json().path("online").asBoolean());
            await().untilAsserted(
                            () -> assertThat(trace(last)).contains("session_ended", "slow_reader"));
            try (WireDevice back = WireDevice.connected(tcp, token)) {
                for (String id : ids) {
                    Push push = back.readUntil(FrameCase.PUSH).getPush();
                    assertThat(Long.toString(push.getId())).isEqualTo(id);
                    back.ack(push.getId());
                }
            }
        }
    }

    private String trace(String id) {
        return app.call("GET", "/v1/messages/" + id + "/trace?device=d", null).response().body();
    }

    @Test
    void aFrameMayComeInPieces() throws Exception {
        try (WireDevice device = new WireDevice(tcp)) {
            byte[] frame =
                    ClientFrame.newBuilder()
                            .setConnect(Connect.newBuilder().setToken(token))
                            .build()
                            .toByteArray();
            device.sendRaw(new byte[] {(byte) frame.length});
            for (byte b : frame) {
                device.sendRaw(new byte[] {b});
            }
            assertThat(device.read().getFrameCase()).isEqualTo(FrameCase.READY);
        }
    }
}
