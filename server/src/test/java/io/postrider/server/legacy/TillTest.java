package io.postrider.server.legacy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.client.Publisher;
import io.postrider.client.ShopOrder;
import io.postrider.client.ShopOrder.Kind;
import io.postrider.client.ShopOrder.Receipt;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.TestApi.Reply;
import io.postrider.server.TestServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** The tills of twebsocketpush connect unchanged, and what its three rules say holds. */
class TillTest {
    @TempDir Path data;

    private TestServer server;
    private AppHandle app;

    @BeforeEach
    void start() {
        server = TestServer.start(data);
        app = server.app();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Reply token(String shop) {
        return app.call("POST", "/v1/tills/tokens", "{\"group\":\"" + shop + "\",\"staff\":\"s1\"}")
                .expect(201);
    }

    private Till till(String shop, String deviceId) {
        return Till.connect(token(shop).text("url"), deviceId);
    }

    private String order(String shop) {
        return app.publish(
                "{\"groups\":[\"" + shop + "\"]}", ",\"options\":{\"delivery\":\"any\"}");
    }

    private JsonNode message(String id) {
        return app.call("GET", "/v1/messages/" + id, null).expect(200).json();
    }

    private String winner(String id) {
        return message(id).path("settlements").path(0).path("winner").asString("");
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void rule1OrdersOfEveryKindComeAsTheTillKnowsThem(Kind kind) throws Exception {
        try (Till till = till("a", "t1")) {
            till.hasNothingMore();
            Publisher.of(server.node.http(), app.appKey(), app.masterSecret())
                    .publish(
                            new ShopOrder(kind, "26-001")
                                    .title("New order")
                                    .content("2 noodles")
                                    .receipt(Receipt.DELIVERY)
                                    .type(7)
                                    .priority(5)
                                    .to("a"));
            JsonNode order = till.readOrder();
            String id = order.path("message_id").stringValue();
            assertThat(order.toString())
                    .isEqualTo(
                            "{\"message_id\":\""
                                    + id
                                    + "\",\"title\":\"New order\",\"content\":\"2 noodles\","
                                    + "\"priority\":5,\"type\":7,\"group\":\""
                                    + kind.word()
                                    + "\",\"group_oid\":\"26-001\",\"receive_type\":2}");
        }
    }

    @Test
    void rule2AnyTillOfTheStoreSettlesForTheStoreAndNoOtherStoreSeesIt() {
        try (Till one = till("a", "t1");
                Till two = till("a", "t2");
                Till other = till("b", "t3")) {
            one.hasNothingMore();
            two.hasNothingMore();
            other.hasNothingMore();
            String id = order("a");
            assertThat(one.readOrder().path("message_id").asString()).isEqualTo(id);
            assertThat(two.readOrder().path("message_id").asString()).isEqualTo(id);
            assertThat(two.got("\"" + id + "\"").path("code").asInt(-9)).isZero();
            JsonNode late = one.got("\"" + id + "\"");
            assertThat(late.path("code").asInt(-9)).isZero();
            assertThat(late.path("msg").asString()).isEqualTo("already_settled");
            other.hasNothingMore();
            assertThat(other.got("\"" + id + "\"").path("code").asInt()).isEqualTo(-1);
            assertThat(winner(id)).isEqualTo("t2");
        }
        try (Till three = till("a", "t4")) {
            three.hasNothingMore();
        }
    }

    @Test
    void rule3WhatNobodyConfirmedWaitsForAnyTillFor30Minutes() {
        String first = order("a");
        String second = order("a");
        try (Till one = till("a", "t1")) {
            assertThat(one.readOffline()).containsExactly(first, second);
            one.got("\"" + first + "\"");
        }
        server.clock.advance(Duration.ofMinutes(29));
        try (Till two = till("a", "t2")) {
            assertThat(two.readOffline()).containsExactly(second);
        }
        server.clock.advance(Duration.ofSeconds(61));
        try (Till three = till("a", "t3")) {
            three.hasNothingMore();
            assertThat(three.got("\"" + second + "\"").path("msg").asString()).isEqualTo("expired");
            String third = order("a");
            assertThat(three.readOrder().path("message_id").asString()).isEqualTo(third);
        }
        assertThat(message(first).path("counts").path("delivered").asInt()).isEqualTo(1);
        assertThat(message(second).path("counts").path("expired").asInt()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"%s\"", "%s", "\"%s.0\"", "%s.0"})
    void anAckSettlesInEveryFormThatItsReaderMakesOfTheId(String form) {
        try (Till till = till("a", "t1")) {
            till.hasNothingMore();
            String id = order("a");
            assertThat(till.readOrder().path("message_id").isString()).isTrue();
            assertThat(till.got(form.formatted(id)).path("msg").asString()).isEqualTo("won");
            assertThat(winner(id)).isEqualTo("t1");
        }
    }

    @Test
    void aTillThatAcknowledgesEverythingTwiceIsToldTheSameTwice() {
        try (Till till = till("a", "t1")) {
            till.hasNothingMore();
            for (int i = 0; i < 20; i++) {
                String id = order("a");
                till.readOrder();
                long one = till.send("gotMessage", 4, "{\"message_id\":\"" + id + "\"}");
                long two = till.send("gotMessage", 4, "{\"message_id\":\"" + id + "\"}");
                assertThat(till.answerTo(one).path("msg").asString()).isEqualTo("won");
                assertThat(till.answerTo(two).path("msg").asString()).isEqualTo("won");
                assertThat(app.count(id, "delivered")).isEqualTo(1);
            }
        }
    }

    @Test
    void aTillThatComesWithAnotherShopsTokenHasMoved() {
        String inA = order("a");
        String inB = order("b");
        String ofA = token("a").text("url");
        try (Till till = Till.connect(ofA, "t1")) {
            assertThat(till.readOffline()).containsExactly(inA);
        }
        try (Till till = till("b", "t1")) {
            assertThat(till.readOffline()).containsExactly(inB);
            assertThat(till.got("\"" + inA + "\"").path("code").asInt()).isEqualTo(-1);
            order("a");
            till.hasNothingMore();
        }
        assertThat(app.call("GET", "/v1/groups/a", null).json().path("devices").size()).isZero();
        try (Till back = Till.connect(ofA, "t1")) {
            assertThat(back.readOffline()).hasSize(2).contains(inA);
        }
    }

    @Test
    void aRevokedTokenEndsItsTillsAndLetsNoneIn() {
        Reply token = token("a");
        try (Till till = Till.connect(token.text("url"), "t1")) {
            till.hasNothingMore();
            app.call(
                            "POST",
                            "/v1/tills/tokens/revoke",
                            "{\"token\":\"" + token.text("token") + "\"}")
                    .expect(204);
            assertThat(till.read("authException").path("code").asInt()).isEqualTo(-1);
            till.readClosed();
        }
        refused(token.text("url"), "t1", "authException");
        app.call("POST", "/v1/tills/tokens/revoke", "{\"group\":\"a\"}").expect(404);
    }

    @Test
    void anExpiredTokenNeitherSeesNorSettles() {
        Reply token =
                app.call("POST", "/v1/tills/tokens", "{\"group\":\"a\",\"ttlSeconds\":60}")
                        .expect(201);
        try (Till till = Till.connect(token.text("url"), "t1");
                Till other = till("a", "t2")) {
            till.hasNothingMore();
            other.hasNothingMore();
            String before = order("a");
            till.readOrder();
            other.readOrder();
            server.clock.advance(Duration.ofSeconds(60));
            order("a");
            other.readOrder();
            till.send("gotMessage", 4, "{\"message_id\":\"" + before + "\"}");
            till.read("authException");
            till.readClosed();
            assertThat(winner(before)).isEmpty();
        }
        refused(token.text("url"), "t1", "authException");
    }

    @Test
    void whoWasTakenOutOfTheShopIsNotLetInWithTheSameToken() {
        String url = token("a").text("url");
        try (Till till = Till.connect(url, "t1")) {
            till.hasNothingMore();
        }
        app.call("DELETE", "/v1/groups/a/members/t1", null).expect(204);
        refused(url, "t1", "authException");
        try (Till another = Till.connect(url, "t2")) {
            another.hasNothingMore();
        }
    }

    private static void refused(String url, String deviceId, String action) {
        try (Till till = Till.connect(url, deviceId)) {
            assertThat(till.read(action).path("code").asInt()).isEqualTo(-1);
            till.readClosed();
        }
    }

    @Test
    void whoHasNoTokenOrNoNameIsToldWhichAndClosed() {
        String url = token("a").text("url");
        String socket = url.substring(0, url.indexOf('?'));
        for (String query : List.of("", "?token=x", "?device_id=t1", "?token=&device_id=")) {
            try (Till till = Till.connectTo(socket + query)) {
                assertThat(till.read("paramException").path("code").asInt()).isEqualTo(-1);
                till.readClosed();
            }
        }
        refused(socket + "?token=nonsense", "t1", "authException");
        app.register("phone");
        refused(url, "phone", "authException");
    }

    @Test
    void framesThatMakeNoSenseAreAnsweredAndChangeNothing() {
        try (Till till = till("a", "t1")) {
            till.hasNothingMore();
            String id = order("a");
            till.readOrder();
            for (String bad : List.of("null", "\"\"", "-1", "1e3", "{}", "[1]", "true", "\"x\"")) {
                assertThat(till.got(bad).path("code").asInt()).as(bad).isEqualTo(-1);
            }
            assertThat(till.got("\"99999999999999999999\"").path("code").asInt()).isEqualTo(-1);
            assertThat(till.answerTo(till.send("gotMessage", 4, "")).path("code").asInt())
                    .isEqualTo(-1);
            assertThat(till.answerTo(till.send("dance", 9, "{}")).path("code").asInt())
                    .isEqualTo(-1);
            for (String known : List.of("login", "sync", "heartbeat")) {
                assertThat(till.answerTo(till.send(known, 1, "{}")).path("code").asInt(-9))
                        .isZero();
            }
            assertThat(app.count(id, "pending")).isEqualTo(1);
            till.sendRaw("no json");
            till.read("paramException");
            till.readClosed();
        }
    }

    @Test
    void aTillThatOnlyPingsIsToldThatItsTokenHasExpired() {
        Reply token =
                app.call("POST", "/v1/tills/tokens", "{\"group\":\"a\",\"ttlSeconds\":60}")
                        .expect(201);
        try (Till till = Till.connect(token.text("url"), "t1")) {
            till.hasNothingMore();
            server.clock.advance(Duration.ofSeconds(60));
            till.ping();
            till.read("authException");
            till.readClosed();
        }
    }

    @Test
    void heartbeatsKeepATillAndSilenceEndsIt() {
        try (Till till = till("a", "t1")) {
            till.hasNothingMore();
            server.clock.advance(Duration.ofSeconds(40));
            till.hasNothingMore();
            server.clock.advance(Duration.ofSeconds(40));
            till.hasNothingMore();
            server.clock.advance(Duration.ofSeconds(60));
            till.readClosed();
        }
        await().until(() ->
                !app.call("GET", "/v1/devices/t1", null).json().path("online").asBoolean());
    }

    @Test
    void moreThanAWindowOfOrdersComesInSeveralArrays() {
        int orders = 300;
        for (int i = 0; i < orders; i++) {
            order("a");
        }
        int arrays = 0;
        try (Till till = till("a", "t1")) {
            for (int won = 0; won < orders; ) {
                JsonNode frame = till.read();
                JsonNode resp = frame.path("resp");
                if (frame.path("action").asString().equals("offLineMessage")) {
                    arrays++;
                    resp.path("data")
                            .forEach(order ->
                                    till.send(
                                            "gotMessage",
                                            4,
                                            "{\"message_id\":" + order.path("message_id") + "}"));
                } else {
                    assertThat(resp.path("msg").asString()).isEqualTo("won");
                    won++;
                }
            }
            till.hasNothingMore();
        }
        assertThat(arrays).isGreaterThan(1);
    }
}
