package io.postrider.server.config;

import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.smallrye.config.WithDefault;
import io.smallrye.config.source.yaml.YamlConfigSource;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Makes {@link Settings} of command line, environment and file, and refuses what it is not sure of.
 */
public final class SettingsLoader {
    private static final String PREFIX = "postrider.";
    private static final String ENVIRONMENT = "POSTRIDER_";

    /** Names in the environment that are for the launcher and the command line's other verbs. */
    private static final List<String> NOT_SETTINGS =
            List.of("POSTRIDER_JAVA_HOME", "POSTRIDER_JAVA_OPTS", "POSTRIDER_HOME");

    private SettingsLoader() {}

    /** One setting, as it is documented. */
    public record Entry(String name, String defaultValue, String doc) {}

    /** All settings, in the order of their names. */
    public static List<Entry> entries() {
        return Arrays.stream(Settings.class.getDeclaredMethods())
                .filter(method -> method.isAnnotationPresent(Doc.class))
                .map(SettingsLoader::entry)
                .sorted(Comparator.comparing(Entry::name))
                .toList();
    }

    private static Entry entry(Method method) {
        return new Entry(
                kebab(method.getName()),
                method.isAnnotationPresent(WithDefault.class)
                        ? method.getAnnotation(WithDefault.class).value()
                        : "none",
                method.getAnnotation(Doc.class).value());
    }

    private static String kebab(String camel) {
        return camel.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }

    /**
     * @param options from the command line, by name without dashes
     * @param environment the process's; what does not start with {@code POSTRIDER_} is ignored
     * @throws SettingsException if a name is unknown or a value is wrong
     */
    public static Settings load(
            Map<String, String> options, Map<String, String> environment, @Nullable Path file) {
        Map<String, String> values = new HashMap<>();
        if (file != null) {
            fromFile(file).forEach((name, value) -> put(values, name, value, "in " + file));
        }
        environment.forEach((name, value) -> {
            if (name.startsWith(ENVIRONMENT) && !NOT_SETTINGS.contains(name)) {
                String setting =
                        name.substring(ENVIRONMENT.length())
                                .toLowerCase(Locale.ROOT)
                                .replace('_', '-');
                put(values, setting, value, "(" + name + " in the environment)");
            }
        });
        options.forEach((name, value) -> put(values, name, value, "on the command line"));
        return check(map(values));
    }

    private static void put(Map<String, String> values, String name, String value, String where) {
        List<String> known = entries().stream().map(Entry::name).toList();
        if (!known.contains(name)) {
            String nearest =
                    known.stream()
                            .min(Comparator.comparingInt(each -> distance(each, name)))
                            .orElseThrow();
            throw new SettingsException(
                    "there is no setting '"
                            + name
                            + "' "
                            + where
                            + "; the nearest is '"
                            + nearest
                            + "'. `serve --help` lists all.");
        }
        values.put(PREFIX + name, value);
    }

    private static Map<String, String> fromFile(Path file) {
        try {
            return new YamlConfigSource(file.toString(), Files.readString(file)).getProperties();
        } catch (IOException e) {
            throw new SettingsException("the settings in " + file + " cannot be read");
        } catch (RuntimeException e) {
            throw new SettingsException(file + " is no YAML: " + firstLine(e));
        }
    }

    private static Settings map(Map<String, String> values) {
        try {
            return mapped(values);
        } catch (RuntimeException e) {
            throw new SettingsException(whichIsWrong(values));
        }
    }

    /** The library's message does not name the setting, so each is tried by itself. */
    private static String whichIsWrong(Map<String, String> values) {
        for (Map.Entry<String, String> value : values.entrySet()) {
            try {
                mapped(Map.of(value.getKey(), value.getValue()));
            } catch (RuntimeException e) {
                return value.getKey().substring(PREFIX.length())
                        + " cannot be '"
                        + value.getValue()
                        + "'; `serve --help` says what it is";
            }
        }
        return "the settings do not go together";
    }

    private static Settings mapped(Map<String, String> values) {
        return new SmallRyeConfigBuilder()
                .withSources(new PropertiesConfigSource(values, "settings", 100))
                .withMapping(Settings.class)
                .build()
                .getConfigMapping(Settings.class);
    }

    private static String firstLine(RuntimeException e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }

    private static Settings check(Settings settings) {
        checkRange("http-port", settings.httpPort(), 0, 65_535);
        checkRange("gateway-port", settings.gatewayPort(), 0, 65_535);
        checkRange("heartbeat-seconds", settings.heartbeatSeconds(), 2, 3_600);
        checkRange("registrations-per-second", settings.registrationsPerSecond(), 1, 1_000_000);
        checkRange("quota-connections", settings.quotaConnections(), 0, Integer.MAX_VALUE);
        checkRange(
                "quota-publishes-per-second",
                settings.quotaPublishesPerSecond(),
                0,
                Integer.MAX_VALUE);
        if (!settings.node().matches("[A-Za-z0-9._-]{1,64}")) {
            throw new SettingsException(
                    "node has 1 to 64 letters, digits, dots, dashes and underscores");
        }
        if (settings.quotaStoredMessages() < 0) {
            throw new SettingsException("quota-stored-messages cannot be negative");
        }
        checkRange("capacity", settings.capacity(), 1, 1_000_000);
        if (settings.cluster().isPresent() && settings.store().isEmpty()) {
            throw new SettingsException(
                    "cluster is for nodes on one PostgreSQL; name that with store=postgres://...");
        }
        if (settings.tlsCert().isPresent() != settings.tlsKey().isPresent()) {
            throw new SettingsException("tls-cert and tls-key go together; name both files");
        }
        if (settings.bind().matches(".*[ /].*|[0-9.]+") && !Network.isAddress(settings.bind())) {
            throw new SettingsException("bind " + settings.bind() + " is no address");
        }
        settings.advertise().orElse(List.of()).forEach(Exposure::checkAdvertised);
        settings.trustedProxies().orElse(List.of()).forEach(Network::of);
        if (!Exposure.isLoopback(settings.bind()) && settings.advertise().isEmpty()) {
            throw new SettingsException(
                    "bind "
                            + settings.bind()
                            + " is reachable from other machines, so say what devices are told to"
                            + " connect to, such as --advertise "
                            + (settings.tlsCert().isPresent() ? "wss" : "ws")
                            + "://push.example.com:"
                            + settings.gatewayPort());
        }
        return settings;
    }

    private static void checkRange(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new SettingsException(
                    name + " " + value + " is not between " + least + " and " + most);
        }
    }

    /** Levenshtein's distance. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(change, Math.min(row[j] + 1, row[j - 1] + 1));
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
