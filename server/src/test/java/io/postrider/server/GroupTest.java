package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.protocol.v1.AckOutcome;
import io.postrider.protocol.v1.Push;
import io.postrider.protocol.v1.ServerFrame;
import io.postrider.protocol.v1.ServerFrame.FrameCase;
import io.postrider.server.TestApi.AppHandle;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** Groups over REST, and what their devices see of it on live connections. */
class GroupTest {
    private static final String TO_A = "{\"groups\":[\"a\"]}";
    private static final String ANY = ",\"options\":{\"delivery\":\"any\"}";

    @TempDir Path data;

    private TestServer server;
    private AppHandle app;
    private String tcp;

    @BeforeEach
    void start() {
        server = TestServer.start(data);
        app = server.app();
        tcp = app.gateway("tcp");
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private WireDevice member(String group, String deviceId) {
        WireDevice device = WireDevice.connected(tcp, app.register(deviceId));
        join(group, deviceId);
        return device;
    }

    private void join(String group, String deviceId) {
        app.call("PUT", "/v1/groups/" + group + "/members/" + deviceId, null).expect(204);
    }

    private static AckOutcome ack(WireDevice device, long id) {
        device.ack(id);
        return device.readUntil(FrameCase.ACKED).getAcked().getResults(0).getOutcome();
    }

    private JsonNode settlement(long id) {
        return app.call("GET", "/v1/messages/" + id, null)
                .expect(200)
                .json()
                .path("settlements")
                .path(0);
    }

    private long publish(String audience) {
        return Long.parseLong(app.publish(audience, ANY));
    }

    @Test
    void g7TheOthersAreToldAtOnceThatItIsSettled() {
        try (WireDevice one = member("a", "one");
                WireDevice two = member("a", "two")) {
            long id = publish(TO_A);
            assertThat(one.readPush().getId()).isEqualTo(id);
            assertThat(two.readPush().getId()).isEqualTo(id);
            assertThat(ack(one, id)).isEqualTo(AckOutcome.WON);
            assertThat(two.readUntil(FrameCase.SETTLED).getSettled().getId()).isEqualTo(id);
            assertThat(ack(two, id)).isEqualTo(AckOutcome.ALREADY_SETTLED);
            assertThat(ack(one, id)).isEqualTo(AckOutcome.WON);
            JsonNode settled = settlement(id);
            assertThat(settled.path("group").asString()).isEqualTo("a");
            assertThat(settled.path("state").asString()).isEqualTo("delivered");
            assertThat(settled.path("winner").asString()).isEqualTo("one");
            assertThat(settled.has("at")).isTrue();
            await().until(() -> settlement(id).path("presented").asInt() == 2);
            assertThat(app.states(Long.toString(id)))
                    .containsExactly("one=delivered", "two=settled_elsewhere");
        }
        try (WireDevice late = member("a", "late")) {
            assertThat(late.readAllNow()).isEmpty();
        }
    }

    @Test
    void aLiveConnectionSeesWhatIsOpenWhenItsDeviceJoins() {
        String token = app.register("late");
        try (WireDevice late = WireDevice.connected(tcp, token)) {
            long own = Long.parseLong(app.publish("{\"devices\":[\"late\"]}"));
            long first = publish(TO_A);
            long second = publish(TO_A);
            long other = Long.parseLong(app.publish("{\"devices\":[\"late\"]}"));
            assertThat(late.readPush().getId()).isEqualTo(own);
            assertThat(late.readPush().getId()).isEqualTo(other);
            join("a", "late");
            Push joined = late.readPush();
            assertThat(joined.getId()).isEqualTo(first);
            assertThat(late.readPush().getId()).isEqualTo(second);
            assertThat(late.readAllNow()).isEmpty();
            assertThat(ack(late, second)).isEqualTo(AckOutcome.WON);
        }
    }

    @Test
    void aLiveConnectionOfADeviceThatWasTakenOutNeitherSeesNorSettles() {
        try (WireDevice gone = member("a", "gone");
                WireDevice stays = member("a", "stays")) {
            long id = publish(TO_A);
            gone.readPush();
            app.call("DELETE", "/v1/groups/a/members/gone", null).expect(204);
            assertThat(gone.readUntil(FrameCase.RECALL).getRecall().getId()).isEqualTo(id);
            assertThat(ack(gone, id)).isEqualTo(AckOutcome.UNKNOWN);
            publish(TO_A);
            assertThat(gone.readAllNow()).isEmpty();
            assertThat(ack(stays, id)).isEqualTo(AckOutcome.WON);
        }
    }

    @Test
    void whoComesBackIsToldWhatOthersHaveSettled() {
        String token = app.register("away");
        join("a", "away");
        long id;
        try (WireDevice away = WireDevice.connected(tcp, token)) {
            id = publish(TO_A);
            away.readPush();
        }
        try (WireDevice other = member("a", "other")) {
            other.readPush();
            assertThat(ack(other, id)).isEqualTo(AckOutcome.WON);
        }
        try (WireDevice back = WireDevice.connected(tcp, token)) {
            assertThat(back.readUntil(FrameCase.SETTLED).getSettled().getId()).isEqualTo(id);
            assertThat(back.readAllNow()).extracting(ServerFrame::getFrameCase).isEmpty();
        }
    }

    @Test
    void eachToGroupsIsForThoseWhoAreMembersWhenItIsPublished() {
        app.register("one");
        app.register("two", ",\"user\":\"ann\"");
        app.register("late");
        join("a", "one");
        app.call("PUT", "/v1/groups/b", "{\"users\":[\"ann\"],\"devices\":[\"one\"]}").expect(200);
        String id = app.publish("{\"groups\":[\"a\",\"b\",\"nobody\"]}");
        join("a", "late");
        assertThat(app.states(id)).containsExactly("one=queued", "two=queued");
        String narrowed = app.publish("{\"groups\":[\"b\"],\"users\":[\"ann\"]}");
        assertThat(app.states(narrowed)).containsExactly("two=queued");
        app.call("PATCH", "/v1/devices/two", "{\"user\":\"bob\"}").expect(200);
        assertThat(app.states(id)).containsExactly("one=queued", "two=failed");
    }

    @Test
    void targetedCountsTheGroupsThatAreNamed() {
        app.register("one");
        join("a", "one");
        String body = "{\"audience\":{\"groups\":[\"a\",\"b\",\"a\"]},\"data\":1" + ANY + "}";
        JsonNode reach = app.call("POST", "/v1/messages/validate", body).expect(200).json();
        assertThat(reach.path("targeted").asInt()).isEqualTo(2);
        assertThat(reach.path("online").asInt()).isZero();
        JsonNode accepted = app.call("POST", "/v1/messages", body).expect(202).json();
        assertThat(accepted.path("targeted").asInt()).isEqualTo(2);
        JsonNode message =
                app.call("GET", "/v1/messages/" + accepted.path("id").asString(), null).json();
        assertThat(message.path("counts").path("pending").asInt()).isEqualTo(2);
        assertThat(message.path("options").path("ttlSeconds").asInt()).isEqualTo(1_800);
        assertThat(message.path("state").asString()).isEqualTo("queued");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"devices\":[\"nobody\"]}|device.unknown",
                "{}|request.missing_value",
                "{\"devices\":null}|request.missing_value",
                "{\"devices\":[\"\"]}|request.invalid_value",
                "{\"devices\":[null]}|request.missing_value",
                "{\"users\":[\"a\\u0000b\"]}|request.invalid_value",
                "{\"members\":[]}|request.unknown_field",
                "{\"devices\":\"one\"}|request.invalid_value",
                "[]|request.malformed"
            })
    void whatIsNoListOfMembersIsRefusedAndChangesNothing(String body, String code) {
        app.register("one");
        join("a", "one");
        assertThat(app.call("PUT", "/v1/groups/a", body).expect(400).code()).isEqualTo(code);
        JsonNode group = app.call("GET", "/v1/groups/a", null).expect(200).json();
        assertThat(group.path("devices").toString()).isEqualTo("[\"one\"]");
    }

