package io.postrider.server.store;

import io.postrider.server.clock.Clock;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * Backups of a folder's database, and what a database that was restored needs. Each fails with a
 * {@link StoreException} that says what to do, and leaves what was there as it was.
 */
public final class SqlBackups {
    /**
     * Numbers that were given to devices after the backup must not be given to others: their tokens
     * are still good. More than any node registers between two backups.
     */
    private static final int NUMBERS_LEFT_OUT = 1 << 22;

    private static final String NEW_EPOCH = "UPDATE meta SET value = ? WHERE name = 'epoch'";
    private static final String LEAVE_NUMBERS_OUT =
            "UPDATE apps SET last_number = last_number + " + NUMBERS_LEFT_OUT;

    private SqlBackups() {}

    /**
     * Writes the database as it is at this moment, with everything that has been answered 2xx, to a
     * file that does not exist yet. A node may go on serving meanwhile.
     */
    public static void save(Path data, Path file) {
        Path database = DataFolder.databaseIn(data);
        if (isEmpty(database)) {
            throw new StoreException("there is no database in " + data.toAbsolutePath());
        }
        if (Files.exists(file)) {
            throw new StoreException(
                    file.toAbsolutePath() + " is there already; name another file");
        }
        Path part = partOf(file);
        try {
            makeEmpty(part);
            SQLiteConfig config = new SQLiteConfig();
            config.setReadOnly(true);
            try (Connection connection = config.createConnection("jdbc:sqlite:" + database);
                    Sql sql = new Sql(connection)) {
                sql.update("VACUUM INTO ?", part.toString());
            }
            finish(part, file);
        } catch (IOException | SQLException | StoreException e) {
            leaveOut(part, e);
            throw new StoreException("the backup failed: " + e.getMessage(), e);
        }
    }

    /**
     * Makes a folder without a database have the one of a backup, under a new epoch, by which
     * devices see that something may be lost. Answers the epoch.
     */
    public static String restore(Path file, Path data) {
        if (!Files.isRegularFile(file)) {
            throw new StoreException("there is no file " + file.toAbsolutePath());
        }
        try (DataFolder folder = DataFolder.open(data)) {
            // A log that is left would be written over what is restored here.
            if (!isEmpty(folder.database()) || Files.exists(folder.log())) {
                String name = folder.database().getFileName().toString();
                throw new StoreException(
                        data.toAbsolutePath()
                                + " has a database; restore into another folder, or move "
                                + "%1$s, %1$s-wal and %1$s-shm away".formatted(name));
            }
            Path part = partOf(folder.database());
            try {
                return restore(file, part, folder);
            } catch (IOException | SQLException | StoreException e) {
                leaveOut(part, e);
                throw e;
            }
        } catch (IOException | SQLException e) {
            throw new StoreException(file + " could not be restored: " + e.getMessage(), e);
        }
    }

    private static String restore(Path file, Path part, DataFolder folder)
            throws IOException, SQLException {
        makeEmpty(part);
        try (OutputStream copy = Files.newOutputStream(part)) {
            Files.copy(file, copy);
        }
        String epoch = UUID.randomUUID().toString();
        SQLiteDataSource source = new SQLiteDataSource();
        source.setUrl("jdbc:sqlite:" + part);
        try (Sql sql = new Sql(source.getConnection())) {
            check(sql, file);
        }
        SqliteEngine.migrate(source);
        try (Sql sql = new Sql(source.getConnection())) {
            renew(sql, epoch);
        }
        finish(part, folder.database());
        return epoch;
    }

    private static void check(Sql sql, Path file) {
        boolean sound;
        try {
            sound =
                    sql.first("PRAGMA integrity_check", row -> row.getString(1))
                                    .filter("ok"::equals)
                                    .isPresent()
                            && sql.number("SELECT count(*) FROM meta WHERE name = 'epoch'") == 1;
        } catch (StoreException e) {
            sound = false;
        }
        if (!sound) {
            throw new StoreException(file.toAbsolutePath() + " is no backup, or is damaged");
        }
    }

    /**
     * Gives a PostgreSQL database that was restored by its own means a new epoch; no node may run
     * on it. Answers the epoch.
     */
    public static String newEpoch(String uri, Optional<String> password) {
        Engine engine =
                PostgresEngine.open(
                        Database.address(uri, password), Clock.system(), UnaryOperator.identity());
        try (Sql sql = engine.connect()) {
            sql.begin();
            Tx tx = engine.begin(sql, 0);
            if (sql.number(
                            "SELECT count(*) FROM incarnations"
                                    + " WHERE ended_at IS NULL AND lease_until > ?",
                            tx.now())
                    > 0) {
                throw new StoreException(
                        "a node runs on this database; stop all, and wait for half a minute if one"
                                + " was killed");
            }
            String epoch = UUID.randomUUID().toString();
            if (sql.number("SELECT count(*) FROM meta WHERE name = 'epoch'") == 0) {
                throw new StoreException("no node has ever run on this database");
            }
            renew(sql, epoch);
            sql.commit();
            return epoch;
        } finally {
            engine.close();
        }
    }

    private static void renew(Sql sql, String epoch) {
        sql.update(NEW_EPOCH, epoch);
        sql.update(LEAVE_NUMBERS_OUT);
    }

    private static boolean isEmpty(Path database) {
        try {
            return Files.notExists(database) || Files.size(database) == 0;
        } catch (IOException e) {
            throw new StoreException(database + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static Path partOf(Path file) {
        return file.resolveSibling(file.getFileName() + ".part");
    }

    /** Nobody else reads what is being written there. */
    private static void makeEmpty(Path part) throws IOException {
        Files.deleteIfExists(part);
        DataFolder.keepToOwner(part);
    }

    private static void leaveOut(Path part, Exception because) {
        try {
            Files.deleteIfExists(part);
        } catch (IOException e) {
            because.addSuppressed(e);
        }
    }

    /** On the disk first, then under its name. */
    private static void finish(Path part, Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
    }
}
