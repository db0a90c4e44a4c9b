package io.postrider.backends;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.util.List;
import redis.embedded.RedisServer;
import redis.embedded.core.RedisServerBuilder;

/** A real Redis, which can be stopped and started again on the same port. */
public final class Redis implements AutoCloseable {
    private final List<String> settings;
    private final int port;
    private RedisServer running;

    /**
     * Starts it.
     *
     * @param settings more of them, as lines of its configuration
     */
    public Redis(String... settings) {
        this.settings = List.of(settings);
        this.port = freePort();
        this.running = launch();
    }

    /** A port that nobody listened at just now. */
    public static int freePort() {
        try (ServerSocket any = new ServerSocket(0)) {
            return any.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public int port() {
        return port;
    }

    /** As the setting {@code cluster} has it. */
    public String uri() {
        return "redis://127.0.0.1:" + port;
    }

    /** On the port that it had, after it was stopped. */
    public void start() {
        running = launch();
    }

    private RedisServer launch() {
        try {
            RedisServerBuilder builder =
                    RedisServer.newRedisServer().port(port).bind("127.0.0.1").setting("save \"\"");
            settings.forEach(builder::setting);
            RedisServer started = builder.build();
            started.start();
            return started;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public void stop() {
        try {
            running.stop();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** STOP or CONT. */
    public void signal(String signal) throws InterruptedException {
        try {
            String pattern = "redis-server.* 127.0.0.1:" + port + "( |$)";
            int found =
                    new ProcessBuilder("pkill", "-" + signal, "-f", pattern)
                            .inheritIO()
                            .start()
                            .waitFor();
            if (found != 0) {
                throw new IllegalStateException("pkill found no Redis at port " + port);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        stop();
    }
}
