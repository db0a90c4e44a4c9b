package io.postrider.server;

import io.postrider.server.Postrider.Seams;
import io.postrider.server.config.Settings;
import io.postrider.server.config.SettingsLoader;
import io.postrider.server.session.SessionLimits;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** A real node on free ports, with a clock that the test moves. */
public final class TestServer implements AutoCloseable {
    public final ManualClock clock;
    public final Postrider node;
    public final TestApi api;

    private TestServer(ManualClock clock, Postrider node) {
        this.clock = clock;
        this.node = node;
        this.api = new TestApi(node.http());
    }

    public static TestServer start(Path data) {
        return start(data, UnaryOperator.identity());
    }

    /** With settings of the test's own. */
    public static TestServer start(Path data, Map<String, String> more) {
        return start(settings(data, more), UnaryOperator.identity());
    }

    /** With settings, and somebody who is told what the operator must know. */
    public static TestServer start(Path data, Map<String, String> more, Consumer<String> operator) {
        return start(settings(data, more), seams -> seams.telling(operator));
    }

    /** With something of the test's own between two parts. */
    public static TestServer start(Path data, UnaryOperator<Seams> change) {
        return start(settings(data, Map.of()), change);
    }

    /** With settings, and something of the test's own between two parts. */
    public static TestServer startWith(
            Path data, Map<String, String> more, UnaryOperator<Seams> change) {
        return start(settings(data, more), change);
    }

    private static TestServer start(Settings settings, UnaryOperator<Seams> change) {
        ManualClock clock = new ManualClock();
        Seams seams =
                new Seams(
                        clock,
                        SessionLimits.standard(settings.heartbeatSeconds()),
                        UnaryOperator.identity(),
                        UnaryOperator.identity(),
                        UnaryOperator.identity(),
                        line -> {});
        return new TestServer(clock, Postrider.start(settings, change.apply(seams)));
    }

    static Settings settings(Path data, Map<String, String> more) {
        Map<String, String> values = new HashMap<>(more);
        values.putAll(Map.of("data", data.toString(), "http-port", "0", "gateway-port", "0"));
        return SettingsLoader.load(values, Map.of(), null);
    }

    /** A developer's app with nothing in it. */
    public TestApi.AppHandle app() {
        return api.newApp();
    }

    /** Whether it hears of other nodes at once. */
    public boolean hasRedis() {
        return api.call("GET", "/metrics", null, null)
                .response()
                .body()
                .contains("postrider_redis_connected 1.0");
    }

    @Override
    public void close() {
        node.close();
    }
}
