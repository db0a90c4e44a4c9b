package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.protocol.CloseCode;
import io.postrider.protocol.v1.AckOutcome;
import io.postrider.protocol.v1.Push;
import io.postrider.protocol.v1.ServerFrame;
import io.postrider.protocol.v1.ServerFrame.FrameCase;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.delivery.Arrival;
import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.WakeUps;
import io.postrider.server.session.SessionLimits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a session promises, seen from a bare socket. */
class SessionTest {
    private static final String TO_D = "{\"devices\":[\"d\"]}";

    @TempDir Path data;

    private final AtomicBoolean hintsAreLost = new AtomicBoolean();
    private TestServer server;
    private AppHandle app;
    private String tcp;
    private String token;

    @BeforeEach
    void start() {
        server =
                TestServer.start(
                        data,
                        seams ->
                                new Postrider.Seams(
                                        seams.clock(),
                                        new SessionLimits(
                                                8,
                                                30_000,
                                                30_000,
                                                new long[] {10_000, 30_000, 90_000}),
                                        seams.writing(),
                                        seams.messages(),
                                        LossyHints::new,
                                        seams.tell()));
        app = server.app();
        tcp = app.gateway("tcp");
        token = app.register("d");
    }

    @AfterEach
    void stop() {
        server.close();
    }

    /** Loses hints of stored messages while the test says so. */
    private final class LossyHints implements WakeUps {
        private final WakeUps real;

        LossyHints(WakeUps real) {
            this.real = real;
        }

        @Override
        public void committed(
                long afterId, long upTo, List<Arrival> arrivals, List<Change> changes) {
            if (!hintsAreLost.get()) {
                real.committed(afterId, upTo, arrivals, changes);
            }
        }

        @Override
        public void changed(Change change) {
            real.changed(change);
        }
    }

    private WireDevice connect() {
        return WireDevice.connected(tcp, token);
    }

    private static long id(String id) {
        return Long.parseLong(id);
    }

    @Test
    void g4AMessageWhoseHintWasLostComesWithTheSweep() {
        try (WireDevice device = connect()) {
            hintsAreLost.set(true);
            String lost = app.publish(TO_D);
            hintsAreLost.set(false);
            assertThat(device.readPush().getId()).isEqualTo(id(lost));
        }
    }

    @Test
    void g6AMessageWhoseHintWasLostComesBeforeLaterOnes() {
        try (WireDevice device = connect()) {
            hintsAreLost.set(true);
            String lost = app.publish(TO_D);
            hintsAreLost.set(false);
            String fed = app.publish(TO_D);
            assertThat(device.readPush().getId()).isEqualTo(id(lost));
            assertThat(device.readPush().getId()).isEqualTo(id(fed));
        }
    }

    @Test
    void g5AnUnackedMessageComesAgainMarkedAfter10And30And90Seconds() {
        try (WireDevice device = connect()) {
            String id = app.publish(TO_D);
            assertThat(device.readPush().getAttempt()).isZero();
            int attempt = 2;
            for (int seconds : new int[] {10, 20, 60}) {
                device.ping();
                device.readUntil(FrameCase.PONG);
                advanceWithPings(device, seconds);
                Push again = device.readUntil(FrameCase.PUSH).getPush();
                assertThat(again.getId()).isEqualTo(id(id));
                assertThat(again.getAttempt()).isEqualTo(attempt++);
            }
            advanceWithPings(device, 200);
            assertThat(device.readAllNow()).isEmpty();
            assertThat(app.count(id, "pending")).isEqualTo(1);
            device.ack(id(id));
            assertThat(outcome(device, id(id))).isEqualTo(AckOutcome.RECORDED);
        }
    }

    /** Moves the clock in steps below a heartbeat, heard in between. */
    private void advanceWithPings(WireDevice device, int seconds) {
        for (int left = seconds; left > 0; left -= 20) {
            server.clock.advance(Duration.ofSeconds(Math.min(20, left)));
            device.ping();
        }
    }

