package io.postrider.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.postrider.backends.Redis;
import io.postrider.client.Gateway;
import io.postrider.client.GatewayPublisher;
import io.postrider.client.PublishRequest;
import io.postrider.protocol.CloseCode;
import io.postrider.protocol.v1.Push;
import io.postrider.protocol.v1.ServerFrame;
import io.postrider.protocol.v1.ServerFrame.FrameCase;
import io.postrider.server.TestApi;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.TestServer;
import io.postrider.server.WireDevice;
import io.postrider.server.store.Postgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Two real nodes on one PostgreSQL and one Redis. */
class ClusterTest {
    /** Of a hint, as the promise is. */
    private static final Duration SOON = Duration.ofSeconds(1);

    /** Of the sweep, as the promise is. */
    private static final Duration SWEPT = Duration.ofSeconds(10);

    @TempDir Path folder;
    private Redis redis;
    private TestServer one;
    private TestServer other;
    private AppHandle app;

    @BeforeEach
    void start() {
        redis = new Redis();
        one = node("one");
        other = node("other");
        app = one.app();
        await().until(() -> one.hasRedis() && other.hasRedis());
    }

    private TestServer node(String name) {
        return TestServer.start(folder.resolve(name), settings(name));
    }

    private Map<String, String> settings(String name) {
        return Map.of("store", Postgres.address(folder), "cluster", redis.uri(), "node", name);
    }

    @AfterEach
    void stop() {
        one.close();
        other.close();
        redis.close();
    }

    /** The app, as seen at the other node. */
    private AppHandle there() {
        return app.at(other.api);
    }

    private static WireDevice connect(TestServer node, String token) {
        return WireDevice.connected("tcp://" + node.node.gateway(), token);
    }

    /** The next frame of a kind, which must come soon. */
    private static ServerFrame soon(WireDevice device, FrameCase kind) {
        return within(SOON, device, kind);
    }

    private static ServerFrame within(Duration time, WireDevice device, FrameCase kind) {
        long start = System.nanoTime();
        ServerFrame frame = device.readUntil(kind);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(time);
        return frame;
    }

