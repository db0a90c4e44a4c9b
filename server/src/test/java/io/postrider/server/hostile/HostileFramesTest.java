package io.postrider.server.hostile;

import static io.postrider.server.hostile.RawWebSocket.BINARY;
import static io.postrider.server.hostile.RawWebSocket.CLOSE;
import static io.postrider.server.hostile.RawWebSocket.CONTINUATION;
import static io.postrider.server.hostile.RawWebSocket.FIN;
import static io.postrider.server.hostile.RawWebSocket.PING;
import static io.postrider.server.hostile.RawWebSocket.RESERVED;
import static io.postrider.server.hostile.RawWebSocket.TEXT;
import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.protocol.CloseCode;
import io.postrider.protocol.Protocol;
import io.postrider.protocol.Varint;
import io.postrider.protocol.v1.Ack;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.Connect;
import io.postrider.protocol.v1.Push;
import io.postrider.protocol.v1.ServerFrame.FrameCase;
import io.postrider.server.Logged;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.TestServer;
import io.postrider.server.WireDevice;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Bytes that no client should send. Each ends with a clear code, costs at most a line in the log,
 * and leaves the server and a witness that is connected beside it as they were.
 */
class HostileFramesTest {
    private static final int PROTOCOL_ERROR = 1002;
    private static final int BAD_TEXT = 1007;
    private static final int POLICY = 1008;
    private static final int TOO_BIG = 1009;

    @TempDir Path data;

    private TestServer server;
    private AppHandle app;
    private String tcp;
    private String ws;
    private String token;
    private WireDevice witness;
    private Logged logged;

    @BeforeEach
    void start() {
        server = TestServer.start(data);
        app = server.app();
        tcp = app.gateway("tcp");
        ws = app.gateway("ws");
        token = app.register("d");
        witness = WireDevice.connected(tcp, app.register("witness"));
        logged = new Logged();
    }

