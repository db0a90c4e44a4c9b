package io.postrider.server.store;

import io.postrider.server.clock.Clock;
import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.Mailboxes;
import io.postrider.server.delivery.Message;
import io.postrider.server.store.PendingIndex.Recent;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.roaringbitmap.RoaringBitmap;

/** Mailboxes and sessions. */
public final class SqlMailboxes implements Mailboxes {
    /** A drain stops at so much content, so that what one session holds in memory is bounded. */
    private static final int MOST_BYTES = 256 * 1024;

    /** Nodes take the store's time from its answers. */
    private static final long CLOCKS_DIFFER_MILLIS = 100;

    /**
     * Of messages to many, what others were recipients of, too. In no order: to have one, SQLite
     * would read all that the app has.
     */
    static final String RECALLED_SINCE =
            "SELECT id, kind FROM messages WHERE app_id = ? AND recalled_at >= ?"
                    + " AND expires_at > ? AND id <= ? AND (kind = 3"
                    + " OR (kind = 1 AND number = ?)"
                    + " OR (kind = 2 AND EXISTS (SELECT 1 FROM deliveries"
                    + " WHERE message_id = messages.id AND deliveries.number = ?))"
                    + " OR (kind = 4 AND EXISTS (SELECT 1 FROM presentations"
                    + " WHERE message_id = messages.id AND presentations.number = ?)))";

    private static final String MOVED =
            "SELECT "
                    + MessageCache.columnsOf("messages")
                    + " FROM pending JOIN messages ON messages.id = pending.message_id"
                    + " WHERE pending.app_id = ? AND pending.number = ?"
                    + " AND pending.message_id > ? ORDER BY pending.message_id LIMIT ?";

    private final Database database;
    private final Clock clock;

    public SqlMailboxes(Database database, Clock clock) {
        this.database = database;
        this.clock = clock;
    }

    /**
     * What a session begins with. What ended before {@code since} the device has been told: the
     * start of the last session that it was heard in. Not that session's end, since a connection
     * may be dead before it is known to be; nor the start of one that broke before it was told
     * anything.
     */
    private static final String BEFORE =
            "SELECT drained_to, presented_to,"
                    + " (SELECT count(*) FROM incarnations WHERE id = ? AND ended_at IS NULL),"
                    + " coalesce("
                    + sessionOf("started_at", "heard = 1 ORDER BY generation DESC")
                    + ", "
                    + sessionOf("started_at", "generation > 0 ORDER BY generation")
                    + "), generation, incarnation, connected_at, coalesce(ended_at, 0), device_id"
                    + " FROM devices LEFT JOIN sessions ON sessions.app_id = devices.app_id"
                    + " AND sessions.number = devices.number AND generation = "
                    + sessionOf("max(generation)", "generation > 0")
                    + " WHERE devices.app_id = ? AND devices.number = ? AND token_generation = ?"
                    // What a deleted app leaves is deleted after it.
                    + " AND EXISTS (SELECT 1 FROM apps WHERE id = devices.app_id)";

    private static String sessionOf(String column, String which) {
        return "(SELECT "
                + column
                + " FROM sessions WHERE app_id = devices.app_id"
                + " AND number = devices.number AND "
                + which
                + " LIMIT 1)";
    }

    /**
     * @param mayBegin false if others have ended this run of the node: what it begins now it could
     *     not be asked for later
     * @param previous null if this is the device's first session
     */
    private record Before(
            String deviceId,
            long drainedTo,
            long presentedTo,
            boolean mayBegin,
            long since,
            @Nullable Previous previous) {
        static Before read(ResultSet row) throws SQLException {
            int generation = row.getInt(5);
            return new Before(
                    row.getString(9),
                    row.getLong(1),
                    row.getLong(2),
                    row.getInt(3) > 0,
                    row.getLong(4),
                    generation == 0
                            ? null
                            : new Previous(
                                    generation, row.getLong(6), row.getLong(7), row.getLong(8)));
        }
    }

    private record Previous(int generation, long incarnation, long connectedAt, long endedAt) {
        /** One from what is the future now connected before the clock was set back. */
        boolean isNewerThan(long other, long now) {
            return connectedAt > other + CLOCKS_DIFFER_MILLIS
                    && connectedAt <= now + CLOCKS_DIFFER_MILLIS;
        }
    }

