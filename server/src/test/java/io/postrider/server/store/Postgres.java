package io.postrider.server.store;

import io.postrider.server.ManualClock;
import io.postrider.server.delivery.WakeUps;
import io.postrider.server.metrics.Metrics;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/** One PostgreSQL for all tests of a process, with a database for each folder of a test. */
public final class Postgres {
    private static final AtomicInteger COUNT = new AtomicInteger();
    private static final Map<Path, String> DATABASES = new ConcurrentHashMap<>();

    private Postgres() {}

    private static final class Server {
        static final EmbeddedPostgres RUNNING = start();

        private static EmbeddedPostgres start() {
            try {
                return EmbeddedPostgres.builder().setServerConfig("max_connections", "300").start();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static final class Template {
        static final String NAME = migrated();

        /** Making the schema takes longer than copying it. */
        private static String migrated() {
            execute("CREATE DATABASE migrated");
            PostgresEngine.open(
                            PostgresAddress.of(named("migrated")).orElseThrow(),
                            new ManualClock(),
                            UnaryOperator.identity())
                    .close();
            return "migrated";
        }
    }

    /** The address of the folder's database, which is made if there is none. */
    public static String address(Path folder) {
        return named(name(folder));
    }

    /**
     * A connection that keeps all nodes on the folder's database from committing until it is
     * closed.
     */
    public static Connection holdingUp(Path folder) throws SQLException {
        Connection holding = Server.RUNNING.getDatabase("postgres", name(folder)).getConnection();
        holding.setAutoCommit(false);
        try (Statement statement = holding.createStatement()) {
            statement.execute("SELECT last FROM sequences WHERE name = 'messages' FOR UPDATE");
        }
        return holding;
    }

    /** Changes the folder's database for connections to come. */
    static void alter(Path folder, String change) {
        execute("ALTER DATABASE " + name(folder) + " " + change);
    }

    /** Ends all connections to the folder's database. */
    static void endConnections(Path folder) {
        execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"
                        + name(folder)
                        + "'");
    }

    private static String name(Path folder) {
        return DATABASES.computeIfAbsent(folder, made -> create());
    }

    private static String named(String database) {
        int port = Server.RUNNING.getPort();
        return "postgres://postgres@127.0.0.1:" + port + "/" + database;
    }

    private static String create() {
        String name = "test_" + COUNT.incrementAndGet();
        execute("CREATE DATABASE " + name + " TEMPLATE " + Template.NAME);
        return name;
    }

    private static void execute(String sql) {
        try (Connection connection = Server.RUNNING.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new StoreException(sql + " failed", e);
        }
    }

    static Database database(Path folder, ManualClock clock) {
        return Database.open(
                address(folder), Optional.empty(), clock, new Metrics(), UnaryOperator.identity());
    }

    static Stores stores(Path folder, ManualClock clock, WakeUps wakeUps) {
        return SqliteStoreTest.stores(database(folder, clock), clock, wakeUps);
    }
}
