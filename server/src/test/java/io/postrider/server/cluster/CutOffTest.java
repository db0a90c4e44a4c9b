package io.postrider.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.backends.Redis;
import io.postrider.protocol.CloseCode;
import io.postrider.protocol.v1.GoAway;
import io.postrider.protocol.v1.ServerFrame.FrameCase;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.TestServer;
import io.postrider.server.WireDevice;
import io.postrider.server.faults.FaultProxy;
import io.postrider.server.store.Postgres;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two nodes, one of which reaches PostgreSQL or Redis no more, while the other does. */
class CutOffTest {
    private static final Duration LONGEST =
            Duration.ofMillis(Lease.MILLIS + 2 * Lease.RENEW_MILLIS);

    /** The node looks twice meanwhile. */
    private static final Duration TURNS = Duration.ofMillis(2 * Lease.RENEW_MILLIS);

    /** Without Redis what others stored is found by then (G4). */
    private static final Duration SWEPT = Duration.ofSeconds(10);

    @TempDir Path folder;
    private Redis redis;
    private FaultProxy toPostgres;
    private FaultProxy toRedis;
    private TestServer well;
    private TestServer ill;
    private AppHandle app;

    @BeforeEach
    void start() throws IOException {
        redis = new Redis();
        toPostgres = new FaultProxy(Postgres.address(folder));
        toRedis = new FaultProxy(redis.uri());
        well = node("well", Postgres.address(folder), redis.uri());
        ill =
                node(
                        "ill",
                        toPostgres.address(Postgres.address(folder)),
                        toRedis.address(redis.uri()));
        app = well.app();
        await().until(() -> well.hasRedis() && ill.hasRedis());
    }

    private TestServer node(String name, String store, String cluster) {
        return TestServer.start(
                folder.resolve(name), Map.of("store", store, "cluster", cluster, "node", name));
    }

    @AfterEach
    void stop() throws IOException {
        toPostgres.swallow(false);
        toPostgres.reset();
        ill.close();
        well.close();
        toPostgres.close();
        toRedis.close();
        redis.close();
    }

    @Test
    void whoIsCutOffFromTheStoreSendsItsDevicesToThoseWhoAreNot() {
        String token = app.register("d");
        try (WireDevice device = WireDevice.connected("tcp://" + ill.node.gateway(), token)) {
            toPostgres.swallow(true);
            String missed = app.publish("\"all\"");
            ill.clock.advance(LONGEST);
            // A hint that comes after the lease has ended.
            app.publish("\"all\"");
            GoAway goAway = device.readUntil(FrameCase.GOAWAY).getGoaway();
            assertThat(goAway.getGatewaysList()).contains("tcp://" + well.node.gateway());
            assertThat(device.readClose()).isEqualTo(CloseCode.SHUTDOWN.number());
            try (WireDevice back = WireDevice.connected("tcp://" + well.node.gateway(), token)) {
                assertThat(back.readUntil(FrameCase.PUSH).getPush().getId())
                        .isEqualTo(Long.parseLong(missed));
            }
        }
    }

    /** While the store is gone for all, going elsewhere would help nobody. */
    @Test
    void whoOnlyHasNoLeaseKeepsItsDevices() throws Exception {
        String token = app.register("d");
        try (WireDevice device = WireDevice.connected("tcp://" + ill.node.gateway(), token)) {
            toPostgres.swallow(true);
            ill.clock.advance(LONGEST);
            assertThat(unready(ill)).isEqualTo("lease_lost");
            assertThat(gauges(ill)).contains("store_working 1.0", "lease_held 0.0");
            await().during(TURNS).until(() -> device.readAllNow().isEmpty());
            toPostgres.swallow(false);
            toPostgres.reset();
            // Others may be faster to find it back, and their hints say so.
            long first = Long.parseLong(app.publish("\"all\""));
            assertThat(device.read().getPush().getId()).isEqualTo(first);
            await().atMost(Duration.ofMinutes(1))
                    .until(() -> ill.api.call("GET", "/readyz", null, null).status() == 200);
            assertThat(gauges(ill)).contains("store_working 1.0", "lease_held 1.0");
            String id = app.publish("\"all\"");
            assertThat(device.readUntil(FrameCase.PUSH).getPush().getId())
                    .isEqualTo(Long.parseLong(id));
        }
    }

