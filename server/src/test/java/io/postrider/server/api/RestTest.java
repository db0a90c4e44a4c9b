package io.postrider.server.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.TestApi.Reply;
import io.postrider.server.TestServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** REST, as a caller meets it. */
class RestTest {
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

    private Reply publish(String body, String... headers) {
        return app.call("POST", "/v1/messages", body, headers);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\u0001',
            value = {
                "{}                                                          | request.missing_value | audience",
                "                                                            | request.malformed | ",
                "[]                                                          | request.malformed | ",
                "null                                                        | request.malformed | ",
                "{                                                           | request.malformed | ",
                "{} {}                                                       | request.malformed | ",
                "{'audience':'all','audience':'all','data':1}                | request.malformed | ",
                "{'audience':'all'}                                          | message.empty | ",
                "{'audience':'all','notification':{}}                        | message.empty | notification",
                "{'audience':'all','notification':{'url':'x'}}               | message.empty | notification",
                "{'audience':'everyone','data':1}                            | request.invalid_value | audience",
                "{'audience':7,'data':1}                                     | request.invalid_value | audience",
                "{'audience':{},'data':1}                                    | audience.empty | audience",
                "{'audience':{'tags':[]},'data':1}                           | audience.empty | audience.tags",
                "{'audience':{'devices':[]},'data':1}                        | audience.empty | audience.devices",
                "{'audience':'all','platform':[],'data':1}                   | audience.empty | platform",
                "{'audience':'all','platform':['amiga'],'data':1}            | request.invalid_value | platform",
                "{'audience':{'groups':[]},'data':1}                         | audience.empty | audience.groups",
                "{'audience':{'tag':['x']},'data':1}                         | request.unknown_field | audience.tag",
                "{'audience':{'tags':[7]},'data':1}                          | request.invalid_value | audience.tags",
                "{'audience':{'tags':[null]},'data':1}                       | request.missing_value | audience.tags",
                "{'audience':'all','data':1,'colour':'red'}                  | request.unknown_field | colour",
                "{'audience':'all','notification':{'titel':'x'}}             | request.unknown_field | notification.titel",
                "{'audience':'all','notification':{'title':7}}               | request.invalid_value | notification.title",
                "{'audience':'all','data':1,'options':{'delivery':'any'}}    | request.missing_value | audience.groups",
                "{'audience':'all','data':1,'options':{'delivery':'some'}}   | request.invalid_value | options.delivery",
                "{'audience':'all','data':1,'options':{'collapseKey':'k'}}   | option.not_supported | options.collapseKey",
                "{'audience':'all','data':1,'options':{'replaces':'1'}}      | option.not_supported | options.replaces",
                "{'audience':'all','data':1,'options':{'sendAt':'1970-01-01T00:00:00Z'}} | option.not_supported | options.sendAt",
                "{'audience':'all','data':1,'options':{'spreadSeconds':5}}   | option.not_supported | options.spreadSeconds",
                "{'audience':'all','data':1,'options':{'ttlSeconds':0}}      | request.invalid_value | options.ttlSeconds",
                "{'audience':'all','data':1,'options':{'ttlSeconds':-1}}     | request.invalid_value | options.ttlSeconds",
                "{'audience':'all','data':1,'options':{'ttlSeconds':2419201}}| request.invalid_value | options.ttlSeconds",
                "{'audience':'all','data':1,'options':{'ttlSeconds':1.5}}    | request.invalid_value | options.ttlSeconds",
                "{'audience':'all','data':1,'options':{'ttlSeconds':'5'}}    | request.invalid_value | options.ttlSeconds",
                "{'audience':'all','data':1,'options':{'ttlSeconds':99999999999}} | request.invalid_value | options.ttlSeconds",
                "{'audience':'all','data':1,'options':{'priority':9}}        | request.invalid_value | options.priority",
                "{'audience':'all','data':1,'options':{'ack':false}}         | request.invalid_value | options.ack",
                "{'audience':'all','data':1,'options':{'ack':'no'}}          | request.invalid_value | options.ack",
            })
    void aBadPublishIsRefusedClearlyAndStoresNothing(String body, String code, String field) {
        app.register("d");
        String json = body == null ? "" : body.replace('\'', '"');
        Reply reply = publish(json).expect(400);
        assertThat(reply.code()).isEqualTo(code);
        assertThat(reply.text("field")).isEqualTo(field == null ? "" : field);
        assertThat(reply.text("requestId"))
                .isEqualTo(reply.response().headers().firstValue("X-Request-Id").orElseThrow());
        assertThat(app.call("GET", "/v1/messages", null).json().path("items")).isEmpty();
    }

