package io.postrider.server.demo;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A node by itself, which is killed once. */
final class OneNode implements Stage {
    private final ServerProcess server;

    OneNode(Path data, Path log) {
        this.server = new ServerProcess(log, List.of("--data=" + data));
    }

    @Override
    public void start() {
        server.start();
    }

    @Override
    public List<String> http() {
        return List.of(server.http());
    }

    @Override
    public List<Disaster> disasters() {
        return List.of(
                new Disaster(
                        "kill -9 the server once",
                        () -> {
                            server.kill();
                            server.start();
                        }));
    }

    @Override
    public Map<String, Integer> happened() {
        return Map.of();
    }

    @Override
    public void close() {
        server.kill();
    }
}
