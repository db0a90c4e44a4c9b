package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.password4j.Argon2Function;
import com.password4j.types.Argon2;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.identity.AuditLog.Actor;
import io.postrider.server.identity.Passwords;
import io.postrider.server.metrics.Metrics;
import io.postrider.server.store.Database;
import io.postrider.server.store.SqlDevelopers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Developers' passwords, and what is written down of what they do. */
class AccountTest {
    private static final String CREDENTIALS = "{\"name\":\"anna\",\"password\":\"correct horse\"}";

    @TempDir Path data;

    private String storedHash() {
        ManualClock clock = new ManualClock();
        try (Database database = Database.open(data, clock, new Metrics())) {
            return new SqlDevelopers(database, clock).byName("anna").orElseThrow().passwordHash();
        }
    }

    @Test
    void aHashOfOldParametersIsMadeAnewAtTheNextLogin() {
        String weak =
                Argon2Function.getInstance(1_024, 1, 1, 32, Argon2.ID)
                        .hash("correct horse", "0123456789abcdef")
                        .getResult();
        ManualClock clock = new ManualClock();
        try (Database database = Database.open(data, clock, new Metrics())) {
            new SqlDevelopers(database, clock)
                    .add("anna", weak, false, new Actor(0, "test", "test"));
        }
        try (TestServer server = TestServer.start(data)) {
            server.api
                    .call("POST", "/v1/logins", null, CREDENTIALS.replace("horse", "donkey"))
                    .expect(401);
        }
        assertThat(storedHash()).isEqualTo(weak);
        try (TestServer server = TestServer.start(data)) {
            server.api.call("POST", "/v1/logins", null, CREDENTIALS).expect(201);
        }
        String better = storedHash();
        assertThat(better).startsWith("$argon2id$v=19$m=19456,t=2,p=1$").isNotEqualTo(weak);
        assertThat(new Passwords().isCurrent(better)).isTrue();
        try (TestServer server = TestServer.start(data)) {
            server.api.call("POST", "/v1/logins", null, CREDENTIALS).expect(201);
        }
        assertThat(storedHash()).isEqualTo(better);
    }

    @Test
    void theAuditLogTellsWhatADeveloperDidAndTellsNobodyElse() {
        try (TestServer server = TestServer.start(data)) {
            AppHandle app = server.app();
            AppHandle other = server.app();
            String path = "/v1/apps/" + app.id();
            String developer = app.developer();
            server.api
                    .call("PATCH", path, developer, "{\"name\":\"n\",\"retentionDays\":3}")
                    .expect(200);
            server.api.call("PATCH", path, developer, "{\"retentionDays\":0}").expect(400);
            server.api.call("POST", path + "/secret", developer, null).expect(200);
            server.api.call("POST", path + "/device-tokens/revoke", developer, null).expect(204);
            server.api.call("DELETE", path, developer, null).expect(204);
            List<String> deeds = new ArrayList<>();
            for (JsonNode item : entries(server, developer)) {
                deeds.add(item.path("action").asString() + " " + item.path("detail").asString());
                assertThat(item.path("address").asString()).isEqualTo("127.0.0.1");
                assertThat(item.path("requestId").asString()).isNotEmpty();
            }
            assertThat(deeds)
                    .containsExactly(
                            "app_deleted n",
                            "device_tokens_revoked ",
                            "secret_rotated ",
                            "app_changed name retentionDays",
                            "app_created test",
                            "logged_in ",
                            "signed_up ");
            assertThat(entries(server, other.developer())).hasSize(3);
        }
    }

    private static JsonNode entries(TestServer server, String developer) {
        return server.api
                .call("GET", "/v1/audit", developer, null)
                .expect(200)
                .json()
                .path("items");
    }
}
