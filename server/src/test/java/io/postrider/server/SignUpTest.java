package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.postrider.server.TestApi.Reply;
import io.postrider.server.config.SettingsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who may sign up on a server that others reach, and from where requests count as coming. */
class SignUpTest {
    private static final Map<String, String> EXPOSED =
            Map.of("advertise", "ws://push.example:7700");

    @TempDir Path data;

    private final List<String> told = new ArrayList<>();

    private TestServer start(Map<String, String> settings) {
        return TestServer.start(data, settings, told::add);
    }

    private static Reply signUp(TestServer server, String name, @Nullable String code) {
        return server.api.call(
                "POST",
                "/v1/developers",
                null,
                "{\"name\":\""
                        + name
                        + "\",\"password\":\"correct horse\""
                        + (code == null ? "" : ",\"code\":\"" + code + "\"")
                        + "}");
    }

    private Path file() {
        return data.resolve("first-run-code");
    }

    @Test
    void theFirstDeveloperNeedsTheCodeAndThenNobodySignsUp() throws IOException {
        try (TestServer server = start(EXPOSED)) {
            String code = Files.readString(file()).strip();
            assertThat(told).singleElement().asString().contains(code);
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
                    .isEqualTo("rw-------");
            assertThat(signUp(server, "anna", null).expect(403).code())
                    .isEqualTo("developer.code_wrong");
            assertThat(signUp(server, "anna", "wrong").expect(403).code())
                    .isEqualTo("developer.code_wrong");
            signUp(server, "anna", code).expect(201);
            assertThat(file()).doesNotExist();
            assertThat(signUp(server, "berta", code).expect(403).code())
                    .isEqualTo("developer.closed");
        }
        told.clear();
        try (TestServer server = start(EXPOSED)) {
            assertThat(told).isEmpty();
            assertThat(signUp(server, "berta", null).expect(403).code())
                    .isEqualTo("developer.closed");
        }
    }