    private record End(long at, long after) {}

    /**
     * @param since null if nothing can have ended that the device was presented before
     */
    private record Beginning(Start start, @Nullable Since since) {}

    private record Since(long millis, List<Long> groups) {}

    @Override
    public CompletableFuture<Start> begin(
            long appId, int number, int tokenGeneration, long connectedAt) {
        return database.writer()
                .submit(tx ->
                        tx.sql
                                .first(
                                        BEFORE,
                                        Before::read,
                                        database.incarnation(),
                                        appId,
                                        number,
                                        tokenGeneration)
                                .map(before ->
                                        before.mayBegin
                                                ? begin(tx, appId, number, before, connectedAt)
                                                : new Beginning(new NotNow(), null))
                                .orElseGet(() -> new Beginning(new NoDevice(), null)))
                .thenCompose(beginning -> withWhatEnded(appId, number, beginning));
    }

    private Beginning begin(Tx tx, long appId, int number, Before before, long connectedAt) {
        Previous previous = before.previous;
        long presentedTo = before.presentedTo;
        if (previous != null && previous.endedAt == 0) {
            Optional<End> end = endOf(tx, previous.incarnation);
            boolean isElsewhere = end.isEmpty() && previous.incarnation != database.incarnation();
            if (isElsewhere && previous.isNewerThan(connectedAt, tx.now())) {
                return new Beginning(new TakenOver(), null);
            }
            End died = end.orElseGet(() -> new End(tx.now(), tx.lastId()));
            declareDead(tx, appId, number, previous, died);
            presentedTo = Math.max(presentedTo, died.after);
            if (isElsewhere) {
                database.changes()
                        .tell(tx, new Change.Displaced(appId, number, previous.generation));
            }
        }
        int generation = previous == null ? 1 : previous.generation + 1;
        tx.sql.update(
                "INSERT INTO sessions (app_id, number, generation, incarnation, started_at,"
                        + " connected_at) VALUES (?, ?, ?, ?, ?, ?)",
                appId,
                number,
                generation,
                database.incarnation(),
                tx.now(),
                connectedAt);
        List<Long> groups = Memberships.groupsOf(tx.sql, appId, number, tx.now());
        // What is open in groups may be older than all that is pending for the device itself.
        // Whether it is meant is for the drain to say.
        long drainedTo =
                Math.min(before.drainedTo, Memberships.firstOpen(tx.sql, groups, tx.now()) - 1);
        return new Beginning(
                new Begun(
                        before.deviceId,
                        generation,
                        drainedTo,
                        presentedTo,
                        tx.lastId(),
                        List.of(),
                        List.of()),
                previous == null ? null : new Since(before.since, groups));
    }

    /**
     * Read when the session has begun, and not by the writer: an app may have recalled thousands of
     * messages since. Read surely: a start that is committed and not answered would be begun again,
     * and again while too many read.
     */
    private CompletableFuture<Start> withWhatEnded(long appId, int number, Beginning beginning) {
        Since since = beginning.since;
        if (since == null || !(beginning.start instanceof Begun begun)) {
            return CompletableFuture.completedFuture(beginning.start);
        }
        return CompletableFuture.supplyAsync(
                () ->
                        database.readSurely(sql ->
                                new Begun(
                                        begun.deviceId(),
                                        begun.generation(),
                                        begun.drainedTo(),
                                        begun.presentedTo(),
                                        begun.beganAfter(),
                                        recalledSince(sql, appId, number, since, begun),
                                        settledSince(sql, appId, number, since, begun))),
                Thread::startVirtualThread);
    }

    /** When a run of a node ended, if it has. */
    private static Optional<End> endOf(Tx tx, long incarnation) {
        return tx.sql.first(
                "SELECT ended_at, ended_after FROM incarnations"
                        + " WHERE id = ? AND ended_at IS NOT NULL",
                row -> new End(row.getLong(1), row.getLong(2)),
                incarnation);
    }

