package io.postrider.server.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.server.TestApi;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.TestApi.Reply;
import io.postrider.server.TestServer;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.Tuple;
import net.jqwik.api.Tuple.Tuple2;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.jspecify.annotations.Nullable;

/**
 * Ten thousand requests that are nearly right: whatever comes, the answer is in the contract, its
 * code is in docs/errors.md with this status, and another app is as it was.
 */
@SuppressWarnings("NullAway.Init") // by start()
class AnyRequestTest {
    private static final Pattern ROW = Pattern.compile("\\| `([a-z_.]+)` \\| (\\d+) \\|");

    private static Path data;
    private static TestServer server;
    private static AppHandle mine;
    private static AppHandle theirs;
    private static String theirMessage;
    private static List<String> pathValues;
    private static List<String> credentials;
    private static Map<String, Integer> catalogue;

    @BeforeContainer
    static void start() throws IOException {
        data = Files.createTempDirectory("any-request");
        server = TestServer.start(data, Map.of("registrations-per-second", "1000000"));
        mine = server.app();
        theirs = server.app();
        theirs.register("their-device");
        theirMessage = theirs.publish("\"all\"");
        String token = mine.register("d");
        pathValues =
                List.of(
                        mine.publish("\"all\""),
                        theirMessage,
                        theirs.id(),
                        "d",
                        "their-device",
                        "0",
                        "9223372036854775807",
                        "99999999999999999999",
                        "-1",
                        "x y",
                        "ä",
                        "null");
        credentials =
                List.of(
                        "",
                        mine.credentials(),
                        mine.credentials(),
                        mine.developer(),
                        TestApi.bearer(token),
                        TestApi.basic(mine.appKey(), "wrong"),
                        "Bearer x",
                        "Basic x");
        catalogue =
                ROW.matcher(Files.readString(Path.of("../docs/errors.md")))
                        .results()
                        .collect(
                                Collectors.toMap(
                                        row -> row.group(1),
                                        row -> Integer.parseInt(row.group(2))));
    }

    @AfterContainer
    static void anotherAppIsAsItWasAndTheServerToo() throws IOException {
        assertThat(theirs.count(theirMessage, "pending")).isEqualTo(1);
        assertThat(theirs.call("GET", "/v1/devices", null).expect(200).json().path("items"))
                .hasSize(1);
        server.close();
        try (var files = Files.walk(data)) {
            files.sorted((a, b) -> b.compareTo(a)).forEach(file -> file.toFile().delete());
        }
    }

    record AnyRequest(
            String method, String path, String credentials, @Nullable String body, String key) {}

    /** Names of fields that bodies have somewhere, and some that none has. */
    private static final List<String> FIELDS =
            List.of(
                    "audience",
                    "devices",
                    "users",
                    "groups",
                    "tags",
                    "tagsAll",
                    "tagsNot",
                    "platform",
                    "notification",
                    "title",
                    "body",
                    "url",
                    "extras",
                    "data",
                    "options",
                    "ttlSeconds",
                    "delivery",
                    "ack",
                    "collapseKey",
                    "replaces",
                    "sendAt",
                    "spreadSeconds",
                    "priority",
                    "name",
                    "password",
                    "code",
                    "appKey",
                    "deviceId",
                    "user",
                    "locale",
                    "timezone",
                    "openUsers",
                    "selfTags",
                    "allowedOrigins",
                    "retentionDays",
                    "legacyProtocols",
                    "ids",
                    "opened",
                    "unknown",
                    "");

    private static Arbitrary<String> json() {
        Arbitrary<String> scalars =
                Arbitraries.of(
                        "null",
                        "true",
                        "false",
                        "0",
                        "-1",
                        "1",
                        "5",
                        "2419201",
                        "1e400",
                        "1.5",
                        "9007199254740993",
                        "99999999999999999999",
                        "\"\"",
                        "\"all\"",
                        "\"x\"",
                        "\"d\"",
                        "\"android\"",
                        "\"online\"",
                        "\"any\"",
                        "\"each\"",
                        "\"UTC\"",
                        "\"*\"",
                        "\"https://a.example\"",
                        "\"correct horse battery\"",
                        "\"\\ud800\"",
                        "\"\\u0000\"",
                        "\"1970-01-01T00:00:00Z\"",
                        "[]",
                        "{}",
                        "[\"d\"]",
                        "[\"x\",7]",
                        "[null]");
        return Arbitraries.lazyOf(
                () -> scalars,
                () -> scalars,
                () -> scalars,
                AnyRequestTest::object,
                AnyRequestTest::array);
    }

