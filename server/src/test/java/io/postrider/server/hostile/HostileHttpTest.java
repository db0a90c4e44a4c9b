package io.postrider.server.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.server.Logged;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.TestApi.Reply;
import io.postrider.server.TestServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Requests that no client should send. Each is refused with a problem, never with a 5xx, changes
 * nothing, costs at most a line in the log, and leaves the server as it was.
 */
class HostileHttpTest {
    @TempDir Path data;

    private TestServer server;
    private AppHandle app;
    private Logged logged;

    @BeforeEach
    void start() {
        server = TestServer.start(data);
        app = server.app();
        app.register("d");
        logged = new Logged();
    }

    @AfterEach
    void theServerLivesAndIsAsItWas() {
        try {
            assertThat(app.call("GET", "/v1/messages", null).expect(200).json().path("items"))
                    .isEmpty();
            assertThat(app.call("GET", "/v1/devices", null).expect(200).json().path("items"))
                    .hasSize(1);
            assertThat(logged.lines()).hasSizeLessThanOrEqualTo(1);
            assertThat(logged.lines()).noneMatch(line -> line.startsWith("ERROR"));
        } finally {
            logged.close();
            server.close();
        }
    }

    private Socket socket() throws IOException {
        Socket socket =
                new Socket(
                        InetAddress.getLoopbackAddress(), URI.create(server.node.http()).getPort());
        socket.setSoTimeout(20_000);
        return socket;
    }