    private static AckOutcome outcome(WireDevice device, long id) {
        return device.readUntil(FrameCase.ACKED).getAcked().getResultsList().stream()
                .filter(result -> result.getId() == id)
                .findFirst()
                .orElseThrow()
                .getOutcome();
    }

    @Test
    void anAckRestartsTheTimerOfTheOthers() {
        try (WireDevice device = connect()) {
            app.publish(TO_D);
            app.publish(TO_D);
            long first = device.readPush().getId();
            long second = device.readPush().getId();
            advanceWithPings(device, 9);
            device.ack(first);
            device.readUntil(FrameCase.ACKED);
            advanceWithPings(device, 8);
            assertThat(device.readAllNow()).noneMatch(ServerFrame::hasPush);
            advanceWithPings(device, 3);
            assertThat(device.readUntil(FrameCase.PUSH).getPush().getId()).isEqualTo(second);
        }
    }

    @Test
    void g9NoMoreThanTheWindowIsInFlightAndAcksOpenIt() {
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            ids.add(app.publish(TO_D));
        }
        try (WireDevice device = connect()) {
            List<Long> got = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                got.add(device.readPush().getId());
            }
            assertThat(device.readAllNow()).isEmpty();
            for (int i = 0; i < 20; i++) {
                device.ack(got.get(i));
                while (got.size() < Math.min(20, i + 2)) {
                    got.add(device.readUntil(FrameCase.PUSH).getPush().getId());
                }
            }
            assertThat(got).extracting(String::valueOf).isEqualTo(ids);
        }
    }

    @Test
    void messagesThatLeftTheWindowUnackedComeBackWithTheNextConnection() {
        try (WireDevice device = connect()) {
            app.publish(TO_D);
            device.readPush();
            for (int seconds : new int[] {10, 20, 60}) {
                advanceWithPings(device, seconds);
                device.readUntil(FrameCase.PUSH);
            }
            String later = app.publish(TO_D);
            assertThat(device.readUntil(FrameCase.PUSH).getPush().getId()).isEqualTo(id(later));
            device.ack(id(later));
            device.readUntil(FrameCase.ACKED);
        }
        await().until(() -> !isOnline());
        try (WireDevice device = connect()) {
            Push again = device.readPush();
            assertThat(again.getAttempt()).isEqualTo(2);
            assertThat(device.readAllNow()).isEmpty();
        }
    }

    private boolean isOnline() {
        return app.call("GET", "/v1/devices/d", null).json().path("online").asBoolean();
    }

    @Test
    void g5AfterACleanEndOnlyWhatWasPresentedIsMarked() {
        String seen;
        try (WireDevice device = connect()) {
            seen = app.publish(TO_D);
            device.readPush();
        }
        await().until(() -> !isOnline());
        String unseen = app.publish(TO_D);
        try (WireDevice device = connect()) {
            Push first = device.readPush();
            Push second = device.readPush();
            assertThat(first.getId()).isEqualTo(id(seen));
            assertThat(first.getAttempt()).isEqualTo(2);
            assertThat(second.getId()).isEqualTo(id(unseen));
            assertThat(second.getAttempt()).isZero();
        }
    }

    @Test
    void g11ANewerConnectionTakesOverAndTheOlderIsTold() {
        try (WireDevice older = connect()) {
            String before = app.publish(TO_D);
            older.readPush();
            try (WireDevice newer = connect()) {
                assertThat(older.readClose()).isEqualTo(CloseCode.TAKEN_OVER.number());
                Push again = newer.readPush();
                assertThat(again.getId()).isEqualTo(id(before));
                assertThat(again.getAttempt()).isEqualTo(2);
                String after = app.publish(TO_D);
                assertThat(newer.readPush().getId()).isEqualTo(id(after));
                assertThat(isOnline()).isTrue();
            }
        }
    }

    @Test
    void g11AHalfOpenPeerIsDroppedWithinOneAndAHalfHeartbeats() {
        try (WireDevice device = connect()) {
            server.clock.advance(Duration.ofSeconds(40));
            assertThat(isOnline()).isTrue();
            server.clock.advance(Duration.ofSeconds(5));
            await().atMost(Duration.ofSeconds(5)).until(() -> !isOnline());
            assertThat(device.readClose()).isEqualTo(CloseCode.HEARTBEAT_MISSED.number());
        }
    }

    @Test
    void aConnectionThatAnswersHeartbeatsStaysWithoutAcks() {
        try (WireDevice device = connect()) {
            app.publish(TO_D);
            device.readPush();
            for (int i = 0; i < 20; i++) {
                server.clock.advance(Duration.ofSeconds(25));
                device.ping();
                device.readUntil(FrameCase.PONG);
            }
            assertThat(isOnline()).isTrue();
        }
    }

    @Test
    void g8AnExpiredMessageIsNotSentAndItsAckIsToldSo() {
        String expired = app.publish(TO_D, ",\"options\":{\"ttlSeconds\":5}");
        server.clock.advance(Duration.ofSeconds(6));
        try (WireDevice device = connect()) {
            String live = app.publish(TO_D);
            assertThat(device.readPush().getId()).isEqualTo(id(live));
            device.ack(id(expired));
            assertThat(outcome(device, id(expired))).isEqualTo(AckOutcome.EXPIRED);
            assertThat(app.count(expired, "expired")).isEqualTo(1);
        }
    }

    @Test
    void aRecallIsToldToWhoHasItAtOnceAndToOthersWhenTheyConnect() {
        String other = app.register("e");
        try (WireDevice device = connect();
                WireDevice leaves = WireDevice.connected(tcp, other)) {
            String id = app.publish("\"all\"");
            device.readPush();
            leaves.readPush();
            leaves.disconnect();
            await().until(() ->
                    !app.call("GET", "/v1/devices/e", null).json().path("online").asBoolean());
            app.call("DELETE", "/v1/messages/" + id, null).expect(202);
            assertThat(device.read().getRecall().getId()).isEqualTo(id(id));
            try (WireDevice back = WireDevice.connected(tcp, other)) {
                assertThat(back.read().getRecall().getId()).isEqualTo(id(id));
                assertThat(back.readAllNow()).isEmpty();
            }
            device.ack(id(id));
            assertThat(outcome(device, id(id))).isEqualTo(AckOutcome.RECALLED);
        }
    }

    @Test
    void aRecallThatWentIntoADeadConnectionIsToldToTheNextOne() {
        try (WireDevice dead = connect()) {
            String id = app.publish(TO_D);
            dead.readPush();
            app.call("DELETE", "/v1/messages/" + id, null).expect(202);
            try (WireDevice next = connect()) {
                assertThat(next.read().getRecall().getId()).isEqualTo(id(id));
            }
        }
    }

    @Test
    void onlineMessagesAreForThoseWhoAreThere() {
        app.register("away");
        try (WireDevice device = connect()) {
            String id = app.publish("\"all\"", ",\"options\":{\"delivery\":\"online\"}");
            assertThat(device.readPush().getId()).isEqualTo(id(id));
            device.ack(id(id));
            device.readUntil(FrameCase.ACKED);
            try (WireDevice late = WireDevice.connected(tcp, app.register("away"))) {
                assertThat(late.readAllNow()).isEmpty();
            }
            server.clock.advance(Duration.ofSeconds(11));
            assertThat(app.count(id, "delivered")).isEqualTo(1);
            assertThat(app.count(id, "expired")).isEqualTo(1);
            assertThat(
                            app.call("GET", "/v1/messages/" + id + "/devices?state=expired", null)
                                    .json()
                                    .path("items")
                                    .path(0)
                                    .path("reason")
                                    .asString())
                    .isEqualTo("offline");
        }
    }

    @Test
    void aMessageWithoutAckSaysSoAndIsCountedAsWritten() {
        try (WireDevice device = connect()) {
            String id =
                    app.publish("\"all\"", ",\"options\":{\"delivery\":\"online\",\"ack\":false}");
            Push push = device.readPush();
            assertThat(push.hasAck()).isTrue();
            assertThat(push.getAck()).isFalse();
            await().until(() -> app.count(id, "written") == 1);
            server.clock.advance(Duration.ofSeconds(11));
            device.ping();
            assertThat(device.readAllNow()).noneMatch(ServerFrame::hasPush);
            assertThat(app.count(id, "expired")).isEqualTo(1);
        }
    }

    @Test
    void aDeletedDevicesConnectionEnds() {
        try (WireDevice device = connect()) {
            app.call("DELETE", "/v1/devices/d", null).expect(204);
            assertThat(device.readClose()).isEqualTo(CloseCode.TOKEN_REFUSED.number());
        }
        try (WireDevice again = new WireDevice(tcp)) {
            again.connect(token);
            again.readUntil(FrameCase.READY);
            assertThat(again.readClose()).isEqualTo(CloseCode.TOKEN_REFUSED.number());
        }
    }

    @Test
    void revokingAnAppsDeviceTokensEndsItsConnectionsOnly() {
        AppHandle other = server.app();
        try (WireDevice device = connect();
                WireDevice stays = WireDevice.connected(tcp, other.register("d"))) {
            server.api
                    .call(
                            "POST",
                            "/v1/apps/" + app.id() + "/device-tokens/revoke",
                            app.developer(),
                            null)
                    .expect(204);
            assertThat(device.readClose()).isEqualTo(CloseCode.TOKEN_REFUSED.number());
            assertThat(stays.readAllNow()).isEmpty();
            try (WireDevice again = new WireDevice(tcp)) {
                again.connect(token);
                assertThat(again.readClose()).isEqualTo(CloseCode.TOKEN_REFUSED.number());
            }
        }
    }

    @Test
    void stoppingTellsDevicesWhenToComeBackAndClosesThem() {
        try (WireDevice device = connect()) {
            Thread stopping = Thread.ofVirtual().start(() -> server.close());
            ServerFrame frame = device.readUntil(FrameCase.GOAWAY);
            assertThat(frame.getGoaway().getReason()).isEqualTo("shutdown");
            assertThat(frame.getGoaway().getReconnectAfterMs()).isPositive();
            assertThat(frame.getGoaway().getSpreadMs()).isPositive();
            assertThat(device.readClose()).isEqualTo(CloseCode.SHUTDOWN.number());
            stopping.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        start();
    }

    @Test
    void aTokenThatAgesIsRenewedInReady() {
        server.clock.advance(Duration.ofDays(20));
        try (WireDevice device = new WireDevice(tcp)) {
            device.connect(token);
            String renewed = device.read().getReady().getToken();
            assertThat(renewed).startsWith("dt_").isNotEqualTo(token);
            server.clock.advance(Duration.ofDays(20));
            try (WireDevice withOld = new WireDevice(tcp)) {
                withOld.connect(token);
                assertThat(withOld.readClose()).isEqualTo(CloseCode.TOKEN_REFUSED.number());
            }
            WireDevice.connected(tcp, renewed).close();
        }
    }

    @Test
    void theTraceTellsWhatHappened() {
        try (WireDevice device = connect()) {
            String id = app.publish(TO_D);
            device.readPush();
            device.ack(id(id));
            device.readUntil(FrameCase.ACKED);
            List<String> events = new ArrayList<>();
            app.call("GET", "/v1/messages/" + id + "/trace?device=d", null)
                    .expect(200)
                    .json()
                    .path("items")
                    .forEach(item -> events.add(item.path("event").asString()));
            assertThat(events)
                    .contains("accepted", "stored", "session_started", "woken", "sent", "acked");
        }
        await().until(() -> !isOnline());
        String missed = app.publish(TO_D);
        List<String> events = new ArrayList<>();
        app.call("GET", "/v1/messages/" + missed + "/trace?device=d", null)
                .expect(200)
                .json()
                .path("items")
                .forEach(item -> events.add(item.path("event").asString()));
        assertThat(events).containsExactly("accepted", "stored", "not_connected");
    }
}
