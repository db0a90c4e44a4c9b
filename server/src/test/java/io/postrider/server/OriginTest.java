package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.neovisionaries.ws.client.WebSocket;
import com.neovisionaries.ws.client.WebSocketAdapter;
import com.neovisionaries.ws.client.WebSocketFactory;
import com.neovisionaries.ws.client.WebSocketFrame;
import io.postrider.protocol.CloseCode;
import io.postrider.protocol.Protocol;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.TestApi.Reply;
import io.postrider.server.api.Route;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which pages of browsers may be devices. */
class OriginTest {
    private static final String SHOP = "https://shop.example";
    private static final String EVIL = "https://evil.example";
    private static final String ALLOW = "Access-Control-Allow-Origin";

    @TempDir Path data;

    private TestServer server;
    private AppHandle app;

    @BeforeEach
    void start() {
        server = TestServer.start(data);
        app = server.app();
        allow("[\"" + SHOP + "\"]");
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private void allow(String origins) {
        server.api
                .call(
                        "PATCH",
                        "/v1/apps/" + app.id(),
                        app.developer(),
                        "{\"allowedOrigins\":" + origins + "}")
                .expect(200);
    }

    private Reply register(String origin) {
        return server.api.call(
                "POST",
                "/v1/devices",
                null,
                "{\"appKey\":\"" + app.appKey() + "\",\"platform\":\"web\"}",
                "Origin",
                origin);
    }

    private static @Nullable String allowed(Reply reply) {
        return reply.response().headers().firstValue(ALLOW).orElse(null);
    }

    @Test
    void aPageOfAnAllowedOriginRegistersAndReadsTheAnswer() {
        assertThat(allowed(register(SHOP).expect(201))).isEqualTo(SHOP);
        Reply refused = register(EVIL).expect(403);
        assertThat(refused.code()).isEqualTo("origin.refused");
        assertThat(allowed(refused)).isNull();
        assertThat(app.call("GET", "/v1/devices", null).json().path("items")).hasSize(1);
    }

    @Test
    void refusalsCanBeReadByAllowedPagesToo() {
        Reply wrong =
                server.api.call("POST", "/v1/devices", null, "{}", "Origin", SHOP).expect(400);
        assertThat(allowed(wrong)).isEqualTo(SHOP);
    }

    @Test
    void noneAreAllowedAtFirstAndAStarIsEveryOne() {
        allow("[]");
        register(SHOP).expect(403);
        allow("[\"*\"]");
        assertThat(allowed(register(EVIL).expect(201))).isEqualTo(EVIL);
    }

    @Test
    void anotherAppsOriginIsNotThisOnes() {
        AppHandle other = server.app();
        server.api
                .call(
                        "PATCH",
                        "/v1/apps/" + other.id(),
                        other.developer(),
                        "{\"allowedOrigins\":[\"" + EVIL + "\"]}")
                .expect(200);
        assertThat(register(EVIL).expect(403).code()).isEqualTo("origin.refused");
    }

    private String preflight(String path, String origin) throws IOException {
        try (Socket socket =
                new Socket(
                        InetAddress.getLoopbackAddress(),
                        URI.create(server.node.http()).getPort())) {
            socket.getOutputStream()
                    .write(
                            ("OPTIONS "
                                            + path
                                            + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nOrigin: "
                                            + origin
                                            + "\r\nAccess-Control-Request-Method: POST\r\n\r\n")
                                    .getBytes(StandardCharsets.US_ASCII));
            return new BufferedReader(
                            new InputStreamReader(
                                    socket.getInputStream(), StandardCharsets.ISO_8859_1))
                    .lines()
                    .collect(Collectors.joining("\n"));
        }
    }

    @Test
    void thePreflightIsAnsweredForRegistrationAndForNoOtherRoute() throws IOException {
        assertThat(preflight("/v1/devices", SHOP))
                .startsWith("HTTP/1.1 204")
                .contains(ALLOW + ": " + SHOP)
                .contains("Access-Control-Allow-Methods: POST");
        assertThat(preflight("/v1/devices", EVIL)).doesNotContain("Access-Control");
        for (Route route : server.node.routes()) {
            if (!route.path().equals("/v1/devices")) {
                assertThat(preflight(route.path().replaceAll("\\{[^}]+}", "1"), SHOP))
                        .as(route.path())
                        .doesNotContain("Access-Control");
            }
        }
    }

    @Test
    void noOtherRouteAnswersCors() {
        for (Route route : server.node.routes()) {
            if (route.path().equals("/v1/devices") && route.method().name().equals("POST")) {
                continue;
            }
            Reply reply =
                    server.api.call(
                            route.method().name(),
                            route.path().replaceAll("\\{[^}]+}", "1"),
                            app.credentials(),
                            route.method().name().matches("POST|PATCH") ? "{}" : null,
                            "Origin",
                            SHOP);
            assertThat(allowed(reply)).as(route.path()).isNull();
        }
    }

    /** The frames and the close code of a page that connects. */
    private int connect(@Nullable String origin, String connect) throws Exception {
        CompletableFuture<Integer> end = new CompletableFuture<>();
        WebSocket socket = new WebSocketFactory().createSocket(app.gateway("ws"));
        socket.addProtocol(Protocol.JSON_SUBPROTOCOL);
        if (origin != null) {
            socket.addHeader("Origin", origin);
        }
        socket.addListener(
                new WebSocketAdapter() {
                    @Override
                    public void onTextMessage(WebSocket from, String text) {
                        if (text.startsWith("{\"ready\"")) {
                            end.complete(0);
                        }
                    }

                    @Override
                    public void onDisconnected(
                            WebSocket from,
                            @Nullable WebSocketFrame theirs,
                            @Nullable WebSocketFrame ours,
                            boolean byServer) {
                        end.complete(theirs == null ? -1 : theirs.getCloseCode());
                    }
                });
        socket.connect();
        socket.sendText(connect);
        try {
            return end.get(10, TimeUnit.SECONDS);
        } finally {
            socket.disconnect();
        }
    }

    @Test
    void theGatewayLetsInPagesOfAllowedOriginsOnly() throws Exception {
        String connect = "{\"connect\":{\"token\":\"" + app.register("d") + "\"}}";
        assertThat(connect(SHOP, connect)).isZero();
        assertThat(connect(null, connect)).isZero();
        assertThat(connect(EVIL, connect)).isEqualTo(CloseCode.ORIGIN_REFUSED.number());
        assertThat(connect("null", connect)).isEqualTo(CloseCode.ORIGIN_REFUSED.number());
    }

    @Test
    void aPageWithAMasterSecretIsRefused() {
        app.call("GET", "/v1/messages", null, "Origin", SHOP).expect(401);
        app.call("POST", "/v1/messages", "{\"audience\":\"all\",\"data\":1}", "Origin", SHOP)
                .expect(401);
        app.call(
                        "POST",
                        "/v1/devices",
                        "{\"appKey\":\"" + app.appKey() + "\",\"platform\":\"web\"}",
                        "Origin",
                        SHOP)
                .expect(401);
    }

    @Test
    void aPageIsNeverAnAppServer() throws Exception {
        String connect =
                "{\"connect\":{\"sdk\":\"x\",\"app\":{\"appKey\":\""
                        + app.appKey()
                        + "\",\"masterSecret\":\""
                        + app.masterSecret()
                        + "\"}}}";
        assertThat(connect(null, connect)).isZero();
        assertThat(connect(SHOP, connect)).isEqualTo(CloseCode.CREDENTIALS_REFUSED.number());
    }
}
