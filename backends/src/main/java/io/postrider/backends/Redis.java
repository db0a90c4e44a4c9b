package io.postrider.backends;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import redis.embedded.RedisServer;

/** A real Redis, which can be stopped and started again on the same port. */
public final class Redis implements AutoCloseable {
    private final int port;
    private RedisServer running;

    /** Starts it. */
    public Redis() {
        this.port = freePort();
        this.running = start(port);
    }

    private static int freePort() {
        try (ServerSocket any = new ServerSocket(0)) {
            return any.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As the setting {@code cluster} has it. */
    public String uri() {
        return "redis://127.0.0.1:" + port;
    }

    /** On the port that it had, after it was stopped. */
    public void start() {
        running = start(port);
    }

    private static RedisServer start(int port) {
        try {
            RedisServer started =
                    RedisServer.newRedisServer()
                            .port(port)
                            .bind("127.0.0.1")
                            .setting("save \"\"")
                            .build();
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
            String pattern = "redis-server.* 127.0.0.1:" + port;
            new ProcessBuilder("pkill", "-" + signal, "-f", pattern).inheritIO().start().waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        stop();
    }
}
