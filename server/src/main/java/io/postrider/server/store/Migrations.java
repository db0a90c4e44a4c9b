package io.postrider.server.store;

import java.util.Map;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;

/** Brings a database to this version's schema. */
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
                        .ignoreMigrationPatterns("*:pending")
                        .load();
        try {
            flyway.validate();
        } catch (FlywayException e) {
            throw new StoreException(
                    "the database was written by a newer Postrider, or its schema was changed by"
                            + " hand; start the version that wrote it. "
                            + String.valueOf(e.getMessage()).lines().findFirst().orElse(""),
                    e);
        }
        flyway.migrate();
    }
}