    @Test
    void optionsAtTheirDefaultsAreFine() {
        publish(
                        "{\"audience\":\"all\",\"data\":{\"any\":\"json\"},\"options\":{\"ttlSeconds\":86400,"
                                + "\"delivery\":\"each\",\"ack\":true,\"collapseKey\":null,\"replaces\":null,"
                                + "\"sendAt\":null,\"spreadSeconds\":0,\"priority\":3}}")
                .expect(202);
    }

    @Test
    void aBodyOverTheLimitOrOfAnotherTypeIsRefused() {
        String large = "{\"audience\":\"all\",\"data\":\"" + "x".repeat(70_000) + "\"}";
        assertThat(publish(large).expect(413).code()).isEqualTo("request.too_large");
        Reply form =
                server.api.call(
                        "POST",
                        "/v1/messages",
                        app.credentials(),
                        null,
                        "Content-Type",
                        "text/plain");
        assertThat(form.expect(415).code()).isEqualTo("request.not_json");
    }

    @Test
    void moreThanAThousandIdsOfAKindAreRefused() {
        List<String> ids = new ArrayList<>();
        for (int i = 0; i <= 1_000; i++) {
            ids.add("\"d" + i + "\"");
        }
        String audience = "{\"devices\":[" + String.join(",", ids) + "]}";
        Reply reply = publish("{\"audience\":" + audience + ",\"data\":1}").expect(400);
        assertThat(reply.code()).isEqualTo("audience.too_large");
        assertThat(reply.json().path("limit").asInt()).isEqualTo(1_000);
    }

    @Test
    void audiencesIntersectKindsAndUniteValues() {
        app.register("a", ",\"tags\":[\"x\",\"y\"],\"user\":\"anna\"");
        app.register("b", ",\"tags\":[\"x\"],\"user\":\"anna\"");
        app.register("c", ",\"tags\":[\"y\"],\"user\":\"bert\"");
        app.call("PATCH", "/v1/devices/c", "{\"platform\":\"web\"}").expect(200);
        assertThat(targets("\"all\"")).containsExactly("a", "b", "c");
        assertThat(targets("{\"tags\":[\"x\",\"y\"]}")).containsExactly("a", "b", "c");
        assertThat(targets("{\"tagsAll\":[\"x\",\"y\"]}")).containsExactly("a");
        assertThat(targets("{\"tagsNot\":[\"x\"]}")).containsExactly("c");
        assertThat(targets("{\"users\":[\"anna\"]}")).containsExactly("a", "b");
        assertThat(targets("{\"users\":[\"anna\"],\"tagsNot\":[\"y\"]}")).containsExactly("b");
        assertThat(targets("{\"devices\":[\"a\",\"c\",\"zzz\"]}")).containsExactly("a", "c");
        assertThat(targets("{\"devices\":[\"a\"],\"users\":[\"bert\"]}")).isEmpty();
        assertThat(targets("{\"tags\":[\"unknown\"]}")).isEmpty();
        assertThat(targets("\"all\",\"platform\":[\"web\",\"ios\"]")).containsExactly("c");
    }

    private List<String> targets(String audience) {
        String id = publish("{\"audience\":" + audience + ",\"data\":1}").expect(202).text("id");
        return app.states(id).stream()
                .map(state -> state.substring(0, state.indexOf('=')))
                .toList();
    }

    @Test
    void aChangeThatWasAnsweredIsSeenByTheNextPublish() {
        for (int i = 0; i < 30; i++) {
            app.register("d" + i, ",\"tags\":[\"t" + i + "\"]");
            assertThat(targets("{\"tags\":[\"t" + i + "\"]}")).containsExactly("d" + i);
            app.call("PATCH", "/v1/devices/d" + i, "{\"tags\":[]}").expect(200);
            assertThat(targets("{\"tags\":[\"t" + i + "\"]}")).isEmpty();
        }
    }

