package io.postrider.server.store;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a PostgreSQL database is, as a connection URI (PostgreSQL 34.1.1.2): {@code
 * postgres://user:password@host:port,host:port/database?parameter=value}. What the parameters mean
 * is the driver's business. In text it has no password.
 */
record PostgresAddress(String jdbc, Optional<String> user, Optional<String> password) {
    private static final String HOST = "(?:[^/?@:,\\[\\]]+|\\[[0-9A-Fa-f:.]+])(?::\\d{1,5})?";
    private static final Pattern URI =
            Pattern.compile(
                    "postgres(?:ql)?://(?:([^:@/?]*)(?::([^@/?]*))?@)?("
                            + HOST
                            + "(?:,"
                            + HOST
                            + ")*)/([^/?@]+)(\\?.*)?");
    private static final Pattern PORT = Pattern.compile(":(\\d+)(?=,|$)");
    private static final int MOST_PORT = 65_535;

    /**
     * Empty if it is not such a URI. What the driver refuses it quotes, with the password that
     * somebody wrote in the wrong place; so it gets nothing that it refuses.
     */
    static Optional<PostgresAddress> of(String uri) {
        Matcher parts = URI.matcher(uri);
        try {
            return parts.matches() && hasPorts(parts.group(3)) ? of(parts) : Optional.empty();
        } catch (IllegalArgumentException e) {
            // Percent signs that begin no code.
            return Optional.empty();
        }
    }

    private static boolean hasPorts(String hosts) {
        return PORT.matcher(hosts)
                .results()
                .mapToInt(port -> Integer.parseInt(port.group(1)))
                .allMatch(port -> port > 0 && port <= MOST_PORT);
    }

    private static Optional<PostgresAddress> of(Matcher parts) {
        String hosts = parts.group(3);
        String query = Optional.ofNullable(parts.group(5)).orElse("");
        if (hosts.contains(",") && !query.contains("targetServerType=")) {
            // The others are standbys.
            query += (query.isEmpty() ? "?" : "&") + "targetServerType=primary";
        }
        return Optional.of(
                new PostgresAddress(
                        "jdbc:postgresql://" + hosts + "/" + parts.group(4) + query,
                        decoded(parts.group(1)),
                        decoded(parts.group(2))));
    }

    /** With a password, if it has none. */
    PostgresAddress withPassword(Optional<String> other) {
        return new PostgresAddress(jdbc, user, password.or(() -> other));
    }

    private static Optional<String> decoded(String part) {
        // A plus sign is itself here.
        return Optional.ofNullable(part)
                .filter(text -> !text.isEmpty())
                .map(text -> URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8));
    }

    @Override
    public String toString() {
        return jdbc.substring("jdbc:postgresql://".length()).replaceAll("\\?.*", "");
    }
}
