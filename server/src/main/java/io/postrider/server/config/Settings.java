package io.postrider.server.config;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;

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

    @Doc("Address to listen on. Only loopback addresses for now.")
    @WithDefault("127.0.0.1")
    String bind();

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

    /** How logs look. */
    enum LogFormat {
        TEXT,
        JSON
    }
}