    /**
     * It may read what others store, and does not know whether its devices are elsewhere by now.
     */
    @Test
    void g11WhoHasNoLeasePresentsNothing() throws Exception {
        String token = app.register("d");
        try (WireDevice device = WireDevice.connected("tcp://" + ill.node.gateway(), token)) {
            app.publish("\"all\"");
            device.ack(device.readPush().getId());
            toRedis.swallow(true);
            String id = app.publish("\"all\"");
            try (Connection holding = Postgres.holdingUp(folder)) {
                ill.clock.advance(LONGEST);
                await().atMost(SWEPT).until(() -> trace(ill, id).contains("woken"));
                assertThat(device.readAllNow())
                        .noneMatch(frame -> frame.getFrameCase() == FrameCase.PUSH);
                holding.rollback();
            }
            assertThat(device.readUntil(FrameCase.PUSH).getPush().getId())
                    .isEqualTo(Long.parseLong(id));
        }
    }

    private String trace(TestServer node, String id) {
        return app.at(node.api)
                .call("GET", "/v1/messages/" + id + "/trace?device=d", null)
                .response()
                .body();
    }

    /** Who publishes is told at once, and not when the connection is known to be dead. */
    @Test
    void g10PublishesAreRefusedEarlyWhileTheStoreIsSilentAndSaidToBeTakenAgain() throws Exception {
        app.register("d");
        AppHandle there = app.at(ill.api);
        await().until(() -> publish(there) == 202);
        toPostgres.swallow(true);
        CompletableFuture<Integer> first = CompletableFuture.supplyAsync(() -> publish(there));
        await().until(() -> publishesWithin(Duration.ofMillis(500), there) == 503);
        toPostgres.reset();
        assertThat(first.get(20, TimeUnit.SECONDS)).isEqualTo(503);
        await().until(() -> unready(ill).equals("database_failing"));
        assertThat(gauges(ill)).contains("store_working 0.0");
        toPostgres.swallow(false);
        toPostgres.reset();
        await().atMost(Duration.ofMinutes(1)).until(() -> publish(there) == 202);
        assertThat(gauges(ill)).contains("store_working 1.0");
    }

    private static int publish(AppHandle app) {
        return app.call(
                        "POST",
                        "/v1/messages",
                        "{\"audience\":\"all\",\"notification\":{\"title\":\"x\"}}")
                .status();
    }

    /** Its status; 0 if it took longer. */
    private static int publishesWithin(Duration time, AppHandle app) {
        return CompletableFuture.supplyAsync(() -> publish(app))
                .completeOnTimeout(0, time.toMillis(), TimeUnit.MILLISECONDS)
                .join();
    }

    private static String unready(TestServer node) {
        return node.api
                .call("GET", "/readyz", null, null)
                .expect(503)
                .json()
                .path("status")
                .asString();
    }

    private static String gauges(TestServer node) {
        return node.api.call("GET", "/metrics", null, null).response().body();
    }

    @Test
    void g12WhoIsCutOffFromRedisIsLaterAndMissesNothing() {
        String token = app.register("d");
        try (WireDevice device = WireDevice.connected("tcp://" + ill.node.gateway(), token)) {
            toRedis.swallow(true);
            for (int i = 0; i < 2; i++) {
                long id = Long.parseLong(app.publish("\"all\""));
                assertThat(device.readUntil(FrameCase.PUSH).getPush().getId()).isEqualTo(id);
                device.ack(id);
            }
        }
    }

    @Test
    void whoIsCutOffFromRedisKnowsRevokedTokensWithinFiveSeconds() throws Exception {
        String token = app.register("d");
        try (WireDevice device = WireDevice.connected("tcp://" + ill.node.gateway(), token)) {
            toRedis.swallow(true);
            app.call("POST", "/v1/devices/d/token/revoke", null).expect(204);
            assertThat(CompletableFuture.supplyAsync(device::readClose).get(5, TimeUnit.SECONDS))
                    .isEqualTo(CloseCode.TOKEN_REFUSED.number());
        }
    }

    @Test
    void overSlowLinksEverythingTakesLongerAndNothingElse() {
        List<WireDevice> devices = new ArrayList<>();
        for (TestServer node : List.of(ill, well)) {
            String token = app.register("d" + devices.size());
            devices.add(WireDevice.connected("tcp://" + node.node.gateway(), token));
        }
        toPostgres.delay(15, 15);
        toRedis.delay(100, 100);
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            ids.add(Long.parseLong((i % 2 == 0 ? app : app.at(ill.api)).publish("\"all\"")));
        }
        assertThat(ids).isSorted();
        for (WireDevice device : devices) {
            for (long id : ids) {
                assertThat(device.readUntil(FrameCase.PUSH).getPush().getId()).isEqualTo(id);
                device.ack(id);
            }
        }
        for (long id : ids) {
            await().until(() -> app.count(Long.toString(id), "delivered") == 2);
        }
        devices.forEach(WireDevice::close);
    }
}