    /** Sends, reads what is answered until the connection ends, and answers that. */
    private String exchange(String request) throws IOException {
        try (Socket socket = socket()) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            socket.shutdownOutput();
            return readAll(socket);
        }
    }

    private static String readAll(Socket socket) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        try {
            socket.getInputStream().transferTo(all);
        } catch (SocketException reset) {
            // What came before it counts.
        }
        return all.toString(StandardCharsets.ISO_8859_1);
    }

    private String publish(String moreHeaders, String body) {
        return "POST /v1/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: "
                + app.credentials()
                + "\r\nContent-Type: application/json\r\n"
                + moreHeaders
                + "\r\n"
                + body;
    }

    private static final String BODY = "{\"audience\":\"all\",\"data\":1}";

    static List<String> badFraming() {
        int length = BODY.length();
        return List.of(
                "Content-Length: " + length + "\r\nContent-Length: " + (length + 1) + "\r\n",
                "Content-Length: " + length + ", " + (length + 1) + "\r\n",
                "Content-Length: " + length + "\r\nTransfer-Encoding: chunked\r\n",
                "Transfer-Encoding: chunked\r\nContent-Length: " + length + "\r\n",
                "Transfer-Encoding: identity, chunked, gzip\r\n",
                "Transfer-Encoding: xchunked\r\n",
                "Content-Length: -1\r\n",
                "Content-Length: 1e3\r\n",
                "Content-Length: 99999999999999999999\r\n",
                "Content-Length : " + length + "\r\n",
                "X-Bare: a\rb\r\nContent-Length: " + length + "\r\n",
                "X-Null: a\0b\r\nContent-Length: " + length + "\r\n",
                "X-Folded: a\r\n b\r\nContent-Length: " + length + "\r\n",
                " X-Space: a\r\nContent-Length: " + length + "\r\n",
                "No colon\r\nContent-Length: " + length + "\r\n",
                ": no name\r\nContent-Length: " + length + "\r\n",
                "Host: y\r\nContent-Length: " + length + "\r\n",
                "X-Large: " + "y".repeat(10_000) + "\r\nContent-Length: " + length + "\r\n",
                "Transfer-Encoding: gzip, chunked\r\n",
                "Content-Encoding: gzip\r\nContent-Length: " + length + "\r\n",
                "Expect: 200-maybe\r\nContent-Length: " + length + "\r\n");
    }

    @ParameterizedTest
    @MethodSource("badFraming")
    void ambiguousOrMalformedHeadersAreRefused(String headers) throws IOException {
        String answer = exchange(publish(headers, BODY));
        assertThat(answer)
                .startsWith("HTTP/1.1 4")
                .contains("\"code\":\"")
                .doesNotContain("at io.");
        assertThat(answer.split("HTTP/1.1 ", -1)).as("one answer, not two").hasSize(2);
    }

    @Test
    void bareLineFeedsDoNotSmuggleARequest() throws IOException {
        String answer =
                exchange(
                        "GET /healthz HTTP/1.1\nHost: x\nConnection: close\n\nGET /metrics HTTP/1.1\n\n");
        assertThat(answer.split("HTTP/1.1 ", -1)).hasSizeLessThanOrEqualTo(2);
    }

    static List<String> badLines() {
        return List.of(
                "GET\r\n\r\n",
                "GET /v1/apps\r\n\r\n",
                "GET /v1/apps HTTP/3.7\r\n\r\n",
                "GET /v1/apps HTTP/1.1\r\n\r\n",
                "BREW /v1/apps HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "TRACE /v1/apps HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "CONNECT x:1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "GET /v1/%2e%2e/apps HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "GET /v1/devices/..%2f..%2fx HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "GET /v1/devices/%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "GET /v1/devices/%ff%fe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "GET /v1/devices/%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "GET /v1/devices/x;y=z HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "GET //v1//apps HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "GET http://other/v1/apps HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "GET /v1/messages?limit=%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "GET /" + "x".repeat(9_000) + " HTTP/1.1\r\nHost: x\r\n\r\n",
                "\0\0\0\0",
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                "\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003");
    }

    @ParameterizedTest
    @MethodSource("badLines")
    void badRequestLinesAndPathsAreRefused(String request) throws IOException {
        String answer = exchange(request);
        if (!answer.isEmpty()) {
            assertThat(answer).matches("(?s)HTTP/1.1 4.*");
            assertThat(answer)
                    .contains("\"code\":\"")
                    .doesNotContain("Jetty")
                    .doesNotContain("at io.");
        }
    }

    @Test
    void aMethodThatIsNotThereIsAnsweredWithThoseThatAre() throws IOException {
        assertThat(exchange("PUT /v1/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 405")
                .contains("Allow: POST, GET\r\n");
    }

    @Test
    void wrongContentTypesAreRefused() throws IOException {
        for (String type :
                List.of(
                        ";",
                        "text/plain",
                        "application/xml",
                        "",
                        "application/json; charset=utf-16",
                        "multipart/form-data; boundary=x")) {
            String request =
                    publish("Content-Length: " + BODY.length() + "\r\n", BODY)
                            .replace("Content-Type: application/json", "Content-Type: " + type);
            assertThat(exchange(request)).startsWith("HTTP/1.1 415").contains("request.not_json");
        }
    }

    @Test
    void onlyUtf8IsRead() throws IOException {
        byte[] utf16 = BODY.getBytes(StandardCharsets.UTF_16LE);
        String inLatin1 = new String(utf16, StandardCharsets.ISO_8859_1);
        String request = publish("Content-Length: " + utf16.length + "\r\n", inLatin1);
        assertThat(exchange(request)).startsWith("HTTP/1.1 400").contains("request.malformed");
        String bad = "{\"audience\":\"all\",\"data\":\"\u00ff\u00fe\"}";
        assertThat(exchange(publish("Content-Length: " + bad.length() + "\r\n", bad)))
                .startsWith("HTTP/1.1 400")
                .contains("request.malformed");
    }

    /** The parser lets them pass, each as three bytes; what would be stored is another text. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "POST /v1/messages | {\"audience\":\"all\",\"data\":\"?\"}",
                "POST /v1/messages | {\"audience\":\"all\",\"notification\":{\"title\":\"?\"}}",
                "POST /v1/messages/batch | {\"messages\":[{\"audience\":\"all\",\"data\":\"?\"}]}",
            })
    void surrogatesInUtf8AreRefused(String call) throws IOException {
        String[] parts = call.split(" \\| ");
        String body = parts[1].replace("?", "\u00ed\u00a0\u0080");
        String request = publish("Content-Length: " + body.length() + "\r\n", body);
        String answer = exchange(request.replace("POST /v1/messages", parts[0]));
        assertThat(answer).startsWith("HTTP/1.1 400 ");
        assertThat(app.call("GET", "/v1/messages", null).json().path("items").size()).isZero();
    }

    private void assertRefused(String body, int status, String code, String field) {
        Reply reply = app.call("POST", "/v1/messages", body).expect(status);
        assertThat(reply.code()).isEqualTo(code);
        assertThat(reply.text("field")).isEqualTo(field);
    }

    @Test
    void whoSendsTooMuchIsToldWhy() {
        String body = "x".repeat(6 << 20);
        for (int i = 0; i < 50; i++) {
            app.call("POST", "/v1/messages", body).expect(413);
        }
    }

    @Test
    void extremeValuesAreRefused() {
        String ids =
                IntStream.range(0, 1_001)
                        .mapToObj(i -> "\"d" + i + "\"")
                        .collect(Collectors.joining(","));
        assertRefused(
                "{\"audience\":{\"devices\":[" + ids + "]},\"data\":1}",
                400,
                "audience.too_large",
                "audience.devices");
        String million = "\"d\",".repeat(1_000_000);
        assertThat(
                        app.call(
                                        "POST",
                                        "/v1/messages",
                                        "{\"audience\":{\"devices\":["
                                                + million
                                                + "\"d\"]},\"data\":1}")
                                .expect(413)
                                .code())
                .isEqualTo("request.too_large");
        assertRefused(
                "{\"audience\":\"all\",\"data\":1,\"options\":{\"ttlSeconds\":-9223372036854775808}}",
                400,
                "request.invalid_value",
                "options.ttlSeconds");
        assertRefused(
                "{\"audience\":\"all\",\"data\":1,\"options\":{\"sendAt\":\"1970-01-01T00:00:00Z\"}}",
                400,
                "option.not_supported",
                "options.sendAt");
        assertRefused(
                "{\"audience\":\"all\",\"data\":" + "[".repeat(100_000),
                413,
                "request.too_large",
                "");
        assertRefused(
                "{\"audience\":\"all\",\"data\":" + "[".repeat(30_000),
                400,
                "request.malformed",
                "");
        assertRefused(
                "{\"audience\":\"all\",\"notification\":{\"title\":\"\\ud800\"}}",
                400,
                "request.invalid_value",
                "notification.title");
        assertRefused(
                "{\"audience\":{\"tags\":[\"\\udc00x\"]},\"data\":1}",
                400,
                "request.invalid_value",
                "audience.tags");
        assertRefused(
                "{\"audience\":{\"tags\":[\"a\\u0000b\"]},\"data\":1}",
                400,
                "request.invalid_value",
                "audience.tags");
        assertRefused(
                "{\"audience\":\"all\",\"data\":1,\"options\":{\"priority\":9007199254740993}}",
                400,
                "request.invalid_value",
                "options.priority");
        assertRefused(
                "{\"audience\":\"all\",\"data\":1" + "0".repeat(1_001) + "}",
                400,
                "request.malformed",
                "");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "limit=1000000000",
                "limit=501",
                "limit=0",
                "limit=-1",
                "limit=99999999999999999999",
                "limit=x",
                "cursor=x",
                "cursor=-1",
                "cursor=99999999999999999999",
            })
    void badPagesAreRefused(String query) {
        for (String path : List.of("/v1/messages", "/v1/devices")) {
            assertThat(app.call("GET", path + "?" + query, null).expect(400).code())
                    .isIn("page.too_large", "page.cursor_invalid", "request.invalid_value");
        }
    }

    @Test
    void whoIsNobodySendsLittle() {
        String large = "{\"name\":\"" + "x".repeat(9_000) + "\",\"password\":\"y\"}";
        for (String path : List.of("/v1/developers", "/v1/logins", "/v1/devices")) {
            assertThat(server.api.call("POST", path, null, large).expect(413).code())
                    .isEqualTo("request.too_large");
        }
    }

    @Test
    void aBodyInChunksIsLimitedToo() throws IOException {
        try (Socket socket = socket()) {
            socket.getOutputStream()
                    .write(
                            publish("Transfer-Encoding: chunked\r\n", "")
                                    .getBytes(StandardCharsets.ISO_8859_1));
            String chunk = "4000\r\n" + " ".repeat(0x4000) + "\r\n";
            try {
                for (int i = 0; i < 8; i++) {
                    socket.getOutputStream().write(chunk.getBytes(StandardCharsets.US_ASCII));
                }
            } catch (SocketException refusedAlready) {
                // The answer is there, or the assertion fails.
            }
            assertThat(readAll(socket)).startsWith("HTTP/1.1 413");
        }
    }

    @Test
    void aTokenInAUrlIsNoToken() throws IOException {
        String token = app.register("d");
        assertThat(
                        exchange(
                                "GET /v1/devices/d?token="
                                        + token
                                        + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 401");
        assertThat(logged.lines()).noneMatch(line -> line.contains(token));
    }

    @Test
    void malformedForeignAndExpiredTokensAnswerAlike() {
        String token = app.register("d");
        String other = server.app().register("d");
        server.clock.advance(Duration.ofDays(1));
        List<String> bodies =
                List.of(
                                "dt_",
                                "dt_!!!!",
                                "dt_" + "A".repeat(82),
                                token.substring(0, token.length() - 2),
                                token + "AA",
                                token.replace("dt_", "lt_"),
                                "dt_" + "x".repeat(5_000),
                                other.substring(0, 30) + token.substring(30))
                        .stream()
                        .map(wrong ->
                                server.api
                                        .call("GET", "/v1/devices/d", "Bearer " + wrong, null)
                                        .expect(401)
                                        .response()
                                        .body()
                                        .replaceAll("\"requestId\":\"[^\"]*\"", ""))
                        .toList();
        assertThat(bodies).allMatch(bodies.get(0)::equals);
        server.clock.advance(Duration.ofDays(30));
        assertThat(
                        server.api
                                .call("GET", "/v1/devices/d", "Bearer " + token, null)
                                .expect(401)
                                .response()
                                .body()
                                .replaceAll("\"requestId\":\"[^\"]*\"", ""))
                .isEqualTo(bodies.get(0));
    }

    /** Writes a byte at a time while the clock runs; answers whether the server ended it. */
    private boolean endsInTime(String begin, String rest, Duration step, int steps)
            throws IOException, InterruptedException {
        try (Socket socket = socket()) {
            socket.getOutputStream().write(begin.getBytes(StandardCharsets.ISO_8859_1));
            for (int i = 0; i < steps; i++) {
                // The server must have seen the byte before its clock moves on.
                app.call("GET", "/healthz", null);
                server.clock.advance(step);
                try {
                    socket.getOutputStream().write(rest.charAt(i));
                } catch (SocketException ended) {
                    return true;
                }
            }
            socket.setSoTimeout(8_000);
            return !readAll(socket).startsWith("HTTP/1.1 2");
        }
    }

    @Test
    void slowHeadersAreCutOff() throws Exception {
        assertThat(
                        endsInTime(
                                "GET /healthz HTTP/1.1\r\nX-Slow: ",
                                "aaaaaaaaaaaaaaaaa",
                                Duration.ofSeconds(2),
                                6))
                .isTrue();
    }

    @Test
    void aSlowBodyIsCutOff() throws Exception {
        assertThat(
                        endsInTime(
                                publish("Content-Length: 1000\r\n", "{"),
                                "                 ",
                                Duration.ofSeconds(11),
                                6))
                .isTrue();
    }

    @Test
    void whoIsNobodyHasTenSecondsForABody() throws Exception {
        try (Socket socket = socket()) {
            socket.getOutputStream()
                    .write(
                            ("POST /v1/logins HTTP/1.1\r\nHost: x\r\nContent-Type: application/json"
                                            + "\r\nContent-Length: 1000\r\n\r\n{")
                                    .getBytes(StandardCharsets.US_ASCII));
            // The reading may begin after the first step; the second is then too late for it.
            while (socket.getInputStream().available() == 0) {
                app.call("GET", "/healthz", null);
                server.clock.advance(Duration.ofSeconds(11));
                socket.getOutputStream().write(' ');
            }
            byte[] answer = socket.getInputStream().readNBytes(12);
            assertThat(new String(answer, StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 408");
        }
    }

    @Test
    void aConnectionThatSaysNothingIsCutOff() {
        try (Socket socket = socket()) {
            socket.setSoTimeout(2_500);
            // The server may have heard of it only after the first step; the second is too late.
            assertThat(stepsUntilCutOff(socket, Duration.ofSeconds(11))).isBetween(1, 2);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private int stepsUntilCutOff(Socket socket, Duration step) throws IOException {
        for (int steps = 1; steps <= 3; steps++) {
            app.call("GET", "/healthz", null);
            server.clock.advance(step);
            try {
                assertThat(socket.getInputStream().read()).isEqualTo(-1);
                return steps;
            } catch (SocketTimeoutException stillOpen) {
                // The next step.
            }
        }
        return 0;
    }

    @Test
    void aConnectionThatIsKeptBetweenRequestsMayRest() throws Exception {
        byte[] request =
                "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        try (Socket socket = socket()) {
            for (int i = 0; i < 3; i++) {
                socket.getOutputStream().write(request);
                byte[] answer = socket.getInputStream().readNBytes(15);
                assertThat(new String(answer, StandardCharsets.US_ASCII))
                        .isEqualTo("HTTP/1.1 200 OK");
                int end = 0;
                while (end != '}') {
                    end = socket.getInputStream().read();
                }
                try (Socket silent = socket()) {
                    app.call("GET", "/healthz", null);
                    server.clock.advance(Duration.ofSeconds(25));
                    assertThat(silent.getInputStream().read()).isEqualTo(-1);
                }
            }
        }
    }

    @Test
    void unknownHeadersAndMethodsOverrideNothing() {
        Reply reply =
                server.api.call(
                        "GET",
                        "/v1/apps",
                        null,
                        null,
                        "X-HTTP-Method-Override",
                        "DELETE",
                        "X-Original-URL",
                        "/healthz");
        assertThat(reply.status()).isEqualTo(401);
    }
}