    @AfterEach
    void theServerAndTheWitnessLive() {
        try {
            app.publish("{\"devices\":[\"witness\"]}");
            Push push = witness.readPush();
            assertThat(push.getNotification().getTitle()).isEqualTo("hello");
            witness.ack(push.getId());
            assertThat(logged.lines()).hasSizeLessThanOrEqualTo(1);
            assertThat(logged.lines()).noneMatch(line -> line.startsWith("ERROR"));
        } finally {
            logged.close();
            witness.close();
            server.close();
        }
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    private static byte[] framed(byte[] body) {
        byte[] frame = new byte[Varint.size(body.length) + body.length];
        System.arraycopy(body, 0, frame, Varint.write(body.length, frame, 0), body.length);
        return frame;
    }

    /** Bytes after connect, and the code that they end with. */
    record Bad(String name, byte[] bytes, CloseCode code) {
        @Override
        public String toString() {
            return name;
        }
    }

    static List<Bad> badFrames() {
        byte[] ack =
                ClientFrame.newBuilder()
                        .setAck(Ack.newBuilder().addIds(1).addIds(2))
                        .build()
                        .toByteArray();
        byte[] garbage = new byte[300];
        new Random(7).nextBytes(garbage);
        return List.of(
                new Bad("a negative length", bytes(-1, -1, -1, -1, -1), CloseCode.FRAME_TOO_LARGE),
                new Bad(
                        "a length over the limit",
                        bytes(0xff, 0xff, 0x7f),
                        CloseCode.FRAME_TOO_LARGE),
                new Bad(
                        "a truncated frame",
                        framed(Arrays.copyOf(ack, ack.length - 3)),
                        CloseCode.MALFORMED_FRAME),
                new Bad(
                        "a field longer than the frame",
                        framed(bytes(0x0a, 0x7f)),
                        CloseCode.MALFORMED_FRAME),
                new Bad("a group without end", framed(bytes(0x0b)), CloseCode.MALFORMED_FRAME),
                new Bad("tag 0", framed(bytes(0x00)), CloseCode.MALFORMED_FRAME),
                new Bad(
                        "bad UTF-8",
                        framed(bytes(0x0a, 0x03, 0x0a, 0x01, 0xff)),
                        CloseCode.MALFORMED_FRAME),
                new Bad("connect again", framed(connect("x")), CloseCode.OUT_OF_ORDER),
                new Bad("garbage", framed(garbage), CloseCode.MALFORMED_FRAME));
    }

    private static byte[] connect(String token) {
        return ClientFrame.newBuilder()
                .setConnect(Connect.newBuilder().setToken(token))
                .build()
                .toByteArray();
    }

    @ParameterizedTest
    @MethodSource("badFrames")
    void aBadFrameAfterConnectEndsWithItsCode(Bad bad) {
        try (WireDevice device = WireDevice.connected(tcp, token)) {
            device.sendRaw(bad.bytes);
            assertThat(device.readClose()).isEqualTo(bad.code.number());
        }
    }

    @ParameterizedTest
    @MethodSource("badFrames")
    void aBadFrameBeforeConnectEndsToo(Bad bad) {
        try (WireDevice device = new WireDevice(tcp)) {
            device.sendRaw(bad.bytes);
            assertThat(device.readClose()).isGreaterThanOrEqualTo(4200);
        }
    }

    @Test
    void aFrameBeforeConnectIsOutOfOrder() {
        for (byte[] early : List.of(new byte[] {0}, framed(bytes(0x22, 0x00)))) {
            try (WireDevice device = new WireDevice(tcp)) {
                device.sendRaw(early);
                assertThat(device.read().getError().getCode()).isEqualTo("out_of_order");
                assertThat(device.readClose()).isEqualTo(CloseCode.OUT_OF_ORDER.number());
            }
        }
    }

    @Test
    void whatIsUnknownIsIgnored() {
        try (WireDevice device = WireDevice.connected(tcp, token)) {
            device.sendRaw(new byte[] {0});
            device.sendRaw(framed(bytes(0xfa, 0x7f, 0x02, 0x08, 0x01)));
            assertThat(device.readAllNow()).isEmpty();
        }
    }

    @Test
    void aLyingLengthIsJudgedByWhatItHolds() {
        try (WireDevice device = WireDevice.connected(tcp, token)) {
            // Says 200 and brings ten pings: their bytes are read as one frame, which they are not.
            ByteArrayOutputStream lie = new ByteArrayOutputStream();
            lie.writeBytes(bytes(0xc8, 0x01));
            for (int i = 0; i < 67; i++) {
                lie.writeBytes(bytes(0x02, 0x22, 0x00));
            }
            device.sendRaw(lie.toByteArray());
            assertThat(device.readClose()).isEqualTo(CloseCode.MALFORMED_FRAME.number());
        }
    }

    @Test
    void halfAFrameAndSilenceEndsWithTheHeartbeat() {
        try (WireDevice device = WireDevice.connected(tcp, token)) {
            device.sendRaw(bytes(0x7f, 0x0a));
            witness.readAllNow();
            server.clock.advance(Duration.ofSeconds(40));
            witness.readAllNow();
            server.clock.advance(Duration.ofSeconds(6));
            assertThat(device.readClose()).isEqualTo(CloseCode.HEARTBEAT_MISSED.number());
        }
    }

    @Test
    void aByteNowAndThenDoesNotProlongTheTimeToConnect() {
        byte[] slowly = framed(connect(token));
        try (WireDevice device = new WireDevice(tcp)) {
            for (int i = 0; i < 4; i++) {
                device.sendRaw(new byte[] {slowly[i]});
                witness.readAllNow();
                server.clock.advance(Duration.ofSeconds(3));
            }
            assertThat(device.readClose()).isEqualTo(CloseCode.CONNECT_TIMEOUT.number());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4})
    void moreThan16KiBBeforeConnectIsTooMuch(int prefix) throws Exception {
        try (WireDevice device = new WireDevice(tcp)) {
            byte[] large = new byte[Protocol.MAX_BEFORE_CONNECT + 8];
            byte[] length = framed(new byte[40_000]);
            System.arraycopy(length, 0, large, 0, 3);
            for (int at = 0; at < large.length; at += 4_000 + prefix) {
                device.sendRaw(
                        Arrays.copyOfRange(large, at, Math.min(large.length, at + 4_000 + prefix)));
            }
            assertThat(device.readClose()).isEqualTo(CloseCode.FRAME_TOO_LARGE.number());
        }
        try (RawWebSocket device = new RawWebSocket(ws, Protocol.JSON_SUBPROTOCOL)) {
            device.text("{\"connect\":{\"token\":\"" + "x".repeat(17_000) + "\"}}");
            assertThat(device.readClose()).isEqualTo(CloseCode.FRAME_TOO_LARGE.number());
        }
    }

    private RawWebSocket connected() throws IOException {
        RawWebSocket device = new RawWebSocket(ws, Protocol.JSON_SUBPROTOCOL);
        device.text("{\"connect\":{\"token\":\"" + token + "\",\"sdk\":\"x\"}}");
        assertThat(device.read().text()).startsWith("{\"ready\"");
        return device;
    }

    static List<String> badJson() {
        return List.of(
                "",
                "x",
                "null",
                "[]",
                "7",
                "\"ping\"",
                "{\"ping\":{}",
                "{\"ping\":{}}{}",
                "{\"ping\":{},\"pong\":{}}",
                "{\"ack\":{\"ids\":[\"1\"],\"ids\":[\"2\"]}}",
                "{\"ack\":{\"ids\":[1]}}",
                "{\"ack\":{\"ids\":[9007199254740993]}}",
                "{\"ack\":{\"ids\":\"1\"}}",
                "{\"ack\":{\"ids\":[\"-1\"]}}",
                "{\"ack\":{\"ids\":[\"1e3\"]}}",
                "{\"ack\":{\"ids\":[\"99999999999999999999\"]}}",
                "{\"ack\":{\"ids\":[null]}}",
                "{\"ack\":null}",
                "{\"ack\":7}",
                "{\"publish\":{\"ref\":\"\\ud800\",\"message\":{}}}",
                "{\"ack\":{\"ids\":[\"\\ud800\"]}}",
                "{\"ack\":{\"ids\":[\"1\\u0000\"]}}",
                "{\"ack\":{\"ids\":[\"1\0\"]}}",
                "{\"ack\":" + "[".repeat(60_000),
                "{\"unknown\":" + "{\"a\":".repeat(12_000));
    }

    @ParameterizedTest
    @MethodSource("badJson")
    void badJsonIsMalformed(String json) throws Exception {
        try (RawWebSocket device = connected()) {
            device.text(json);
            assertThat(device.read().text()).startsWith("{\"error\":{\"code\":\"malformed_frame\"");
            assertThat(device.readClose()).isEqualTo(CloseCode.MALFORMED_FRAME.number());
        }
        try (RawWebSocket device = new RawWebSocket(ws, Protocol.JSON_SUBPROTOCOL)) {
            device.text(json);
            assertThat(device.readClose())
                    .isIn(CloseCode.MALFORMED_FRAME.number(), CloseCode.FRAME_TOO_LARGE.number());
        }
    }

    /** Bytes that violate WebSocket itself, and RFC 6455's code for it. */
    record Violation(String name, byte[] bytes, int code) {
        @Override
        public String toString() {
            return name;
        }
    }

    static List<Violation> violations() {
        byte[] ping = "{\"ping\":{}}".getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream fragments = new ByteArrayOutputStream();
        fragments.writeBytes(RawWebSocket.frame(TEXT, new byte[0]));
        for (int i = 0; i < 100_000; i++) {
            fragments.writeBytes(RawWebSocket.frame(CONTINUATION, new byte[0]));
        }
        ByteArrayOutputStream oversize = new ByteArrayOutputStream();
        oversize.writeBytes(RawWebSocket.frame(TEXT, spaces(30_000)));
        oversize.writeBytes(RawWebSocket.frame(CONTINUATION, spaces(30_000)));
        oversize.writeBytes(RawWebSocket.frame(CONTINUATION, spaces(30_000)));
        ByteArrayOutputStream splitText = new ByteArrayOutputStream();
        splitText.writeBytes(RawWebSocket.frame(TEXT, bytes('{', '"', 0xe2, 0x82)));
        splitText.writeBytes(RawWebSocket.frame(FIN | CONTINUATION, bytes('"', '}')));
        ByteArrayOutputStream pings = new ByteArrayOutputStream();
        for (int i = 0; i < 10_000; i++) {
            pings.writeBytes(RawWebSocket.frame(FIN | PING, new byte[0]));
        }
        return List.of(
                new Violation(
                        "unmasked", RawWebSocket.frame(FIN | TEXT, false, ping), PROTOCOL_ERROR),
                new Violation(
                        "reserved bit",
                        RawWebSocket.frame(FIN | RESERVED | TEXT, ping),
                        PROTOCOL_ERROR),
                new Violation(
                        "reserved opcode", RawWebSocket.frame(FIN | 0x3, ping), PROTOCOL_ERROR),
                new Violation(
                        "reserved control opcode",
                        RawWebSocket.frame(FIN | 0xb, ping),
                        PROTOCOL_ERROR),
                new Violation("fragmented ping", RawWebSocket.frame(PING, ping), PROTOCOL_ERROR),
                new Violation(
                        "long ping", RawWebSocket.frame(FIN | PING, new byte[126]), PROTOCOL_ERROR),
                new Violation(
                        "continuation of nothing",
                        RawWebSocket.frame(FIN | CONTINUATION, ping),
                        PROTOCOL_ERROR),
                new Violation(
                        "close of one byte",
                        RawWebSocket.frame(FIN | CLOSE, new byte[1]),
                        PROTOCOL_ERROR),
                new Violation(
                        "close code 1005",
                        RawWebSocket.frame(FIN | CLOSE, bytes(0x03, 0xed)),
                        PROTOCOL_ERROR),
                new Violation(
                        "close code 999",
                        RawWebSocket.frame(FIN | CLOSE, bytes(0x03, 0xe7)),
                        PROTOCOL_ERROR),
                new Violation(
                        "close code 5000",
                        RawWebSocket.frame(FIN | CLOSE, bytes(0x13, 0x88)),
                        PROTOCOL_ERROR),
                new Violation(
                        "bad UTF-8", RawWebSocket.frame(FIN | TEXT, bytes('{', 0xff)), BAD_TEXT),
                new Violation("bad UTF-8 over fragments", splitText.toByteArray(), BAD_TEXT),
                new Violation("oversize", RawWebSocket.frame(FIN | TEXT, spaces(70_000)), TOO_BIG),
                new Violation("oversize over fragments", oversize.toByteArray(), TOO_BIG),
                new Violation("100,000 empty fragments", fragments.toByteArray(), POLICY),
                new Violation("a flood of pings", pings.toByteArray(), POLICY));
    }

    private static byte[] spaces(int count) {
        return " ".repeat(count).getBytes(StandardCharsets.US_ASCII);
    }

    @ParameterizedTest
    @MethodSource("violations")
    void aViolationOfWebSocketEndsWithItsCode(Violation violation) throws Exception {
        try (RawWebSocket device = connected()) {
            try {
                device.raw(violation.bytes);
            } catch (SocketException cutOffWhileSending) {
                // The code is still there to be read, or the assertion fails.
            }
            assertThat(device.readClose()).isEqualTo(violation.code);
        }
    }

    @Test
    void theOtherKindOfMessageIsMalformed() throws Exception {
        try (RawWebSocket device = connected()) {
            device.send(FIN | BINARY, bytes(0x22, 0x00));
            assertThat(device.readClose()).isEqualTo(CloseCode.MALFORMED_FRAME.number());
        }
    }

    @Test
    void aFloodOfPingFramesIsRefused() {
        try (WireDevice device = WireDevice.connected(tcp, token)) {
            ByteArrayOutputStream pings = new ByteArrayOutputStream();
            for (int i = 0; i < 10_000; i++) {
                pings.writeBytes(bytes(0x02, 0x22, 0x00));
            }
            device.sendRaw(pings.toByteArray());
            assertThat(device.readUntil(FrameCase.ERROR).getError().getCode()).isEqualTo("flood");
            assertThat(device.readClose()).isEqualTo(CloseCode.FLOOD.number());
        }
    }

    @Test
    void whatIsNeitherOfItsLanguagesIsClosed() throws Exception {
        for (String first :
                List.of(
                        "POST / HTTP/1.1\r\n\r\n",
                        "PTR2",
                        "\0\0\0\0",
                        "SSH-2.0-x\r\n",
                        "\u0016\u0003\u0001\u0002")) {
            try (Socket socket =
                    new Socket(InetAddress.getLoopbackAddress(), URI.create(tcp).getPort())) {
                socket.setSoTimeout(10_000);
                socket.getOutputStream().write(first.getBytes(StandardCharsets.ISO_8859_1));
                assertThat(socket.getInputStream().read()).as(first).isEqualTo(-1);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /gateway HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET /elsewhere HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET /gateway?token=secret HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET /../gateway HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET /gateway HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n\r\n",
                "GET /gateway HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
                "GET /gateway HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                "GET /gateway HTTP/9.9\r\n\r\n",
                "GET  \r\n\r\n",
            })
    void aRequestThatIsNoUpgradeIsAnsweredWith4xx(String request) throws Exception {
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), URI.create(tcp).getPort())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            byte[] answer = socket.getInputStream().readAllBytes();
            assertThat(new String(answer, StandardCharsets.ISO_8859_1)).startsWith("HTTP/1.1 4");
        }
    }

    @Test
    void aQueryThatIsNotEncodedIsRefusedBeforeTheUpgrade() throws Exception {
        aRequestThatIsNoUpgradeIsAnsweredWith4xx(
                String.join(
                        "\r\n",
                        "GET /pos/socket?token=x&device_id=%zz HTTP/1.1",
                        "Host: x",
                        "Upgrade: websocket",
                        "Connection: Upgrade",
                        "Sec-WebSocket-Version: 13",
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                        "",
                        ""));
    }

    @Test
    void headersWithoutEndAreCutOff() throws Exception {
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), URI.create(tcp).getPort())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream()
                    .write(
                            ("GET /gateway HTTP/1.1\r\nX: " + "y".repeat(20_000))
                                    .getBytes(StandardCharsets.US_ASCII));
            byte[] answer = socket.getInputStream().readNBytes(12);
            assertThat(new String(answer, StandardCharsets.US_ASCII))
                    .matches("(?s)(HTTP/1.1 4..)?.{0,0}");
        } catch (SocketException reset) {
            assertThat(reset).hasMessageContaining("reset");
        }
    }
}