    /**
     * Ends a session that never said so. It may have presented all that was stored before it was
     * declared dead, with its node or now.
     */
    private static void declareDead(Tx tx, long appId, int number, Previous session, End end) {
        tx.sql.update(
                "UPDATE sessions SET ended_at = ?, end_reason = 'died'"
                        + " WHERE app_id = ? AND number = ? AND generation = ?",
                end.at,
                appId,
                number,
                session.generation);
        tx.sql.update(
                "UPDATE devices SET presented_to = ?"
                        + " WHERE app_id = ? AND number = ? AND presented_to < ?",
                end.after,
                appId,
                number,
                end.after);
    }

    private List<Long> recalledSince(Sql sql, long appId, int number, Since since, Begun begun) {
        record Found(long id, int kind) {}

        return sql
                .list(
                        RECALLED_SINCE,
                        row -> new Found(row.getLong(1), row.getInt(2)),
                        appId,
                        since.millis,
                        clock.millis(),
                        begun.presentedTo(),
                        number,
                        number,
                        number)
                .stream()
                .filter(found ->
                        found.kind != Deliveries.KIND_MANY
                                || OpenSets.isRecipient(sql, appId, found.id, number))
                .map(Found::id)
                .toList();
    }

    private List<Long> settledSince(Sql sql, long appId, int number, Since since, Begun begun) {
        return Settlements.settledSince(
                sql,
                appId,
                number,
                since.groups,
                since.millis,
                begun.presentedTo(),
                clock.millis());
    }

    @Override
    public CompletableFuture<Void> end(long appId, int number, int generation, Ended ended) {
        return database.writer().change(tx -> end(tx, appId, number, generation, ended));
    }

    private static void end(Tx tx, long appId, int number, int generation, Ended ended) {
        tx.sql.update(
                "UPDATE sessions SET ended_at = ?, end_reason = ?, heard = ? WHERE app_id = ?"
                        + " AND number = ? AND generation = ? AND ended_at IS NULL",
                tx.now(),
                ended.reason(),
                ended.heard(),
                appId,
                number,
                generation);
        tx.sql.update(
                "UPDATE devices SET"
                        + " presented_to = CASE WHEN presented_to < ? THEN ? ELSE presented_to END,"
                        + " drained_to = CASE WHEN drained_to < ? THEN ? ELSE drained_to END,"
                        + " last_seen_at = ? WHERE app_id = ? AND number = ?",
                ended.position(),
                ended.position(),
                ended.drainedTo(),
                ended.drainedTo(),
                tx.now(),
                appId,
                number);
    }

    @Override
    public Optional<Drained> drain(
            long appId, int number, int generation, long afterId, int limit) {
        return database.read(sql ->
                isSuperseded(sql, appId, number, generation)
                        ? Optional.empty()
                        : Optional.of(drain(sql, appId, number, afterId, limit)));
    }

    /** Of the sessions of one process, each ends before the next begins. */
    private boolean isSuperseded(Sql sql, long appId, int number, int generation) {
        return database.engine().isShared()
                && generation
                        < sql.number(
                                "SELECT max(generation) FROM sessions"
                                        + " WHERE app_id = ? AND number = ?",
                                appId,
                                number);
    }

    private Drained drain(Sql sql, long appId, int number, long afterId, int limit) {
        // Before the first look at the database, by which the transaction begins.
        Recent recent = database.pending().recent(sql, appId, number, afterId, limit);
        Map<Long, Message> moved = moved(sql, appId, number, afterId, limit + 1);
        Set<Long> ids = new TreeSet<>(recent.ids());
        ids.addAll(moved.keySet());
        Set<Long> many = many(sql, appId, number, afterId, limit);
        ids.addAll(many);
        ids.addAll(Settlements.openFor(sql, appId, number, afterId, clock.millis(), limit + 1));
        List<Message> messages = new ArrayList<>();
        int bytes = 0;
        for (long id : ids) {
            Message message = moved.get(id);
            if (message == null) {
                message =
                        many.contains(id)
                                ? database.messageCache().get(sql, id)
                                : MessageCache.read(sql, id);
            }
            if (id > recent.upTo() || message == null) {
                continue;
            }
            bytes += message.content().length;
            if (messages.size() == limit || (bytes > MOST_BYTES && !messages.isEmpty())) {
                return new Drained(messages, messages.get(messages.size() - 1).id(), true);
            }
            messages.add(message);
        }
        return new Drained(messages, Math.max(recent.upTo(), afterId), recent.more());
    }

