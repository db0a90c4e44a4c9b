package io.postrider.server.store;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.postrider.server.delivery.Message;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * The newest messages to many, so that not each of their drains reads them from disk. Messages
 * never change, so nothing here is ever stale; who may still have one is for the tables to say.
 */
final class MessageCache {
    private static final long MOST_BYTES = 48L << 20;
    private static final int OVERHEAD = 200;

    static final String COLUMNS =
            "id, app_id, created_at, expires_at, wants_ack, online_only, content, kind";

    private final Cache<Long, Message> byId =
            Caffeine.newBuilder()
                    .maximumWeight(MOST_BYTES)
                    .weigher((Long id, Message message) -> OVERHEAD + message.content().length)
                    .executor(Runnable::run)
                    .build();

    void add(Message message) {
        byId.put(message.id(), message);
    }

    void remove(long id) {
        byId.invalidate(id);
    }

    /** {@link #COLUMNS} where another table has some of them, too. */
    static String columnsOf(String table) {
        return table + "." + COLUMNS.replace(", ", ", " + table + ".");
    }

    /** The message, from memory or from its row. */
    @Nullable Message get(Sql sql, long id) {
        Message known = byId.getIfPresent(id);
        if (known != null) {
            return known;
        }
        Message read = read(sql, id);
        if (read != null) {
            add(read);
        }
        return read;
    }

    /** The message from its row. */
    static @Nullable Message read(Sql sql, long id) {
        return sql.first(
                        "SELECT " + COLUMNS + " FROM messages WHERE id = ?", MessageCache::read, id)
                .orElse(null);
    }

    static Message read(ResultSet row) throws SQLException {
        return new Message(
                row.getLong(1),
                row.getLong(2),
                row.getLong(3),
                row.getLong(4),
                row.getBoolean(5),
                row.getBoolean(6),
                row.getInt(8) == Deliveries.KIND_GROUPS,
                row.getBytes(7));
    }
}
