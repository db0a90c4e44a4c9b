package io.postrider.server.store;

import java.sql.SQLException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.MigrationState;
import org.flywaydb.core.api.MigrationVersion;

/**
 * Brings a database to this version's schema. One that a newer version has taken further is
 * refused, unless that version's scripts have written to {@code meta}, as {@code runs_beside}, the
 * oldest schema version whose nodes may run on theirs: a script does so if all it does is to add.
 */
final class Migrations {
    /** What every engine runs. */
    static final String COMMON = "classpath:io/postrider/server/store/migrations";

    private Migrations() {}

    /**
     * @param types what the scripts call differently in each engine
     */
    static void run(DataSource source, Map<String, String> types, String... scripts) {
        Flyway flyway =
                Flyway.configure()
                        .dataSource(source)
                        .locations(scripts)
                        .placeholders(types)
                        .ignoreMigrationPatterns("*:pending", "*:future")
                        .load();
        try {
            flyway.validate();
        } catch (FlywayException e) {
            throw new StoreException(
                    "the database's schema was changed by hand. "
                            + String.valueOf(e.getMessage()).lines().findFirst().orElse(""),
                    e);
        }
        MigrationInfo[] all = flyway.info().all();
        if (Arrays.stream(all).anyMatch(Migrations::isNewer) && !mayRunBeside(all, source)) {
            throw new StoreException(
                    "the database was written by a newer Postrider, beside which this one cannot"
                            + " run; start the version that wrote it");
        }
        flyway.migrate();
    }

    private static boolean isNewer(MigrationInfo migration) {
        return migration.getState() == MigrationState.FUTURE_SUCCESS
                || migration.getState() == MigrationState.FUTURE_FAILED;
    }

    private static boolean mayRunBeside(MigrationInfo[] all, DataSource source) {
        MigrationVersion own =
                Arrays.stream(all)
                        .filter(migration -> !isNewer(migration))
                        .map(MigrationInfo::getVersion)
                        .max(Comparator.naturalOrder())
                        .orElse(MigrationVersion.EMPTY);
        return oldestBeside(source).filter(own::isAtLeast).isPresent();
    }

    private static Optional<String> oldestBeside(DataSource source) {
        try (Sql sql = new Sql(source.getConnection())) {
            return sql.first(
                    "SELECT value FROM meta WHERE name = 'runs_beside'", row -> row.getString(1));
        } catch (SQLException e) {
            throw new StoreException("no connection to the database: " + e.getMessage(), e);
        }
    }
}