    /** Those in the table with their content, which was moved because nobody was here for it. */
    private static Map<Long, Message> moved(
            Sql sql, long appId, int number, long afterId, int limit) {
        Map<Long, Message> found = new HashMap<>();
        int[] bytes = new int[1];
        sql.read(
                MOVED,
                row -> {
                    Message message = MessageCache.read(row);
                    found.put(message.id(), message);
                    bytes[0] += message.content().length;
                    // The drain ends here, too.
                    return bytes[0] <= MOST_BYTES;
                },
                appId,
                number,
                afterId,
                limit);
        return found;
    }

    private static Set<Long> many(Sql sql, long appId, int number, long afterId, int limit) {
        Set<Long> many = new HashSet<>();
        Deliveries.forEachMany(
                sql,
                appId,
                number,
                afterId,
                (id, delivered, failed) -> {
                    if (isPendingAmongMany(sql, id, number, delivered, failed)) {
                        many.add(id);
                    }
                    return many.size() <= limit;
                });
        return many;
    }

    private static boolean isPendingAmongMany(
            Sql sql,
            long messageId,
            int number,
            @Nullable RoaringBitmap delivered,
            @Nullable RoaringBitmap failed) {
        int low = number & 0xffff;
        if ((delivered != null && delivered.contains(low))
                || (failed != null && failed.contains(low))) {
            return false;
        }
        Optional<Long> foldedTo =
                sql.first(
                        "SELECT folded_to FROM messages WHERE id = ? AND recalled_at IS NULL",
                        row -> row.getLong(1),
                        messageId);
        if (foldedTo.isEmpty()) {
            return false;
        }
        boolean[] ended = new boolean[1];
        sql.read(
                "SELECT bits FROM set_ends WHERE message_id = ? AND seq > ? AND outcome IN (1, 4)",
                row -> {
                    ended[0] = OpenSets.contains(row.getBytes(1), number);
                    return !ended[0];
                },
                messageId,
                foldedTo.get());
        return !ended[0];
    }

    @Override
    public Optional<List<Message>> stillPending(
            long appId, int number, int generation, List<Long> messageIds) {
        return database.read(sql ->
                isSuperseded(sql, appId, number, generation)
                        ? Optional.empty()
                        : Optional.of(stillPending(sql, appId, number, messageIds)));
    }

    private List<Message> stillPending(Sql sql, long appId, int number, List<Long> messageIds) {
        List<Message> pending = new ArrayList<>();
        for (long id : messageIds) {
            Message message = database.messageCache().get(sql, id);
            if (message != null && message.appId() == appId && isPending(sql, appId, id, number)) {
                pending.add(message);
            }
        }
        return pending;
    }

    private boolean isPending(Sql sql, long appId, long messageId, int number) {
        record Row(int kind, int number, int state, boolean recalled) {}

        Row message =
                sql.first(
                                "SELECT kind, number, state, recalled_at IS NOT NULL FROM messages"
                                        + " WHERE id = ?",
                                row ->
                                        new Row(
                                                row.getInt(1),
                                                row.getInt(2),
                                                row.getInt(3),
                                                row.getBoolean(4)),
                                messageId)
                        .orElse(null);
        if (message == null) {
            // Purged, while its content is at hand here.
            return false;
        }
        return switch (message.kind) {
            case Deliveries.KIND_ONE ->
                    message.number == number && message.state == Deliveries.PENDING;
            case Deliveries.KIND_FEW ->
                    sql.number(
                                    "SELECT count(*) FROM deliveries"
                                            + " WHERE message_id = ? AND number = ? AND state = 0",
                                    messageId,
                                    number)
                            == 1;
            case Deliveries.KIND_GROUPS ->
                    Settlements.isOpenFor(sql, messageId, appId, number, clock.millis());
            default -> {
                OpenSets.OpenSet set = OpenSets.load(sql, messageId);
                yield !message.recalled
                        && set.recipients.contains(number)
                        && !set.delivered.contains(number)
                        && !set.failed.contains(number);
            }
        };
    }
}