    @Test
    void whatDoesNotExistIsNotFound() {
        app.register("one");
        join("a", "one");
        for (String path : List.of("/v1/groups/b/members/one", "/v1/groups/a/members/two")) {
            assertThat(app.call("DELETE", path, null).status()).isEqualTo(404);
        }
        app.call("PUT", "/v1/groups/a/members/two", null).expect(404);
        app.call("GET", "/v1/groups/b", null).expect(404);
        AppHandle other = server.app();
        other.call("GET", "/v1/groups/a", null).expect(404);
        other.call("PUT", "/v1/groups/a/members/one", null).expect(404);
        other.call("DELETE", "/v1/groups/a/members/one", null).expect(404);
    }

    @Test
    void membersComeInPages() {
        for (String name : List.of("d1", "d2", "d3")) {
            app.register(name);
        }
        app.call(
                        "PUT",
                        "/v1/groups/a",
                        "{\"devices\":[\"d1\",\"d2\",\"d3\"],\"users\":[\"ann\",\"bob\"]}")
                .expect(200);
        StringBuilder all = new StringBuilder();
        String cursor = "";
        do {
            JsonNode page =
                    app.call("GET", "/v1/groups/a?limit=2" + cursor, null).expect(200).json();
            page.path("devices").forEach(name -> all.append(name.asString()).append(' '));
            page.path("users").forEach(name -> all.append(name.asString()).append(' '));
            cursor = page.has("nextCursor") ? "&cursor=" + page.path("nextCursor").asString() : "";
        } while (!cursor.isEmpty());
        assertThat(all.toString().trim()).isEqualTo("d1 d2 d3 ann bob");
        for (String bad : List.of("x", "%F0", "4444", "")) {
            assertThat(app.call("GET", "/v1/groups/a?cursor=" + bad, null).code())
                    .isEqualTo("page.cursor_invalid");
        }
    }

    @Test
    void firstAckSettlesNeedsGroups() {
        String body = "{\"audience\":\"all\",\"data\":1" + ANY + "}";
        assertThat(app.call("POST", "/v1/messages", body).expect(400).code())
                .isEqualTo("request.missing_value");
        String empty = "{\"audience\":{\"groups\":[]},\"data\":1" + ANY + "}";
        assertThat(app.call("POST", "/v1/messages", empty).expect(400).code())
                .isEqualTo("audience.empty");
        String noAck =
                "{\"audience\":{\"groups\":[\"a\"]},\"data\":1,"
                        + "\"options\":{\"delivery\":\"any\",\"ack\":false}}";
        assertThat(app.call("POST", "/v1/messages", noAck).expect(400).code())
                .isEqualTo("request.invalid_value");
    }
}
