package io.postrider.server.demo;

import io.postrider.backends.PostgresServer;
import io.postrider.backends.Redis;
import io.postrider.server.cli.RestCalls;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Three nodes on a PostgreSQL and a Redis of their own; of each kind one fails once. */
final class ThreeNodes implements Stage {
    private static final int NODES = 3;
    private static final int GATEWAYS_OF_A_NODE = 2;
    private static final long PATIENCE_SECONDS = 60;
    private static final int LOOK_MILLIS = 50;

    private final Path data;
    private final Path logs;
    private final List<ServerProcess> nodes = new ArrayList<>();
    private final Map<String, Integer> happened = new LinkedHashMap<>();
    private @Nullable PostgresServer postgres;
    private @Nullable Redis redis;

    /**
     * @param data for PostgreSQL
     */
    ThreeNodes(Path data, Path logs) {
        this.data = data;
        this.logs = logs;
        List.of("nodesKilled", "redisStops", "postgresRestarts")
                .forEach(each -> happened.put(each, 0));
    }

    @Override
    public void start() {
        PostgresServer store = new PostgresServer(data);
        postgres = store;
        Redis hints = new Redis();
        redis = hints;
        for (int i = 1; i <= NODES; i++) {
            ServerProcess node =
                    new ServerProcess(
                            logs.resolve("server-" + i + ".log"),
                            List.of(
                                    "--node=node-" + i,
                                    "--store=" + store.address(),
                                    "--cluster=" + hints.uri()));
            nodes.add(node);
            node.start();
        }
        http().forEach(ThreeNodes::awaitOthers);
    }

    /** A node hears of those that started after it when it renews its lease. */
    private static void awaitOthers(String http) {
        RestCalls rest = new RestCalls(http);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (rest.call("GET", "/v1/gateways?device=any", null, null).path("gateways").size()
                < NODES * GATEWAYS_OF_A_NODE) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException(http + " did not hear of the other nodes");
            }
            try {
                Thread.sleep(LOOK_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            }
        }
    }

    @Override
    public List<String> http() {
        return nodes.stream().map(ServerProcess::http).toList();
    }

    @Override
    public List<Disaster> disasters() {
        ServerProcess last = nodes.get(NODES - 1);
        return List.of(
                new Disaster(
                        "kill -9 a node",
                        () -> {
                            last.kill();
                            count("nodesKilled");
                        }),
                new Disaster(
                        "stop Redis",
                        () -> {
                            redis().stop();
                            count("redisStops");
                        }),
                new Disaster(
                        "start both again",
                        () -> {
                            redis().start();
                            last.start();
                        }),
                new Disaster(
                        "kill and restart PostgreSQL",
                        () -> {
                            postgres().stopImmediately();
                            postgres().start();
                            count("postgresRestarts");
                        }));
    }

    private synchronized void count(String what) {
        happened.merge(what, 1, Integer::sum);
    }

    @Override
    public synchronized Map<String, Integer> happened() {
        return happened;
    }

    private PostgresServer postgres() {
        return started(postgres);
    }

    private Redis redis() {
        return started(redis);
    }

    private static <T> T started(@Nullable T backend) {
        if (backend == null) {
            throw new IllegalStateException("not started");
        }
        return backend;
    }

    @Override
    public void close() {
        nodes.forEach(ServerProcess::kill);
        if (redis != null) {
            redis.close();
        }
        if (postgres != null) {
            postgres.close();
        }
    }
}
