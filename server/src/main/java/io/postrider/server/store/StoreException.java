package io.postrider.server.store;

import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteErrorCode;

/** The database could not do what it was asked; whether it has is unknown (G2). */
public final class StoreException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** SQLSTATE of a lock that was not to be had in time. */
    private static final String NO_LOCK = "55P03";

    /** The part of SQLite's extended result codes that names the kind of failure. */
    private static final int PRIMARY_CODE = 0xff;

    public StoreException(String message, Throwable cause) {
        super(message, cause);
    }

    public StoreException(String message) {
        super(message);
    }

    /** Whether somebody held a lock for too long. */
    boolean isOfALock() {
        return getCause() instanceof SQLException sql && NO_LOCK.equals(sql.getSQLState());
    }

    /**
     * Whether the database itself failed, and not what was asked of it. Of a reader that was not to
     * be had in time the pool says so by the type alone.
     */
    boolean isOfTheDatabase() {
        return getCause() instanceof SQLTransientConnectionException
                || (getCause() instanceof SQLException sql
                        && (isOfPostgres(sql.getSQLState()) || isOfSqlite(sql.getErrorCode())));
    }

    private static boolean isOfSqlite(int code) {
        return switch (SQLiteErrorCode.getErrorCode(code & PRIMARY_CODE)) {
            case SQLITE_IOERR,
                    SQLITE_FULL,
                    SQLITE_CANTOPEN,
                    SQLITE_READONLY,
                    SQLITE_CORRUPT,
                    SQLITE_NOTADB,
                    SQLITE_BUSY,
                    SQLITE_NOMEM ->
                    true;
            default -> false;
        };
    }

    /** By the classes of SQLSTATE (PostgreSQL, appendix A). */
    private static boolean isOfPostgres(@Nullable String state) {
        if (state == null || state.length() != 5) {
            return false;
        }
        return switch (state) {
            case "25006", // a standby, which cannot write
                    "25P03", // a transaction that stood still for too long
                    NO_LOCK ->
                    true;
            default ->
                    switch (state.substring(0, 2)) {
                        // connection; resources; operator; system; internal
                        case "08", "53", "57", "58", "XX" -> true;
                        default -> false;
                    };
        };
    }
}
