package io.postrider.server;

import io.postrider.server.Postrider.Seams;
import io.postrider.server.config.Settings;
import io.postrider.server.config.SettingsLoader;
import io.postrider.server.session.SessionLimits;
import java.nio.file.Path;
import java.util.Map;
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

    /** With something of the test's own between two parts. */
    public static TestServer start(Path data, UnaryOperator<Seams> change) {
        ManualClock clock = new ManualClock();
        Settings settings = settings(data);
        Seams seams =
                new Seams(
                        clock,
                        SessionLimits.standard(settings.heartbeatSeconds()),
                        UnaryOperator.identity(),
                        UnaryOperator.identity(),
                        UnaryOperator.identity());
        return new TestServer(clock, Postrider.start(settings, change.apply(seams)));
    }

    public static Settings settings(Path data) {
        return SettingsLoader.load(
                Map.of("data", data.toString(), "http-port", "0", "gateway-port", "0"),
                Map.of(),
                null);
    }

    /** A developer's app with nothing in it. */
    public TestApi.AppHandle app() {
        return api.newApp();
    }

    @Override
    public void close() {
        node.close();
    }
}
