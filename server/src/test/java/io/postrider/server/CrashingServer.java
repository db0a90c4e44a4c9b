package io.postrider.server;

import io.postrider.server.Postrider.Seams;
import io.postrider.server.clock.Clock;
import io.postrider.server.delivery.AckBatch;
import io.postrider.server.delivery.Arrival;
import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.MessageStore;
import io.postrider.server.delivery.WakeUps;
import io.postrider.server.session.SessionLimits;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/**
 * A node that dies, as by kill -9, the N-th time it comes to a given point: {@code before-commit},
 * {@code after-commit} (and before the answer), {@code before-send} (after the answer), {@code
 * before-ack} (after the send, before the ack is committed); or never. At {@code unflushed} it
 * lives, and commits without flushing.
 */
public final class CrashingServer {
    static final int KILLED = 137;

    private CrashingServer() {}

    public static void main(String[] args) throws InterruptedException {
        String point = args[3];
        AtomicInteger left = new AtomicInteger(Integer.parseInt(args[4]));
        Postrider node =
                Postrider.start(
                        io.postrider.server.config.SettingsLoader.load(
                                Map.of(
                                        "data", args[0],
                                        "http-port", args[1],
                                        "gateway-port", args[2]),
                                Map.of(),
                                (Path) null),
                        new Seams(
                                Clock.system(),
                                SessionLimits.standard(30),
                                point.equals("unflushed")
                                        ? CrashingServer::unflushed
                                        : dyingCommits(point, left),
                                messages -> dyingAcks(messages, point, left),
                                wakeUps -> new SilentHints(wakeUps, point, left),
                                line -> {}));
        System.out.println("ready http=" + node.http() + " gateway=" + node.gateway());
        System.out.flush();
        Thread.currentThread().join();
    }

    /** Commits that are not flushed: what a power loss then costs, tests must notice. */
    private static Connection unflushed(Connection real) {
        try (Statement statement = real.createStatement()) {
            statement.execute("PRAGMA synchronous = NORMAL");
            return real;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void dieIfDue(AtomicInteger left) {
        if (left.decrementAndGet() <= 0) {
            Runtime.getRuntime().halt(KILLED);
        }
    }

    private static UnaryOperator<Connection> dyingCommits(String point, AtomicInteger left) {
        return real ->
                (Connection)
                        Proxy.newProxyInstance(
                                CrashingServer.class.getClassLoader(),
                                new Class<?>[] {Connection.class},
                                (proxy, method, arguments) -> {
                                    boolean commit = method.getName().equals("commit");
                                    if (commit && point.equals("before-commit")) {
                                        dieIfDue(left);
                                    }
                                    try {
                                        Object answer = method.invoke(real, arguments);
                                        if (commit && point.equals("after-commit")) {
                                            dieIfDue(left);
                                        }
                                        return answer;
                                    } catch (InvocationTargetException e) {
                                        throw e.getCause();
                                    }
                                });
    }

    /** From its moment on sends nothing that is stored, and dies a little later. */
    private record SilentHints(WakeUps real, String point, AtomicInteger left) implements WakeUps {
        private static final int ANSWERED_MEANWHILE = 20;

        @Override
        public void committed(
                long afterId, long upTo, List<Arrival> arrivals, List<Change> changes) {
            if (!point.equals("before-send")) {
                real.committed(afterId, upTo, arrivals, changes);
            } else if (left.decrementAndGet() > 0) {
                real.committed(afterId, upTo, arrivals, changes);
            } else if (left.get() < -ANSWERED_MEANWHILE) {
                Runtime.getRuntime().halt(KILLED);
            }
        }

        @Override
        public void changed(Change change) {
            real.changed(change);
        }
    }

    private static MessageStore dyingAcks(MessageStore real, String point, AtomicInteger left) {
        return StoreVariant.of(
                real,
                "acknowledge",
                arguments -> {
                    if (point.equals("before-ack")) {
                        dieIfDue(left);
                    }
                    return real.acknowledge((AckBatch) arguments[0]);
                });
    }
}
