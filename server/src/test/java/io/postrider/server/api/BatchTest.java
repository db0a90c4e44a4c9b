package io.postrider.server.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.TestApi.Reply;
import io.postrider.server.TestServer;
import io.postrider.server.WireDevice;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class BatchTest {
    private static final String GOOD = "{\"audience\":\"all\",\"data\":1}";
    private static final String BAD = "{\"audience\":\"all\",\"data\":1,\"options\":{\"ttl\":1}}";

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

    private Reply publish(List<String> messages, String... headers) {
        return app.call(
                "POST",
                "/v1/messages/batch",
                "{\"messages\":[" + String.join(",", messages) + "]}",
                headers);
    }

    private static List<JsonNode> items(Reply reply) {
        List<JsonNode> items = new ArrayList<>();
        reply.expect(200).json().path("items").forEach(items::add);
        return items;
    }

    @Test
    void eachMessageIsAnsweredByItselfAndComesInItsOrder() {
        String token = app.register("d");
        List<JsonNode> items = items(publish(List.of(GOOD, BAD, GOOD, "null", "7")));
        assertThat(items)
                .extracting(item -> item.path("status").asInt())
                .containsExactly(202, 400, 202, 400, 400);
        assertThat(items)
                .extracting(item -> item.path("code").asString())
                .containsExactly(
                        "", "request.unknown_field", "", "request.malformed", "request.malformed");
        assertThat(items.get(1).path("field").asString()).isEqualTo("options.ttl");
        assertThat(items.get(0).path("targeted").asInt()).isEqualTo(1);
        try (WireDevice device = WireDevice.connected(app.gateway("tcp"), token)) {
            for (int i : new int[] {0, 2}) {
                assertThat(device.readPush().getId()).isEqualTo(items.get(i).path("id").asLong());
            }
            assertThat(device.readAllNow()).isEmpty();
        }
    }

    @Test
    void g3ABatchThatIsSentAgainIsPublishedOnce() {
        app.register("d");
        List<JsonNode> first = items(publish(List.of(GOOD, GOOD), "Idempotency-Key", "k"));
        List<JsonNode> again = items(publish(List.of(GOOD, GOOD), "Idempotency-Key", "k"));
        assertThat(again)
                .extracting(item -> item.path("id").asString())
                .containsExactly(
                        first.get(0).path("id").asString(), first.get(1).path("id").asString());
        assertThat(again).allMatch(item -> item.path("replayed").asBoolean());
        List<JsonNode> other =
                items(publish(List.of(GOOD.replace('1', '2'), GOOD), "Idempotency-Key", "k"));
        assertThat(other.get(0).path("status").asInt()).isEqualTo(409);
        assertThat(other.get(0).path("code").asString()).isEqualTo("idempotency.other_body");
        assertThat(other.get(1).path("replayed").asBoolean()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 252})
    void aKeyThatCouldNotBeOneForEachMessagePublishesNothing(int length) {
        Reply reply = publish(List.of(GOOD), "Idempotency-Key", "k".repeat(length));
        assertThat(reply.expect(400).code()).isEqualTo("request.invalid_value");
        assertThat(reply.json().path("field").asString()).isEqualTo("Idempotency-Key");
        assertThat(app.call("GET", "/v1/messages", null).json().path("items").size()).isZero();
        items(publish(List.of(GOOD), "Idempotency-Key", "k".repeat(251)))
                .forEach(item -> assertThat(item.path("status").asInt()).isEqualTo(202));
    }

    @Test
    void aBatchHasUpToAThousandMessages() {
        List<JsonNode> items = items(publish(Collections.nCopies(1_000, GOOD)));
        assertThat(items).hasSize(1_000);
        assertThat(items)
                .extracting(item -> item.path("id").asLong())
                .isSorted()
                .doesNotHaveDuplicates();
        Reply more = publish(Collections.nCopies(1_001, GOOD));
        assertThat(more.expect(400).code()).isEqualTo("request.invalid_value");
        assertThat(more.json().path("field").asString()).isEqualTo("messages");
        assertThat(more.json().path("limit").asInt()).isEqualTo(1_000);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\u0001',
            value = {
                "{}                                | request.missing_value",
                "{\"messages\":[]}                 | request.invalid_value",
                "{\"messages\":{}}                 | request.invalid_value",
                "{\"messages\":null}               | request.missing_value",
                "{\"messages\":[1],\"key\":\"k\"}  | request.unknown_field",
                "{\"messages\":[{]}                | request.malformed",
                "[]                                | request.malformed",
            })
    void whatIsNoBatchPublishesNothing(String body, String code) {
        assertThat(app.call("POST", "/v1/messages/batch", body).expect(400).code()).isEqualTo(code);
        assertThat(app.call("GET", "/v1/messages", null).json().path("items").size()).isZero();
    }

    @Test
    void limitsOfSizeAreTheMessagesAndTheBatches() {
        String large = "{\"audience\":\"all\",\"data\":\"" + "x".repeat(65_536) + "\"}";
        List<JsonNode> items = items(publish(List.of(GOOD, large)));
        assertThat(items.get(0).path("status").asInt()).isEqualTo(202);
        assertThat(items.get(1).path("status").asInt()).isEqualTo(413);
        assertThat(items.get(1).path("limit").asInt()).isEqualTo(65_536);
        Reply reply = publish(Collections.nCopies(64, large));
        assertThat(reply.expect(413).code()).isEqualTo("request.too_large");
        assertThat(reply.json().path("limit").asInt()).isEqualTo(4 << 20);
    }

    @Test
    void aQuotaCountsEachMessage() {
        stop();
        server = TestServer.start(data, Map.of("quota-publishes-per-second", "5"));
        app = server.app();
        List<JsonNode> items = items(publish(Collections.nCopies(8, GOOD)));
        assertThat(items)
                .extracting(item -> item.path("status").asInt())
                .startsWith(202, 202, 202, 202, 202)
                .contains(429);
        assertThat(items.get(7).path("retryAfterSeconds").asInt()).isPositive();
    }
}