    private static Arbitrary<String> object() {
        Arbitrary<Tuple2<String, String>> member =
                Combinators.combine(Arbitraries.of(FIELDS), json()).as(Tuple::of);
        return member.list()
                .ofMaxSize(4)
                .map(members ->
                        members.stream()
                                .map(each -> "\"" + each.get1() + "\":" + each.get2())
                                .collect(Collectors.joining(",", "{", "}")));
    }

    private static Arbitrary<String> array() {
        return json().list().ofMaxSize(3).map(values -> "[" + String.join(",", values) + "]");
    }

    /** A publish, an app's change and so on, with any value in the place of any field. */
    private static Arbitrary<String> nearlyRight() {
        Arbitrary<String> template =
                Arbitraries.of(
                        "{'audience':'all','data':1,'options':{'ttlSeconds':60,'priority':3}}",
                        "{'audience':{'devices':['d'],'tags':['x']},'notification':{'title':'t'}}",
                        "{'name':'n','password':'correct horse battery'}",
                        "{'appKey':'"
                                + mine.appKey()
                                + "','platform':'web','tags':['x'],'timezone':'UTC'}",
                        "{'tags':['x'],'user':'anna','locale':'de'}",
                        "{'openUsers':false,'retentionDays':28,'allowedOrigins':['https://a.example']}",
                        "{'ids':['1'],'opened':['2']}");
        return Combinators.combine(template, Arbitraries.integers().between(0, 12), json())
                .as((text, at, value) -> {
                    String body = text.replace('\'', '"');
                    List<Integer> colons = new ArrayList<>();
                    for (int i = body.indexOf(':'); i >= 0; i = body.indexOf(':', i + 1)) {
                        colons.add(i);
                    }
                    if (at >= colons.size()) {
                        return body;
                    }
                    int from = colons.get(at) + 1;
                    int to = from;
                    int depth = 0;
                    while (depth > 0 || ",}".indexOf(body.charAt(to)) < 0) {
                        depth += "[{".indexOf(body.charAt(to)) >= 0 ? 1 : 0;
                        depth -= "]}".indexOf(body.charAt(to)) >= 0 ? 1 : 0;
                        to++;
                    }
                    return body.substring(0, from) + value + body.substring(to);
                });
    }

    @Provide
    Arbitrary<AnyRequest> requests() {
        Arbitrary<Route> routes = Arbitraries.of(server.node.routes());
        Arbitrary<String> paths = Arbitraries.of(pathValues);
        Arbitrary<String> queries =
                Arbitraries.of(
                        "",
                        "",
                        "",
                        "?limit=5",
                        "?limit=501",
                        "?limit=x",
                        "?cursor=1",
                        "?cursor=-1",
                        "?state=sent",
                        "?state=x",
                        "?device=d",
                        "?device=nobody",
                        "?app=1",
                        "?app=x",
                        "?limit=&cursor=",
                        "?x=%00");
        Arbitrary<String> bodies =
                Arbitraries.frequencyOf(
                        Tuple.of(6, nearlyRight()),
                        Tuple.of(3, object()),
                        Tuple.of(1, json()),
                        Tuple.of(1, Arbitraries.strings().ofMaxLength(40)));
        Arbitrary<String> keys = Arbitraries.of("", "", "", "k", "k k", "k".repeat(256));
        return Combinators.combine(
                        routes, paths, queries, Arbitraries.of(credentials), bodies, keys)
                .as((route, value, query, authorization, body, key) ->
                        new AnyRequest(
                                route.method().name(),
                                route.path()
                                                .replaceAll(
                                                        "\\{[^}]+}",
                                                        URLEncoder.encode(
                                                                        value,
                                                                        StandardCharsets.UTF_8)
                                                                .replace("+", "%20"))
                                        + query,
                                authorization,
                                route.method().name().equals("GET") ? null : body,
                                key));
    }

    @Property(tries = 10_000, shrinking = ShrinkingMode.BOUNDED)
    void everyAnswerIsInTheContract(@ForAll("requests") AnyRequest request) {
        // What the test itself needs must stay: its own app and login.
        boolean deletesOwnApp =
                request.method.equals("DELETE") && request.path.startsWith("/v1/apps/");
        if (deletesOwnApp || request.path.endsWith("/revoke") || request.path.endsWith("/secret")) {
            return;
        }
        List<String> headers = new ArrayList<>();
        if (!request.key.isEmpty()) {
            headers.addAll(List.of("Idempotency-Key", request.key));
        }
        Reply reply =
                server.api.call(
                        request.method,
                        request.path,
                        request.credentials.isEmpty() ? null : request.credentials,
                        request.body,
                        headers.toArray(String[]::new));
        assertThat(reply.status()).as(reply.response().body()).isLessThan(500);
        if (reply.status() >= 400) {
            assertThat(catalogue).containsEntry(reply.code(), reply.status());
            assertThat(reply.json().path("status").asInt()).isEqualTo(reply.status());
        }
    }
}