    @Test
    void g4WhatIsPublishedAtOneNodeComesAtOnceToDevicesOfAnother() {
        List<WireDevice> devices = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            String token = app.register("d" + i);
            devices.add(connect(i % 2 == 0 ? one : other, token));
        }
        String id = app.publish("\"all\"");
        for (WireDevice device : devices) {
            Push push = soon(device, FrameCase.PUSH).getPush();
            assertThat(push.getId()).isEqualTo(Long.parseLong(id));
            assertThat(push.getAttempt()).isZero();
            device.ack(push.getId());
        }
        await().until(() -> there().count(id, "delivered") == 12);
        devices.forEach(WireDevice::close);
    }

    @Test
    void g6MessagesOfTwoNodesComeInTheOrderOfTheirIds() {
        WireDevice device = connect(one, app.register("d"));
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            ids.add(Long.parseLong((i % 3 == 0 ? there() : app).publish("{\"devices\":[\"d\"]}")));
        }
        List<Long> got = new ArrayList<>();
        while (got.size() < ids.size()) {
            long id = soon(device, FrameCase.PUSH).getPush().getId();
            device.ack(id);
            got.add(id);
        }
        assertThat(ids).isSorted();
        assertThat(got).isEqualTo(ids);
        device.close();
    }

    @Test
    void aChangeAtOneNodeIsSeenByTheNextPublishAtAnother() {
        for (int i = 0; i < 20; i++) {
            app.register("d" + i, ",\"tags\":[\"t" + i + "\"]");
            assertThat(targeted(there(), "{\"tags\":[\"t" + i + "\"]}")).isOne();
        }
    }

    @Test
    void tagsUsersAndGroupsOfOneNodeAreFoundByTheNextPublishAtAnother() {
        app.register("d");
        for (int i = 0; i < 10; i++) {
            app.call(
                            "PATCH",
                            "/v1/devices/d",
                            "{\"tags\":[\"t%d\"],\"user\":\"u%d\"}".formatted(i, i))
                    .expect(200);
            app.call("PUT", "/v1/groups/g" + i + "/members/d", null).expect(204);
            for (String audience : List.of("tags\":[\"t", "users\":[\"u", "groups\":[\"g")) {
                assertThat(targeted(there(), "{\"" + audience + i + "\"]}")).isOne();
            }
        }
    }

    private static int targeted(AppHandle app, String audience) {
        return app.call(
                        "POST",
                        "/v1/messages",
                        "{\"audience\":" + audience + ",\"notification\":{\"title\":\"x\"}}")
                .expect(202)
                .json()
                .path("targeted")
                .asInt();
    }

    @Test
    void g11ADeviceThatComesToAnotherNodeIsClosedAtTheFirst() {
        String token = app.register("d");
        WireDevice first = connect(one, token);
        WireDevice second = connect(other, token);
        ServerFrame closed = soon(first, FrameCase.CLOSE);
        assertThat(closed.getClose().getCode()).isEqualTo(CloseCode.TAKEN_OVER.number());
        app.publish("\"all\"");
        assertThat(soon(second, FrameCase.PUSH).getPush().getAttempt()).isZero();
        first.close();
        WireDevice third = connect(one, token);
        soon(second, FrameCase.CLOSE);
        second.close();
        third.close();
    }

    @Test
    void g7AnAckAtOneNodeSettlesForDevicesAtAnother() {
        app.register("till1");
        String second = app.register("till2");
        for (String till : List.of("till1", "till2")) {
            app.call("PUT", "/v1/groups/shop/members/" + till, null);
        }
        WireDevice winner = connect(one, app.register("till1"));
        WireDevice loser = connect(other, second);
        String id = app.publish("{\"groups\":[\"shop\"]}", ",\"options\":{\"delivery\":\"any\"}");
        soon(loser, FrameCase.PUSH);
        soon(winner, FrameCase.PUSH);
        winner.ack(Long.parseLong(id));
        soon(winner, FrameCase.ACKED);
        assertThat(soon(loser, FrameCase.SETTLED).getSettled().getId())
                .isEqualTo(Long.parseLong(id));
        loser.ack(Long.parseLong(id));
        assertThat(soon(loser, FrameCase.ACKED).getAcked().getResults(0).getOutcome().name())
                .isEqualTo("ALREADY_SETTLED");
        winner.close();
        loser.close();
    }

    @Test
    void whoJoinsAGroupAtOneNodeIsPresentedWhatIsOpenAtAnother() {
        app.register("member");
        app.call("PUT", "/v1/groups/shop/members/member", null).expect(204);
        WireDevice device = connect(other, app.register("d"));
        String id = app.publish("{\"groups\":[\"shop\"]}", ",\"options\":{\"delivery\":\"any\"}");
        app.call("PUT", "/v1/groups/shop/members/d", null).expect(204);
        assertThat(soon(device, FrameCase.PUSH).getPush().getId()).isEqualTo(Long.parseLong(id));
        app.call("DELETE", "/v1/groups/shop/members/d", null).expect(204);
        assertThat(soon(device, FrameCase.RECALL).getRecall().getId())
                .isEqualTo(Long.parseLong(id));
        device.close();
    }

    @Test
    void aRecallAtOneNodeIsToldToDevicesOfAnother() {
        WireDevice device = connect(other, app.register("d"));
        String id = app.publish("\"all\"");
        soon(device, FrameCase.PUSH);
        app.call("DELETE", "/v1/messages/" + id, null);
        assertThat(soon(device, FrameCase.RECALL).getRecall().getId())
                .isEqualTo(Long.parseLong(id));
        device.close();
    }

    @Test
    void g13WhatIsRevokedAtOneNodeIsVoidAtAnother() {
        String token = app.register("d");
        WireDevice device = connect(other, token);
        app.call("POST", "/v1/devices/d/token/revoke", null).expect(204);
        assertThat(soon(device, FrameCase.CLOSE).getClose().getCode())
                .isEqualTo(CloseCode.TOKEN_REFUSED.number());
        other.api.call("GET", "/v1/devices/d", TestApi.bearer(token), null).expect(401);
        WireDevice again = new WireDevice("tcp://" + other.node.gateway());
        again.connect(token);
        assertThat(again.readClose()).isEqualTo(CloseCode.TOKEN_REFUSED.number());
        device.close();
    }

    @Test
    void g13AnAppsDeviceTokensThatAreVoidAtOneNodeAreVoidAtAnother() {
        WireDevice device = connect(other, app.register("d"));
        one.api
                .call(
                        "POST",
                        "/v1/apps/" + app.id() + "/device-tokens/revoke",
                        app.developer(),
                        null)
                .expect(204);
        assertThat(soon(device, FrameCase.CLOSE).getClose().getCode())
                .isEqualTo(CloseCode.TOKEN_REFUSED.number());
        connect(other, app.register("d")).close();
        device.close();
    }

    @Test
    void aNewAppWorksAtEveryNodeAtOnce() {
        for (int i = 0; i < 10; i++) {
            AppHandle made = (i % 2 == 0 ? one : other).app();
            TestServer elsewhere = i % 2 == 0 ? other : one;
            elsewhere.api.call("GET", "/v1/devices", made.credentials(), null).expect(200);
            AppHandle next = (i % 2 == 0 ? one : other).app();
            WireDevice server = appServer(elsewhere, next);
            server.ping();
            soon(server, FrameCase.READY);
            soon(server, FrameCase.PONG);
            server.close();
        }
    }

    private static WireDevice appServer(TestServer at, AppHandle app) {
        WireDevice server = new WireDevice("tcp://" + at.node.gateway());
        server.send(WireDevice.asAppServer(app.appKey(), app.masterSecret()));
        return server;
    }

    @Test
    void anUnknownTokenIsRefusedByEveryNode() {
        AppHandle made = one.app();
        String token = made.register("d");
        one.api.call("DELETE", "/v1/apps/" + made.id(), made.developer(), null).expect(204);
        for (TestServer node : List.of(one, other)) {
            WireDevice device = new WireDevice("tcp://" + node.node.gateway());
            device.connect(token);
            device.ping();
            assertThat(device.readClose()).isEqualTo(CloseCode.TOKEN_REFUSED.number());
        }
    }

    @Test
    void anOldSecretIsSoonVoidAtEveryNodeAndANewOneIsValidAtOnce() {
        JsonNode rotated =
                one.api
                        .call("POST", "/v1/apps/" + app.id() + "/secret", app.developer(), null)
                        .expect(200)
                        .json();
        String fresh = TestApi.basic(app.appKey(), rotated.path("masterSecret").asString());
        other.api.call("GET", "/v1/devices", fresh, null).expect(200);
        other.api.call("GET", "/v1/devices", app.credentials(), null).expect(401);
    }

    @Test
    void g12WithoutRedisEverythingComesWithTheSweep() {
        redis.stop();
        await().until(() -> !one.hasRedis() && !other.hasRedis());
        String token = app.register("d");
        WireDevice device = connect(other, token);
        String id = app.publish("\"all\"");
        assertThat(within(SWEPT, device, FrameCase.PUSH).getPush().getId())
                .isEqualTo(Long.parseLong(id));
        app.call("DELETE", "/v1/messages/" + id, null);
        within(SWEPT, device, FrameCase.RECALL);
        WireDevice elsewhere = connect(one, token);
        within(SWEPT, device, FrameCase.CLOSE);
        redis.start();
        await().atMost(Duration.ofSeconds(30)).until(() -> one.hasRedis() && other.hasRedis());
        there().publish("\"all\"");
        soon(elsewhere, FrameCase.PUSH);
        device.close();
        elsewhere.close();
    }

    @Test
    void aDeviceIsOnlineAtEveryNode() {
        WireDevice device = connect(one, app.register("d"));
        app.register("away");
        for (AppHandle at : List.of(app, there())) {
            await().until(() -> isOnline(at, "d"));
            assertThat(isOnline(at, "away")).isFalse();
            assertThat(
                            at.call(
                                            "POST",
                                            "/v1/messages/validate",
                                            "{\"audience\":\"all\",\"notification\":{\"title\":\"x\"}}")
                                    .expect(200)
                                    .json()
                                    .path("online")
                                    .asInt())
                    .isEqualTo(1);
        }
        device.close();
        await().until(() -> !isOnline(there(), "d"));
    }

    private static boolean isOnline(AppHandle at, String device) {
        return at.call("GET", "/v1/devices/" + device, null).json().path("online").asBoolean();
    }

    @Test
    void aTraceNamesTheNodeOfTheConnectionAndSaysElsewhereThatItMayMissSomething() {
        WireDevice device = connect(one, app.register("d"));
        String id = app.publish("{\"devices\":[\"d\"]}");
        device.ack(soon(device, FrameCase.PUSH).getPush().getId());
        soon(device, FrameCase.ACKED);
        assertThat(traced(app, id))
                .contains("one session_started", "one sent", "one acked")
                .endsWith("partial false");
        assertThat(traced(there(), id))
                .contains("one session_started", "other acked")
                .doesNotContain("one sent", "other sent")
                .endsWith("partial true");
        device.close();
    }

    private static List<String> traced(AppHandle at, String id) {
        JsonNode trace =
                at.call("GET", "/v1/messages/" + id + "/trace?device=d", null).expect(200).json();
        List<String> all = new ArrayList<>();
        trace.path("items")
                .forEach(item ->
                        all.add(
                                item.path("node").asString()
                                        + " "
                                        + item.path("event").asString()));
        all.add("partial " + trace.path("partial").asBoolean());
        return all;
    }

    @Test
    void aNodeThatStopsSendsItsDevicesToTheOthersInTheirOrder() {
        try (TestServer third = node("third")) {
            for (TestServer node : List.of(one, other, third)) {
                await().until(() -> nodes(node).equals(List.of("one", "other", "third")));
            }
            Map<WireDevice, List<String>> left = new HashMap<>();
            for (int i = 0; i < 8; i++) {
                List<String> order = addresses(gateways(one, "d" + i));
                order.removeIf(address -> address.contains(other.node.gateway()));
                left.put(connect(other, app.register("d" + i)), order);
            }
            assertThat(Set.copyOf(left.values())).hasSize(2);
            app.publish("\"all\"");
            left.keySet().forEach(begun -> soon(begun, FrameCase.PUSH));
            WireDevice server = appServer(other, app);
            Thread stopping = Thread.ofVirtual().start(other::close);
            assertThat(elsewhere(server)).hasSize(4);
            left.forEach((device, order) -> assertThat(elsewhere(device)).isEqualTo(order));
            await().until(() -> !stopping.isAlive());
            await().until(() -> nodes(one).equals(List.of("one", "third")));
            assertThat(gateways(one, "d0")).hasSize(4);
            left.keySet().forEach(WireDevice::close);
            server.close();
        }
        other = node("other");
    }

    private static List<String> elsewhere(WireDevice device) {
        return soon(device, FrameCase.GOAWAY).getGoaway().getGatewaysList();
    }

    private static List<String> addresses(JsonNode gateways) {
        List<String> addresses = new ArrayList<>();
        gateways.forEach(gateway -> addresses.add(gateway.path("address").asString()));
        return addresses;
    }

    @Test
    void aPublisherGoesOnAtAnotherNodeWhenItsOwnStops() throws Exception {
        app.register("d");
        await().until(() -> nodes(other).equals(List.of("one", "other")));
        try (GatewayPublisher publisher =
                GatewayPublisher.of(
                        Gateway.of("tcp://" + other.node.gateway()),
                        app.appKey(),
                        app.masterSecret())) {
            publisher.publish(PublishRequest.toAll().title("1"));
            other.close();
            assertThat(publisher.publish(PublishRequest.toAll().title("2")).targeted()).isOne();
        }
        other = node("other");
    }

    /** Devices go by addresses that may lead an app server nowhere. */
    @Test
    void aPublisherGoesBackToItsOwnGatewaysFromThoseThatItCannotReach() throws Exception {
        app.register("d");
        one.close();
        String nowhere = "tcp://127.0.0.1:" + Redis.freePort();
        Map<String, String> settings = new HashMap<>(settings("one"));
        settings.put("advertise", nowhere);
        one = TestServer.start(folder.resolve("one"), settings);
        await().until(() -> addresses(gateways(other, "d")).contains(nowhere));
        try (GatewayPublisher publisher =
                GatewayPublisher.of(
                                List.of(
                                        Gateway.of("tcp://" + other.node.gateway()),
                                        Gateway.of("tcp://" + one.node.gateway())),
                                app.appKey(),
                                app.masterSecret())
                        .withAttempts(1)) {
            publisher.publish(PublishRequest.toAll().title("1"));
            other.close();
            assertThat(publisher.publish(PublishRequest.toAll().title("2")).targeted()).isOne();
        }
        other = node("other");
    }

    @Test
    void nodesAndGatewaysAreListedInAnOrderOfTheDevicesOwn() {
        await().until(() -> nodes(one).equals(List.of("one", "other")));
        assertThat(nodes(other)).containsExactly("one", "other");
        for (int i = 0; i < 10; i++) {
            JsonNode here = gateways(one, "d" + i);
            assertThat(here).hasSize(4);
            assertThat(gateways(other, "d" + i)).isEqualTo(here);
        }
        one.api.call("GET", "/v1/gateways", null, null).expect(400);
        one.api.call("GET", "/v1/nodes", null, null).expect(401);
    }

    private List<String> nodes(TestServer at) {
        List<String> names = new ArrayList<>();
        at.api
                .call("GET", "/v1/nodes", app.developer(), null)
                .expect(200)
                .json()
                .path("nodes")
                .forEach(node -> names.add(node.path("node").asString()));
        return names;
    }

    private static JsonNode gateways(TestServer at, String device) {
        return at.api
                .call("GET", "/v1/gateways?device=" + device, null, null)
                .expect(200)
                .json()
                .path("gateways");
    }

    /** So that FLUSHALL, or another Redis in the place of this one, takes nothing away. */
    @Test
    void everyMetricIsDocumented() throws IOException {
        Pattern name = Pattern.compile("postrider_[a-z_]+");
        String scraped = one.api.call("GET", "/metrics", null, null).response().body();
        String table = Files.readString(Path.of("../docs/operations.md"));
        assertThat(named(name, table)).isEqualTo(named(name, scraped));
    }

    private static Set<String> named(Pattern pattern, String text) {
        return pattern.matcher(text)
                .results()
                .map(MatchResult::group)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void g12NothingIsKeptInRedis() {
        WireDevice device = connect(other, app.register("d"));
        app.publish("\"all\"");
        soon(device, FrameCase.PUSH);
        RedisClient client = RedisClient.create(redis.uri());
        try (StatefulRedisConnection<String, String> connection = client.connect()) {
            assertThat(connection.sync().dbsize()).isZero();
            connection.sync().flushall();
            app.publish("\"all\"");
            soon(device, FrameCase.PUSH);
        } finally {
            client.shutdown();
        }
        device.close();
    }
}
