package io.postrider.server.api;

import io.postrider.server.metrics.Metrics;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** What operators and tools ask of a node. */
final class SystemRoutes {
    private final Metrics metrics;
    private final Supplier<Optional<String>> unready;

    /**
     * @param unready why the node takes no traffic; empty if it does
     */
    SystemRoutes(Metrics metrics, Supplier<Optional<String>> unready) {
        this.metrics = metrics;
        this.unready = unready;
    }

    List<Route> routes() {
        return List.of(
                Route.get(
                        "/healthz",
                        Access.PUBLIC,
                        request -> Answer.json(200, new StatusView("ok"))),
                Route.get("/readyz", Access.PUBLIC, this::readiness),
                Route.get(
                        "/metrics",
                        Access.PUBLIC,
                        request ->
                                Answer.text(
                                        "text/plain; version=0.0.4; charset=utf-8",
                                        metrics.scrape())),
                Route.get(
                        "/openapi.yaml",
                        Access.PUBLIC,
                        request -> Answer.text("application/yaml", contract())));
    }

    record StatusView(String status) {}

    private Answer readiness(Request request) {
        return unready.get()
                .map(why -> Answer.json(503, new StatusView(why)))
                .orElseGet(() -> Answer.json(200, new StatusView("ready")));
    }

    private static String contract() {
        try (InputStream in = SystemRoutes.class.getResourceAsStream("openapi.yaml")) {
            if (in == null) {
                throw new IllegalStateException("the jar has no openapi.yaml");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("openapi.yaml cannot be read", e);
        }
    }
}
