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
 * refused, unless each of that version's scripts has written to {@code meta}, as {@code
 * runs_beside_} and its own version, the oldest schema version whose nodes may run on what it did:
 * a script does so if all it does is to add.
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
        try (Sql sql = new Sql(source.getConnection())) {
            return Arrays.stream(all)
                    .filter(Migrations::isNewer)
                    .map(newer -> oldestBeside(sql, newer))
                    .allMatch(oldest -> oldest.filter(own::isAtLeast).isPresent());
        } catch (SQLException e) {
            throw new StoreException("no connection to the database: " + e.getMessage(), e);
        }
    }

    private static Optional<String> oldestBeside(Sql sql, MigrationInfo newer) {
        return sql.first(
                "SELECT value FROM meta WHERE name = ?",
                row -> row.getString(1),
                "runs_beside_" + newer.getVersion());
    }
}