    @Test
    void aDeviceThatWasDeletedAndCameAgainIsFoundByItsName() {
        String toD = "{\"audience\":{\"devices\":[\"d\",\"e\"]},\"data\":1}";
        app.register("e");
        for (int i = 0; i < 3; i++) {
            app.register("d");
            assertThat(publish(toD).expect(202).json().path("targeted").asInt()).isEqualTo(2);
            app.call("DELETE", "/v1/devices/d", null).expect(204);
            assertThat(publish(toD).expect(202).json().path("targeted").asInt()).isEqualTo(1);
        }
    }

    @Test
    void validateCountsAndSendsNothing() {
        app.register("d");
        Reply reply =
                app.call("POST", "/v1/messages/validate", "{\"audience\":\"all\",\"data\":1}")
                        .expect(200);
        assertThat(reply.json().path("targeted").asInt()).isEqualTo(1);
        assertThat(reply.json().path("online").asInt()).isZero();
        assertThat(app.call("GET", "/v1/messages", null).json().path("items")).isEmpty();
    }

    @Test
    void g3ConcurrentDuplicatesAreOneMessage() throws InterruptedException, ExecutionException {
        app.register("d");
        List<Future<Reply>> replies = new ArrayList<>();
        try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 50; i++) {
                replies.add(
                        callers.submit(() ->
                                publish(
                                        "{\"audience\":\"all\",\"data\":1}",
                                        "Idempotency-Key",
                                        "k-1")));
            }
        }
        List<String> ids = new ArrayList<>();
        int fresh = 0;
        for (Future<Reply> reply : replies) {
            ids.add(reply.get().expect(202).text("id"));
            fresh += reply.get().json().path("replayed").asBoolean() ? 0 : 1;
        }
        assertThat(fresh).isEqualTo(1);
        assertThat(ids).containsOnly(ids.get(0));
        assertThat(app.call("GET", "/v1/messages", null).json().path("items")).hasSize(1);
        Reply other =
                publish("{\"audience\":\"all\",\"data\":2}", "Idempotency-Key", "k-1").expect(409);
        assertThat(other.code()).isEqualTo("idempotency.other_body");
        Reply bad =
                publish("{\"audience\":\"all\",\"data\":2}", "Idempotency-Key", "x".repeat(256))
                        .expect(400);
        assertThat(bad.text("field")).isEqualTo("Idempotency-Key");
    }

    @Test
    void whatWasPublishedIsShownToTheLetter() {
        String id =
                publish(
                                "{\"audience\":{\"tags\":[\"x\"]},\"notification\":{\"title\":\"t\",\"extras\":{ \"a\" : 1.0 }},"
                                        + "\"data\":[ 1e3, 12345678901234567890 ]}")
                        .expect(202)
                        .text("id");
        Reply reply = app.call("GET", "/v1/messages/" + id, null).expect(200);
        assertThat(reply.response().body())
                .contains("\"data\":[ 1e3, 12345678901234567890 ]")
                .contains("\"extras\":{ \"a\" : 1.0 }")
                .contains("\"audience\":{\"tags\":[\"x\"]}");
        assertThat(reply.json().path("options").path("ttlSeconds").asInt()).isEqualTo(86_400);
    }

    @Test
    void listsGoByPagesNewestFirst() {
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            ids.add(0, app.publish("\"all\""));
        }
        List<String> read = new ArrayList<>();
        String path = "/v1/messages?limit=2";
        while (!path.isEmpty()) {
            Reply page = app.call("GET", path, null).expect(200);
            page.json().path("items").forEach(item -> read.add(item.path("id").asString()));
            String next = page.text("nextCursor");
            path = next.isEmpty() ? "" : "/v1/messages?limit=2&cursor=" + next;
        }
        assertThat(read).isEqualTo(ids);
    }

    @ParameterizedTest
    @CsvSource({
        "limit=501, page.too_large",
        "limit=1000000000, page.too_large",
        "limit=0, request.invalid_value",
        "limit=-1, request.invalid_value",
        "limit=x, request.invalid_value",
        "cursor=x, page.cursor_invalid",
        "cursor=-5, page.cursor_invalid",
        "cursor=99999999999999999999, page.cursor_invalid",
    })
    void badPagesAreRefused(String query, String code) {
        for (String list : new String[] {"/v1/messages", "/v1/devices"}) {
            assertThat(app.call("GET", list + "?" + query, null).expect(400).code())
                    .isEqualTo(code);
        }
    }

    @Test
    void devicesOfAMessageGoByPagesAndStates() {
        for (int i = 0; i < 25; i++) {
            app.register("d" + i);
        }
        String id = app.publish("\"all\"");
        List<String> read = new ArrayList<>();
        String path = "/v1/messages/" + id + "/devices?state=queued&limit=10";
        int pages = 0;
        while (!path.isEmpty()) {
            Reply page = app.call("GET", path, null).expect(200);
            page.json().path("items").forEach(item -> read.add(item.path("deviceId").asString()));
            String next = page.text("nextCursor");
            path =
                    next.isEmpty()
                            ? ""
                            : "/v1/messages/"
                                    + id
                                    + "/devices?state=queued&limit=10&cursor="
                                    + next;
            pages++;
        }
        assertThat(read).hasSize(25).doesNotHaveDuplicates();
        assertThat(pages).isEqualTo(3);
        assertThat(
                        app.call("GET", "/v1/messages/" + id + "/devices?state=lost", null)
                                .expect(400)
                                .code())
                .isEqualTo("request.invalid_value");
        assertThat(
                        app.call("GET", "/v1/messages/" + id + "/devices?state=delivered", null)
                                .json()
                                .path("items"))
                .isEmpty();
    }

    @Test
    void aKnownDeviceIsAnsweredToItsTokenOrTheAppOnly() {
        String body =
                "{\"appKey\":\"" + app.appKey() + "\",\"platform\":\"ios\",\"deviceId\":\"d\"}";
        String token =
                server.api.call("POST", "/v1/devices", null, body).expect(201).text("deviceToken");
        assertThat(server.api.call("POST", "/v1/devices", null, body).expect(409).code())
                .isEqualTo("device.exists");
        server.api.call("POST", "/v1/devices", "Bearer " + token, body).expect(200);
        app.call("POST", "/v1/devices", body).expect(200);
        String other = app.register("other");
        assertThat(
                        server.api
                                .call("POST", "/v1/devices", "Bearer " + other, body)
                                .expect(409)
                                .code())
                .isEqualTo("device.exists");
    }

    @Test
    void aUserNeedsProofUnlessTheAppIsOpen() {
        String body =
                "{\"appKey\":\"" + app.appKey() + "\",\"platform\":\"ios\",\"user\":\"anna\"}";
        assertThat(server.api.call("POST", "/v1/devices", null, body).expect(403).code())
                .isEqualTo("device.user_needs_proof");
        app.call("POST", "/v1/devices", body).expect(201);
        patchApp("{\"openUsers\":true}").expect(200);
        server.api.call("POST", "/v1/devices", null, body).expect(201);
    }

    @Test
    void tagsAreTheDevicesOwnUnlessTheAppSaysOtherwise() {
        String body =
                "{\"appKey\":\"" + app.appKey() + "\",\"platform\":\"ios\",\"tags\":[\"vip\"]}";
        server.api.call("POST", "/v1/devices", null, body).expect(201);
        patchApp("{\"selfTags\":false}").expect(200);
        assertThat(server.api.call("POST", "/v1/devices", null, body).expect(403).code())
                .isEqualTo("device.tags_need_proof");
        app.call("POST", "/v1/devices", body).expect(201);
    }

    private Reply patchApp(String body) {
        return server.api.call("PATCH", "/v1/apps/" + app.id(), app.developer(), body);
    }

    @ParameterizedTest
    @CsvSource({
        "retentionDays, 0, request.invalid_value",
        "timezone, '\"Mars/Olympus\"', request.invalid_value",
        "legacyProtocols, '[\"hanbo\"]', option.not_supported",
        "allowedOrigins, '[\"https://a/path\"]', request.invalid_value",
        "allowedOrigins, '[\"https://A.example\"]', request.invalid_value",
        "allowedOrigins, '[\"null\"]', request.invalid_value",
        "allowedOrigins, '[\"ftp://a\"]', request.invalid_value",
        "allowedOrigins, '[null]', request.missing_value",
        "openUsers, '\"yes\"', request.invalid_value",
        "unknown, 1, request.unknown_field",
    })
    void badAppSettingsAreRefused(String field, String value, String code) {
        Reply reply = patchApp("{\"" + field + "\":" + value + "}").expect(400);
        assertThat(reply.code()).isEqualTo(code);
        assertThat(reply.text("field")).isEqualTo(field);
    }

    @Test
    void appSettingsAndNamesChangeAndStay() {
        patchApp("{\"name\":\"renamed\",\"retentionDays\":7,\"timezone\":\"Asia/Shanghai\"}")
                .expect(200);
        stop();
        server = TestServer.start(data);
        Reply reply =
                server.api.call("GET", "/v1/apps/" + app.id(), app.developer(), null).expect(200);
        assertThat(reply.text("name")).isEqualTo("renamed");
        assertThat(reply.json().path("retentionDays").asInt()).isEqualTo(7);
        assertThat(reply.text("timezone")).isEqualTo("Asia/Shanghai");
    }

    @Test
    void aRotatedSecretReplacesTheOldOneAndDevicesStay() {
        Reply rotated =
                server.api
                        .call("POST", "/v1/apps/" + app.id() + "/secret", app.developer(), null)
                        .expect(200);
        assertThat(rotated.text("masterSecret")).matches("[A-Za-z0-9]{24}");
        app.call("GET", "/v1/messages", null).expect(401);
        AppHandle renewed =
                new AppHandle(
                        server.api,
                        app.developer(),
                        app.id(),
                        app.appKey(),
                        rotated.text("masterSecret"));
        renewed.call("GET", "/v1/messages", null).expect(200);
    }

    @Test
    void aDeletedAppIsGone() {
        app.register("d");
        app.publish("\"all\"");
        server.api.call("DELETE", "/v1/apps/" + app.id(), app.developer(), null).expect(204);
        server.api.call("GET", "/v1/apps/" + app.id(), app.developer(), null).expect(404);
        app.call("GET", "/v1/messages", null).expect(401);
    }

    @Test
    void developersSignUpOnceWithAStrongPassword() {
        String good = "{\"name\":\"anna\",\"password\":\"correct horse\"}";
        server.api.call("POST", "/v1/developers", null, good).expect(201);
        assertThat(server.api.call("POST", "/v1/developers", null, good).expect(409).code())
                .isEqualTo("developer.name_taken");
        for (String weak : new String[] {"short", "aaaaaaaaaaaaaa", "bert-bert-bert"}) {
            String body = "{\"name\":\"bert-bert-bert\",\"password\":\"" + weak + "\"}";
            assertThat(server.api.call("POST", "/v1/developers", null, body).expect(400).code())
                    .isEqualTo("developer.password_weak");
        }
    }

    @Test
    void failedLoginsAreTheSameForUnknownNamesAndLimited() {
        String developer = "{\"name\":\"anna\",\"password\":\"correct horse\"}";
        server.api.call("POST", "/v1/developers", null, developer).expect(201);
        String wrong = "{\"name\":\"anna\",\"password\":\"wrong horse\"}";
        String unknown = "{\"name\":\"nobody\",\"password\":\"wrong horse\"}";
        Reply first = server.api.call("POST", "/v1/logins", null, wrong).expect(401);
        Reply second = server.api.call("POST", "/v1/logins", null, unknown).expect(401);
        assertThat(first.code()).isEqualTo(second.code()).isEqualTo("login.wrong");
        for (int i = 0; i < 9; i++) {
            server.api.call("POST", "/v1/logins", null, wrong).expect(401);
        }
        Reply limited = server.api.call("POST", "/v1/logins", null, developer).expect(429);
        assertThat(limited.code()).isEqualTo("login.limited");
        assertThat(limited.response().headers().firstValue("Retry-After")).isPresent();
        server.clock.advance(Duration.ofMinutes(11));
        server.api.call("POST", "/v1/logins", null, developer).expect(201);
    }

    @Test
    void aLoginExpiresAndItsCookieMayReadButNotChangeAlone() {
        String credentials = "{\"name\":\"anna\",\"password\":\"correct horse\"}";
        server.api.call("POST", "/v1/developers", null, credentials).expect(201);
        Reply login = server.api.call("POST", "/v1/logins", null, credentials).expect(201);
        String cookie =
                login.response().headers().firstValue("Set-Cookie").orElseThrow().split(";")[0];
        assertThat(login.response().headers().firstValue("Set-Cookie").orElseThrow())
                .contains("HttpOnly", "SameSite=Strict");
        server.api.call("GET", "/v1/apps", null, null, "Cookie", cookie).expect(200);
        String app = "{\"name\":\"x\"}";
        assertThat(
                        server.api
                                .call("POST", "/v1/apps", null, app, "Cookie", cookie)
                                .expect(403)
                                .code())
                .isEqualTo("auth.csrf");
        server.api
                .call("POST", "/v1/apps", null, app, "Cookie", cookie, "X-Postrider-Csrf", "1")
                .expect(201);
        server.clock.advance(Duration.ofHours(13));
        server.api.call("GET", "/v1/apps", null, null, "Cookie", cookie).expect(401);
    }

    @Test
    void registrationsAreLimitedPerAppAndAddress() {
        stop();
        server = TestServer.start(data, Map.of("registrations-per-second", "3"));
        String body = "{\"appKey\":\"" + app.appKey() + "\",\"platform\":\"web\"}";
        int limited = 0;
        for (int i = 0; i < 50 && limited == 0; i++) {
            Reply reply = server.api.call("POST", "/v1/devices", null, body);
            if (reply.status() == 429) {
                limited++;
                assertThat(reply.code()).isEqualTo("device.registration_limited");
                assertThat(reply.response().headers().firstValue("Retry-After")).isPresent();
            }
        }
        assertThat(limited).isEqualTo(1);
        server.clock.advance(Duration.ofSeconds(2));
        server.api.call("POST", "/v1/devices", null, body).expect(201);
    }

    @Test
    void healthAndContractAreOpenAndUnknownPathsAreProblems() {
        assertThat(server.api.call("GET", "/healthz", null, null).expect(200).text("status"))
                .isEqualTo("ok");
        assertThat(server.api.call("GET", "/readyz", null, null).expect(200).text("status"))
                .isEqualTo("ready");
        assertThat(server.api.call("GET", "/metrics", null, null).expect(200).response().body())
                .contains("postrider_sessions 0.0", "postrider_store_commits_total");
        assertThat(server.api.call("GET", "/openapi.yaml", null, null).response().body())
                .startsWith("openapi: 3");
    }

    @Test
    void headIsAnsweredLikeGet() {
        for (String path :
                new String[] {"/v1/messages", "/v1/messages/1", "/v1/devices", "/v1/apps"}) {
            server.api.call("HEAD", path, null, null).expect(401);
        }
        app.call("HEAD", "/v1/messages/1", null).expect(404);
        app.call("HEAD", "/v1/messages", null).expect(200);
    }

    @ParameterizedTest
    @CsvSource({"application/jsonx", "text/json", "application/json; charset=utf-16"})
    void onlyJsonInUtf8IsTaken(String type) {
        server.api
                .call("POST", "/v1/messages", app.credentials(), null, "Content-Type", type)
                .expect(415);
    }

    @Test
    void aBodyThatDoesNotComeWholeIsTheCallersMistake() throws IOException {
        try (Socket socket =
                new Socket(
                        InetAddress.getLoopbackAddress(),
                        URI.create(server.node.http()).getPort())) {
            socket.setSoTimeout(10_000);
            String head =
                    "POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: "
                            + app.credentials()
                            + "\r\nContent-Type: application/json\r\n";
            socket.getOutputStream()
                    .write(
                            (head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n")
                                    .getBytes(StandardCharsets.US_ASCII));
            String answer =
                    new BufferedReader(
                                    new InputStreamReader(
                                            socket.getInputStream(), StandardCharsets.US_ASCII))
                            .readLine();
            assertThat(answer).startsWith("HTTP/1.1 400");
        }
    }

    @Test
    void everyErrorCodeIsInTheDocs() throws IOException {
        String docs = Files.readString(Path.of("../docs/errors.md"));
        for (ErrorCode code : ErrorCode.values()) {
            assertThat(docs).contains("| `" + code.code + "` | " + code.status + " |");
        }
    }
}
