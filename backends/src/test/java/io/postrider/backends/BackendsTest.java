package io.postrider.backends;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BackendsTest {
    @TempDir Path folder;

    private static Connection connect(PostgresServer server) throws SQLException {
        URI address = URI.create(server.address());
        return DriverManager.getConnection(
                "jdbc:postgresql://" + address.getHost() + ":" + address.getPort() + "/postgres",
                address.getUserInfo(),
                null);
    }

    @Test
    void postgresComesBackWithWhatWasCommittedWhereItWas() throws Exception {
        try (PostgresServer server = new PostgresServer(folder)) {
            String address = server.address();
            try (Connection connection = connect(server);
                    Statement statement = connection.createStatement()) {
                statement.execute("CREATE TABLE kept AS SELECT 7 AS n");
            }
            server.stopImmediately();
            assertThatThrownBy(() -> connect(server)).isInstanceOf(SQLException.class);
            server.start();
            assertThat(server.address()).isEqualTo(address);
            try (Connection connection = connect(server);
                    Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("SELECT n FROM kept")) {
                assertThat(row.next()).isTrue();
                assertThat(row.getInt(1)).isEqualTo(7);
            }
        }
    }

    private static String ping(Redis redis) throws IOException {
        URI uri = URI.create(redis.uri());
        try (Socket socket = new Socket(uri.getHost(), uri.getPort());
                BufferedReader in =
                        new BufferedReader(
                                new InputStreamReader(
                                        socket.getInputStream(), StandardCharsets.US_ASCII))) {
            socket.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
            return in.readLine();
        }
    }

    @Test
    void redisComesBackWhereItWas() throws Exception {
        try (Redis redis = new Redis()) {
            assertThat(ping(redis)).isEqualTo("+PONG");
            redis.stop();
            assertThatThrownBy(() -> ping(redis)).isInstanceOf(ConnectException.class);
            redis.start();
            assertThat(ping(redis)).isEqualTo("+PONG");
        }
    }
}
