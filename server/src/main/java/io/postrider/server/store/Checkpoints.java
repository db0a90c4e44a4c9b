package io.postrider.server.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteDataSource;

/**
 * Copies the log into the database and flushes it there, on a connection of its own so that no
 * commit waits for it. One copy at a time, whichever thread asks.
 */
final class Checkpoints implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Checkpoints.class);

    /** Where the wal-index has how many frames are copied. */
    private static final int COPIED_FRAMES = 96;

    /** 16 MB: longer, the log is to begin anew. */
    private static final int LONG_PAGES = 4_096;

    private final SQLiteDataSource source;

    /** Beside SQLite's own. Closed last, since closing them drops the locks of its connections. */
    private final FileChannel file;

    private final FileChannel walIndex;
    private Sql sql;
    private @Nullable Log last;

    /** The log as it was found, and how much of it is copied. */
    private record Log(int pages, int copied) {}

    /** How a copy ended. */
    enum Copied {
        /** The log is short, or nothing has come since the last time. */
        ENOUGH,
        /** The log is long, and begins anew only if all of it is copied while nobody writes. */
        LONG,
        /** Not at all; what can be done about that is left to the next time. */
        FAILED,
        /** The disk has failed: what the log has may be all there is. */
        DISK_FAILED
    }

    /** The database must have been read, which is when SQLite makes the wal-index. */
    Checkpoints(SQLiteDataSource source, DataFolder folder) throws SQLException, IOException {
        this.source = source;
        this.sql = new Sql(source.getConnection());
        this.file = FileChannel.open(folder.database(), StandardOpenOption.WRITE);
        this.walIndex = FileChannel.open(folder.walIndex(), StandardOpenOption.WRITE);
    }

    /** Copies what is committed. */
    synchronized Copied copy() {
        try {
            Log log =
                    sql.first(
                                    "PRAGMA wal_checkpoint(PASSIVE)",
                                    row -> new Log(row.getInt(2), row.getInt(3)))
                            .orElseThrow();
            if (log.equals(last)) {
                return Copied.ENOUGH;
            }
            last = log;
            // SQLite does so only when nothing has come meanwhile, and copies nothing twice.
            file.force(false);
            return log.pages > LONG_PAGES ? Copied.LONG : Copied.ENOUGH;
        } catch (StoreException e) {
            LOG.warn("checkpoint failed, will be tried again: {}", e.getMessage());
            return e.isOfTheDatabase() ? Copied.DISK_FAILED : Copied.FAILED;
        } catch (IOException e) {
            LOG.warn("what a checkpoint copied was not flushed: {}", e.getMessage());
            return Copied.DISK_FAILED;
        }
    }

    /**
     * Copies the whole log by a connection that was opened anew, and has it begin anew; also what
     * was copied before, since that may be among what a flush has lost. How much was copied is a
     * number in the wal-index (SQLite, WAL-mode file format, 2.2), which may be lower than the
     * truth at any time. From here on copies use a connection opened anew.
     */
    synchronized void copyAgain(Sql opened) throws SQLException, IOException {
        walIndex.write(ByteBuffer.allocate(Integer.BYTES), COPIED_FRAMES);
        last = null;
        if (opened.number("PRAGMA wal_checkpoint(TRUNCATE)") != 0) {
            throw new StoreException("readers held the log");
        }
        Sql distrusted = sql;
        sql = new Sql(source.getConnection());
        distrusted.abandon();
    }

    /** To be called when no other connection is open. */
    @Override
    public synchronized void close() {
        sql.abandon();
        try {
            file.close();
            walIndex.close();
        } catch (IOException e) {
            LOG.debug("a file that nothing is to be written to did not close", e);
        }
    }
}
