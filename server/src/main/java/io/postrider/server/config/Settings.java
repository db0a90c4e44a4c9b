package io.postrider.server.config;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Everything that can be set. A setting {@code http-port} is the option {@code --http-port}, the
 * environment's {@code POSTRIDER_HTTP_PORT}, and {@code http-port} in the file of {@code --config};
 * the first of these that is given wins.
 */
@ConfigMapping(prefix = "postrider")
public interface Settings {
    @Doc("Folder of the database, created if need be; one server at a time can use it.")
    @WithDefault("data")
    Path data();

    @Doc(
            "PostgreSQL 14 or later in place of the folder: postgres://user:password@host/database."
                    + " Others see command lines, so better in the environment.")
    Optional<String> store();

    @Doc("Password of the user in store, where that has none; for the environment.")
    Optional<String> storePassword();

    @Doc(
            "Redis by which nodes on one PostgreSQL hear of each other at once: redis://host:port,"
                    + " rediss://, redis-sentinel://, redis-cluster://. With a password better in the"
                    + " environment.")
    Optional<String> cluster();

    @Doc("How many devices this node is to have, compared to the others on the same PostgreSQL.")
    @WithDefault("100")
    int capacity();

    @Doc("Address to listen on. One that other machines reach needs advertise.")
    @WithDefault("127.0.0.1")
    String bind();

    @Doc("What devices are told to connect to: ws:// wss:// tcp:// tls:// addresses, by comma.")
    Optional<List<String>> advertise();

    @Doc("PEM file with the certificate and its chain, for both ports; read again when it changes.")
    Optional<Path> tlsCert();

    @Doc("PEM file with the certificate's private key (PKCS#8, not encrypted).")
    Optional<Path> tlsKey();

    @Doc(
            "Proxies whose X-Forwarded-For is believed: addresses or networks as 10.0.0.0/8, by comma.")
    Optional<List<String>> trustedProxies();

    @Doc("Who may sign up where others can reach the server: closed (the first, by code) or open.")
    @WithDefault("closed")
    Registration registration();

    @Doc("Connections that one app may have; 0 for no limit.")
    @WithDefault("0")
    int quotaConnections();

    @Doc("Messages that one app may publish a second; 0 for no limit.")
    @WithDefault("0")
    int quotaPublishesPerSecond();

    @Doc("Messages that are kept for one app; 0 for no limit.")
    @WithDefault("0")
    long quotaStoredMessages();

    @Doc("Port of REST; 0 picks a free one.")
    @WithDefault("8080")
    int httpPort();

    @Doc("Port of the gateway, TCP and WebSocket; 0 picks a free one.")
    @WithDefault("7700")
    int gatewayPort();

    @Doc("Name of this server in traces and logs.")
    @WithDefault("local")
    String node();

    @Doc("How logs look on stderr: text or json.")
    @WithDefault("text")
    LogFormat logFormat();

    @Doc("How often devices say that they are there, in seconds, 2 to 3600.")
    @WithDefault("30")
    int heartbeatSeconds();

    @Doc("Device registrations a second that one address may make for one app.")
    @WithDefault("500")
    int registrationsPerSecond();

    @Doc("A process id: when that process has ended, this server stops. 0 for none.")
    @WithDefault("0")
    long stopWith();

    /** Who may sign up on a server that other machines reach. */
    enum Registration {
        CLOSED,
        OPEN
    }

    /** How logs look. */
    enum LogFormat {
        TEXT,
        JSON
    }
}
