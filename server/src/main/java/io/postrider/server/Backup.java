package io.postrider.server;

import io.postrider.server.config.Settings;
import io.postrider.server.config.Settings.LogFormat;
import io.postrider.server.config.SettingsException;
import io.postrider.server.config.SettingsLoader;
import io.postrider.server.store.SqlBackups;
import io.postrider.server.store.StoreException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The verbs {@code backup}, {@code restore} and {@code epoch}. */
final class Backup {
    private Backup() {}

    /** What all three have: where the database is, and mistakes that are answered with 2. */
    abstract static class Verb implements Callable<Integer> {
        final PrintStream out;
        private final PrintStream err;

        @Option(
                names = "--data",
                paramLabel = "DIR",
                description = "The node's folder. Default: as serve, data.")
        private @Nullable String data;

        @Option(
                names = "--config",
                paramLabel = "FILE",
                description = "The node's YAML file, as for serve.")
        private @Nullable Path config;

        Verb(PrintStream out, PrintStream err) {
            this.out = out;
            this.err = err;
        }

        abstract void run(Settings settings);

        Map<String, String> options() {
            Map<String, String> options = new HashMap<>();
            if (data != null) {
                options.put("data", data);
            }
            return options;
        }

        /** The folder of the database, where it is not in PostgreSQL. */
        static Path folder(Settings settings) {
            if (settings.store().isPresent()) {
                throw new SettingsException(
                        "store is set, so the database is not in a folder: PostgreSQL is backed up"
                                + " by its own means, such as pg_dump");
            }
            return settings.data();
        }

        @Override
        public Integer call() {
            Logging.start(LogFormat.TEXT);
            try {
                run(SettingsLoader.load(options(), System.getenv(), config));
                return 0;
            } catch (SettingsException | StoreException e) {
                err.println("postrider: " + e.getMessage());
                return 2;
            }
        }
    }

    @Command(
            name = "backup",
            mixinStandardHelpOptions = true,
            description =
                    "Writes a node's database to a file, while the node serves. PostgreSQL is backed"
                            + " up by its own means, such as pg_dump.")
    static final class Save extends Verb {
        @Parameters(paramLabel = "FILE", description = "A file that is not there yet.")
        private Path file = Path.of("");

        Save(PrintStream out, PrintStream err) {
            super(out, err);
        }

        @Override
        void run(Settings settings) {
            Path folder = folder(settings);
            SqlBackups.save(folder, file);
            out.println("saved " + folder + " to " + file);
        }
    }

    @Command(
            name = "restore",
            mixinStandardHelpOptions = true,
            description =
                    "Makes a folder without a database have the one of a backup. Devices are told"
                            + " of a new epoch when they come, since what came after the backup is"
                            + " lost.")
    static final class Restore extends Verb {
        @Parameters(paramLabel = "FILE", description = "What `backup` has written.")
        private Path file = Path.of("");

        Restore(PrintStream out, PrintStream err) {
            super(out, err);
        }

        @Override
        void run(Settings settings) {
            Path folder = folder(settings);
            String epoch = SqlBackups.restore(file, folder);
            out.println("restored " + file + " to " + folder + ", epoch " + epoch);
        }
    }

    @Command(
            name = "epoch",
            mixinStandardHelpOptions = true,
            description =
                    "Gives a PostgreSQL database that was restored a new epoch, by which devices see"
                            + " that something may be lost. To be run before the first node starts.")
    static final class Epoch extends Verb {
        @Option(names = "--new", description = "Yes, a new one.")
        private boolean renew;

        @Option(
                names = "--store",
                paramLabel = "URI",
                description = "postgres://… as for serve; better in the environment.")
        private @Nullable String store;

        Epoch(PrintStream out, PrintStream err) {
            super(out, err);
        }

        @Override
        Map<String, String> options() {
            Map<String, String> options = super.options();
            if (store != null) {
                options.put("store", store);
            }
            return options;
        }

        @Override
        void run(Settings settings) {
            if (!renew) {
                throw new SettingsException("say --new, if a restored database is to get one");
            }
            String uri =
                    settings.store()
                            .orElseThrow(() ->
                                    new SettingsException(
                                            "say which database: --store postgres://…, or"
                                                    + " POSTRIDER_STORE"));
            out.println("epoch " + SqlBackups.newEpoch(uri, settings.storePassword()));
        }
    }
}
