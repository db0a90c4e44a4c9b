package io.postrider.server;

import io.postrider.server.config.Exposure;
import io.postrider.server.config.Settings;
import io.postrider.server.config.Settings.LogFormat;
import io.postrider.server.config.SettingsException;
import io.postrider.server.config.SettingsLoader;
import io.postrider.server.store.StoreException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** The verb {@code serve}: one node, until it is told to stop. */
final class Serve {
    private static final String CONFIG = "config";

    private final PrintStream out;
    private final PrintStream err;

    Serve(PrintStream out, PrintStream err) {
        this.out = out;
        this.err = err;
    }

    /** The verb's options, made of the settings. */
    static CommandSpec spec() {
        CommandSpec spec = CommandSpec.create().name("serve").mixinStandardHelpOptions(true);
        spec.usageMessage()
                .description(
                        "Runs one node until SIGTERM. Prints one line on stdout once it takes"
                                + " traffic; logs go to stderr.")
                .footer(
                        "",
                        "Every option can also be set in the environment, as POSTRIDER_HTTP_PORT,",
                        "or in a YAML file, as http-port: 8080. The command line comes first.",
                        "",
                        "Example: ./postrider serve --data /var/lib/postrider --http-port 0");
        for (SettingsLoader.Entry setting : SettingsLoader.entries()) {
            spec.addOption(
                    OptionSpec.builder("--" + setting.name())
                            .paramLabel("VALUE")
                            .type(String.class)
                            .description(
                                    setting.doc() + " Default: " + setting.defaultValue() + ".")
                            .build());
        }
        spec.addOption(
                OptionSpec.builder("--" + CONFIG)
                        .paramLabel("FILE")
                        .type(Path.class)
                        .description("A YAML file with settings.")
                        .build());
        return spec;
    }

    /** Runs the node; answers the exit status. */
    int run(ParseResult parsed) {
        Logging.start(LogFormat.TEXT);
        Map<String, String> options = new LinkedHashMap<>();
        for (SettingsLoader.Entry setting : SettingsLoader.entries()) {
            String value = parsed.matchedOptionValue("--" + setting.name(), (String) null);
            if (value != null) {
                options.put(setting.name(), value);
            }
        }
        try {
            Settings settings =
                    SettingsLoader.load(
                            options,
                            System.getenv(),
                            parsed.matchedOptionValue("--" + CONFIG, (Path) null));
            Logging.start(settings.logFormat());
            serve(settings);
            return 0;
        } catch (SettingsException | StoreException e) {
            err.println("postrider: " + e.getMessage());
            return 2;
        } catch (UncheckedIOException e) {
            err.println("postrider: " + Objects.requireNonNull(e.getCause()).getMessage());
            return 2;
        }
    }

    private void serve(Settings settings) {
        warnings(settings);
        Postrider node =
                Postrider.start(settings, Postrider.Seams.none(settings).telling(err::println));
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime()
                .addShutdownHook(
                        new Thread(
                                () -> {
                                    node.close();
                                    stopped.countDown();
                                    // A shutdown by signal would otherwise answer 143.
                                    Runtime.getRuntime().halt(0);
                                },
                                "shutdown"));
        stopWith(settings.stopWith());
        out.println(
                "ready http="
                        + node.http()
                        + " gateway="
                        + node.gateway()
                        + " "
                        + node.place()
                        + " in "
                        + String.format(Locale.ROOT, "%.1f", uptimeSeconds())
                        + " s");
        out.flush();
        hints(node.http());
        try {
            stopped.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void warnings(Settings settings) {
        if (Exposure.isExposed(settings)
                && settings.tlsCert().isEmpty()
                && settings.trustedProxies().isEmpty()) {
            err.println(
                    "Warning: others reach this server, and what they send can be read on its way."
                            + " Set tls-cert and tls-key, or put a proxy with TLS before it.");
        }
    }

    /** For servers that belong to another process, which may be killed without a word. */
    private static void stopWith(long pid) {
        if (pid == 0) {
            return;
        }
        ProcessHandle.of(pid)
                .map(ProcessHandle::onExit)
                .orElseGet(() -> CompletableFuture.completedFuture(ProcessHandle.current()))
                .thenRun(() -> System.exit(0));
    }

    private static double uptimeSeconds() {
        return ManagementFactory.getRuntimeMXBean().getUptime() / 1000.0;
    }

    private void hints(String http) {
        String at = http.equals("http://127.0.0.1:8080") ? "" : " --server " + http;
        err.println("Try, in another shell:");
        err.println("  ./postrider app create hello" + at);
        err.println("  ./postrider listen");
        err.println("  ./postrider publish \"Hello, world\"");
    }
}
