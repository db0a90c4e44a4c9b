package io.postrider.server.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import redis.embedded.RedisServer;

/** A real Redis, which can be stopped and started again on the same port. */
public final class Redis implements AutoCloseable {
    private final int port;
    private RedisServer running;

    public Redis() {
        this.port = freePort();
        start();
    }

    private static int freePort() {
        try (ServerSocket any = new ServerSocket(0)) {
            return any.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public String uri() {
        return "redis://127.0.0.1:" + port;
    }

    public void start() {
        try {
            running =
                    RedisServer.newRedisServer()
                            .port(port)
                            .bind("127.0.0.1")
                            .setting("save \"\"")
                            .build();
            running.start();
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
    void signal(String signal) throws InterruptedException {
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
