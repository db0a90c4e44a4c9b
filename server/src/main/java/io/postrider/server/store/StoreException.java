package io.postrider.server.store;

import java.sql.SQLException;
import org.sqlite.SQLiteErrorCode;

/** The database could not do what it was asked; whether it has is unknown (G2). */
public final class StoreException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The part of SQLite's extended result codes that names the kind of failure. */
    private static final int PRIMARY_CODE = 0xff;

    public StoreException(String message, Throwable cause) {
        super(message, cause);
    }

    public StoreException(String message) {
        super(message);
    }

    /** Whether the disk or the file failed, and not what was asked of it. */
    boolean isOfTheDisk() {
        if (!(getCause() instanceof SQLException sql)) {
            return false;
        }
        return switch (SQLiteErrorCode.getErrorCode(sql.getErrorCode() & PRIMARY_CODE)) {
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
}