    @Test
    void theCodeIsWrittenWhereNoFolderIsYet() throws IOException {
        Path none = data.resolve("not/there");
        FirstRunCode.write(none, told::add);
        String code = Files.readString(none.resolve("first-run-code")).strip();
        assertThat(told).singleElement().asString().contains(code);

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(none)))
                .isEqualTo("rwx------");

        Path file = Files.createFile(data.resolve("file"));
        assertThatThrownBy(() -> FirstRunCode.write(file, told::add))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("--data");
    }

    @Test
    void everyStartHasACodeOfItsOwnUntilOneWasUsed() throws IOException {
        try (TestServer first = start(EXPOSED)) {
            first.api.call("GET", "/readyz", null, null).expect(200);
        }
        String old = Files.readString(file()).strip();
        try (TestServer server = start(EXPOSED)) {
            String code = Files.readString(file()).strip();
            assertThat(code).isNotEqualTo(old);
            signUp(server, "anna", old).expect(403);
            signUp(server, "anna", code).expect(201);
        }
    }

    @Test
    void ofManyWhoSignUpAtOnceWithTheCodeOneIsTheFirst() throws Exception {
        try (TestServer server = start(EXPOSED);
                ExecutorService many = Executors.newVirtualThreadPerTaskExecutor()) {
            String code = Files.readString(file()).strip();
            List<Callable<Integer>> calls = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                String name = "dev" + i;
                calls.add(() -> signUp(server, name, code).status());
            }
            List<Integer> statuses = new ArrayList<>();
            for (Future<Integer> answer : many.invokeAll(calls)) {
                statuses.add(answer.get());
            }
            assertThat(statuses).filteredOn(status -> status == 201).hasSize(1);
            assertThat(statuses).allMatch(status -> status == 201 || status == 403);
        }
    }

    @Test
    void codesCannotBeTriedForEver() {
        try (TestServer server = start(EXPOSED)) {
            for (int i = 0; i < 50; i++) {
                signUp(server, "anna", "wrong" + i).expect(403);
            }
            Reply limited = signUp(server, "anna", "wrong").expect(429);
            assertThat(limited.response().headers().firstValue("Retry-After")).isPresent();
        }
    }

    @Test
    void openRegistrationIsOpenAndTheLoopbackToo() {
        try (TestServer server =
                start(Map.of("advertise", "ws://push.example:7700", "registration", "open"))) {
            signUp(server, "anna", null).expect(201);
            signUp(server, "berta", null).expect(201);
        }
        try (TestServer server = TestServer.start(data, Map.of())) {
            signUp(server, "carla", null).expect(201);
        }
        assertThat(file()).doesNotExist();
    }

    @Test
    void aPageFromElsewhereSignsNobodyUpOnTheLoopback() {
        String body = "{\"name\":\"anna\",\"password\":\"correct horse\"}";
        try (TestServer server = TestServer.start(data, Map.of())) {
            assertThat(
                            server.api
                                    .call(
                                            "POST",
                                            "/v1/developers",
                                            null,
                                            body,
                                            "Origin",
                                            "http://evil.example")
                                    .expect(403)
                                    .code())
                    .isEqualTo("origin.refused");
            server.api
                    .call("POST", "/v1/developers", null, body, "Origin", "http://localhost:8080")
                    .expect(201);
        }
    }

    @Test
    void whatIsAdvertisedIsWhatDevicesAreTold() {
        try (TestServer server =
                start(
                        Map.of(
                                "advertise",
                                "wss://push.example:443,tls://push.example:7700",
                                "registration",
                                "open"))) {
            TestApi.AppHandle app = server.app();
            assertThat(app.gateway("ws")).isEqualTo("wss://push.example:443/gateway");
            assertThat(app.gateway("tcp")).isEqualTo("tls://push.example:7700");
        }
    }

    @Test
    void onlyATrustedProxySaysWhereARequestComesFrom() {
        String forwarded = "203.0.113.7, 10.1.1.1";
        try (TestServer server =
                start(Map.of("trusted-proxies", "127.0.0.1,10.0.0.0/8", "registration", "open"))) {
            String developer = server.api.newDeveloper();
            assertThat(addressOf(server, developer, forwarded)).isEqualTo("203.0.113.7");
            assertThat(addressOf(server, developer, "203.0.113.8, 203.0.113.9"))
                    .isEqualTo("203.0.113.9");
            assertThat(addressOf(server, developer, "no address")).isEqualTo("127.0.0.1");
            assertThat(addressOf(server, developer, "")).isEqualTo("127.0.0.1");
            assertThat(addressOf(server, developer, "999.999.999.999")).isEqualTo("127.0.0.1");
            assertThat(addressOf(server, developer, "1.2.3.4", "X-Forwarded-For", "203.0.113.9"))
                    .as("a proxy adds a line of its own after the client's")
                    .isEqualTo("203.0.113.9");
        }
        try (TestServer server = TestServer.start(data, Map.of())) {
            assertThat(addressOf(server, server.api.newDeveloper(), forwarded))
                    .isEqualTo("127.0.0.1");
        }
    }

    /** The address in the audit log of an app that was created with the header. */
    private static String addressOf(
            TestServer server, String developer, String forwarded, String... more) {
        List<String> headers = new ArrayList<>(List.of("X-Forwarded-For", forwarded));
        headers.addAll(List.of(more));
        server.api
                .call(
                        "POST",
                        "/v1/apps",
                        developer,
                        "{\"name\":\"a\"}",
                        headers.toArray(String[]::new))
                .expect(201);
        return server.api
                .call("GET", "/v1/audit?limit=1", developer, null)
                .expect(200)
                .json()
                .path("items")
                .path(0)
                .path("address")
                .asString();
    }

    @Test
    void theLoginsCookieIsSecureWhereTlsIs() {
        try (TestServer server =
                start(Map.of("trusted-proxies", "127.0.0.1", "registration", "open"))) {
            signUp(server, "anna", null).expect(201);
            String login = "{\"name\":\"anna\",\"password\":\"correct horse\"}";
            assertThat(cookie(server.api.call("POST", "/v1/logins", null, login)))
                    .doesNotContain("Secure")
                    .contains("HttpOnly")
                    .contains("SameSite=Strict");
            assertThat(
                            cookie(
                                    server.api.call(
                                            "POST",
                                            "/v1/logins",
                                            null,
                                            login,
                                            "X-Forwarded-Proto",
                                            "https")))
                    .contains("Secure");
        }
    }

    private static String cookie(Reply reply) {
        return reply.expect(201).response().headers().firstValue("Set-Cookie").orElseThrow();
    }
}
