package io.postrider.server.store;

import io.postrider.server.clock.Clock;
import io.postrider.server.delivery.Accepted;
import io.postrider.server.delivery.AckBatch;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.Arrival;
import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.Committed;
import io.postrider.server.delivery.Message;
import io.postrider.server.delivery.MessageStore;
import io.postrider.server.delivery.NewMessage;
import io.postrider.server.delivery.NewMessage.Target;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.delivery.WakeUps;
import java.security.MessageDigest;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.roaringbitmap.RoaringBitmap;

/** Messages: accepting, acknowledging and recalling, as work for the {@link Writer}. */
public final class SqlMessages implements MessageStore {
    private static final long IDEMPOTENCY_MILLIS = TimeUnit.HOURS.toMillis(24);

    private final Database database;
    private final Deliveries deliveries;
    private final Settlements settlements;
    private final Clock clock;
    private final long quota;

    /**
     * @param quota how many messages are kept for one app; 0 for no limit
     */
    public SqlMessages(Database database, Clock clock, long quota) {
        this.database = database;
        this.clock = clock;
        this.quota = quota;
        this.settlements = database.settlements();
        this.deliveries = database.deliveries();
    }

    @Override
    public void onCommit(WakeUps woken) {
        database.changes().onCommit(woken);
    }

    @Override
    public CompletableFuture<Accepted> accept(NewMessage message) {
        return database.writer().submit(tx -> accept(tx, message));
    }

    private Accepted accept(Tx tx, NewMessage message) {
        NewMessage.Idempotency key = message.idempotency();
        if (key != null) {
            Optional<Accepted> earlier = earlier(tx, message.appId(), key);
            if (earlier.isPresent()) {
                return earlier.get();
            }
        }
        Long audienceEnd = database.audienceEnds().of(tx, message.appId());
        if (audienceEnd == null) {
            return new Accepted.NoApp();
        }
        if (quota > 0 && !database.storedCounts().add(tx, message.appId(), quota)) {
            return new Accepted.QuotaExceeded(quota);
        }
        long id = tx.nextId();
        database.engine().makeRoom(tx, id);
        long expiresAt = tx.now() + message.ttlMillis();
        Stored stored =
                switch (message.target()) {
                    case Target.Devices devices ->
                            toDevices(tx, id, expiresAt, audienceEnd, message, devices);
                    case Target.Groups groups -> toGroups(tx, id, expiresAt, message, groups);
                };
        if (key != null) {
            rememberKey(tx, id, expiresAt, stored.targeted, message.appId(), key);
        }
        tx.arrivals.add(
                new Arrival(
                        new Message(
                                id,
                                message.appId(),
                                tx.now(),
                                expiresAt,
                                message.wantsAck(),
                                message.onlineOnly(),
                                message.target() instanceof Target.Groups,
                                message.content()),
                        stored.presentedTo));
        return new Accepted.Stored(id, stored.targeted, expiresAt, false);
    }

    /**
     * @param presentedTo the devices that are to see it now
     */
    private record Stored(int targeted, Recipients presentedTo) {}

    private Stored toDevices(
            Tx tx,
            long id,
            long expiresAt,
            long audienceEnd,
            NewMessage message,
            Target.Devices devices) {
        long committedEnd = database.audienceEnds().committed(message.appId());
        Target.Devices current =
                database.isShared() && devices.audienceEnd() < committedEnd
                        ? devices.asOf().apply(committedEnd)
                        : devices;
        Recipients recipients =
                current.audienceEnd() >= audienceEnd
                        ? current.recipients()
                        : withoutGone(tx, message.appId(), current);
        int kind = Deliveries.kindOf(recipients.count());
        Integer one = kind == Deliveries.KIND_ONE ? recipients.first() : null;
        insert(
                tx,
                id,
                expiresAt,
                message,
                new Columns(kind, one, current.namesUsers(), recipients.count(), null));
        deliveries.insert(tx, message.appId(), id, expiresAt, current.namesUsers(), recipients);
        return new Stored(recipients.count(), recipients);
    }

    private Stored toGroups(
            Tx tx, long id, long expiresAt, NewMessage message, Target.Groups groups) {
        int targeted = groups.names().size();
        String filter = Settlements.filterColumn(groups.filter());
        insert(
                tx,
                id,
                expiresAt,
                message,
                new Columns(Deliveries.KIND_GROUPS, null, false, targeted, filter));
        return new Stored(
                targeted, deliveries.insert(tx, message.appId(), id, expiresAt, groups, filter));
    }

    private static Optional<Accepted> earlier(Tx tx, long appId, NewMessage.Idempotency key) {
        return tx.sql.first(
                "SELECT body_hash, message_id, targeted, expires_at FROM idempotency_keys"
                        + " WHERE app_id = ? AND idem_key = ? AND created_at > ?",
                row ->
                        MessageDigest.isEqual(row.getBytes(1), key.bodyHash())
                                ? new Accepted.Stored(
                                        row.getLong(2), row.getInt(3), row.getLong(4), true)
                                : new Accepted.OtherBody(),
                appId,
                key.key(),
                tx.now() - IDEMPOTENCY_MILLIS);
    }

    private static void rememberKey(
            Tx tx, long id, long expiresAt, int targeted, long appId, NewMessage.Idempotency key) {
        tx.sql.updateLater(
                "idempotency_keys",
                "INSERT INTO idempotency_keys (app_id, idem_key, body_hash, message_id, targeted,"
                        + " expires_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
                        + " ON CONFLICT (app_id, idem_key) DO UPDATE SET"
                        + " body_hash = excluded.body_hash, message_id = excluded.message_id,"
                        + " targeted = excluded.targeted, expires_at = excluded.expires_at,"
                        + " created_at = excluded.created_at",
                appId,
                key.key(),
                key.bodyHash(),
                id,
                targeted,
                expiresAt,
                tx.now());
    }

    /** Leaves out the devices that went after the audience was resolved. */
    private static Recipients withoutGone(Tx tx, long appId, Target.Devices devices) {
        List<Integer> gone =
                tx.sql.list(
                        "SELECT number FROM audience_changes"
                                + " WHERE app_id = ? AND seq > ? AND gone BETWEEN 1 AND ?",
                        row -> row.getInt(1),
                        appId,
                        devices.audienceEnd(),
                        devices.namesUsers() ? SqlDevices.OTHER_USER : SqlDevices.DELETED);
        if (gone.isEmpty()) {
            return devices.recipients();
        }
        RoaringBitmap left = devices.recipients().copy();
        gone.forEach(left::remove);
        return Recipients.of(left);
    }

    /** What depends on whom a message is for. */
    private record Columns(
            int kind,
            @Nullable Integer number,
            boolean namesUsers,
            int targeted,
            @Nullable String filter) {}

    private static void insert(
            Tx tx, long id, long expiresAt, NewMessage message, Columns columns) {
        tx.sql.updateLater(
                "messages",
                "INSERT INTO messages (id, app_id, kind, number, state, names_users, wants_ack,"
                        + " online_only, targeted, filter, created_at, expires_at, audience,"
                        + " options, content, request_id)"
                        + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                id,
                message.appId(),
                columns.kind,
                columns.number,
                columns.number == null ? null : Deliveries.PENDING,
                columns.namesUsers,
                message.wantsAck(),
                message.onlineOnly(),
                columns.targeted,
                columns.filter,
                tx.now(),
                expiresAt,
                message.audience(),
                message.options(),
                message.content(),
                message.requestId());
    }

    @Override
    public CompletableFuture<List<AckOutcome>> acknowledge(AckBatch acks) {
        return acks.isUrgent()
                ? database.writer().submit(tx -> deliveries.acknowledge(tx, acks))
                : database.writer().submitLazily(tx -> deliveries.acknowledge(tx, acks));
    }

    @Override
    public CompletableFuture<Void> addPresented(List<Presentation> presentations) {
        return database.writer().change(tx -> settlements.presented(tx, presentations));
    }

    @Override
    public CompletableFuture<Recalled> recall(long appId, long messageId) {
        return database.writer().submit(tx -> recall(tx, appId, messageId));
    }

    private record Recallable(int kind, int number, long expiresAt, boolean recalled) {}

    private Recalled recall(Tx tx, long appId, long messageId) {
        Optional<Recallable> found =
                tx.sql.first(
                        "SELECT kind, number, expires_at, recalled_at IS NOT NULL FROM messages"
                                + " WHERE id = ? AND app_id = ?",
                        row ->
                                new Recallable(
                                        row.getInt(1),
                                        row.getInt(2),
                                        row.getLong(3),
                                        row.getBoolean(4)),
                        messageId,
                        appId);
        if (found.isEmpty()) {
            return new Recalled.Unknown();
        }
        Recallable message = found.get();
        if (message.recalled || message.expiresAt <= tx.now()) {
            return new Recalled.Before();
        }
        tx.sql.update("UPDATE messages SET recalled_at = ? WHERE id = ?", tx.now(), messageId);
        Recipients recipients =
                deliveries.recall(tx, appId, messageId, message.kind, message.number);
        database.changes().tell(tx, new Change.Recalled(appId, messageId, recipients));
        return new Recalled.Now(recipients);
    }

    @Override
    public CompletableFuture<Void> addWritten(long messageId, int devices) {
        return database.writer()
                .change(tx ->
                        tx.sql.update(
                                "UPDATE messages SET written = written + ? WHERE id = ?",
                                devices,
                                messageId));
    }

    /**
     * Most often one statement tells all; where other tables have a part of it, they are read too.
     */
    @Override
    public Committed committedAfter(long id, int limit) {
        Page page = database.readOneForFeed(sql -> page(sql, id, limit));
        return page.isWhole()
                ? page.committed(List.of(), Row::arrival)
                : database.readForFeed(sql -> {
                    Page again = page(sql, id, limit);
                    return again.committed(
                            database.changes().between(sql, id, again.upTo),
                            row -> row.isWhole() ? row.arrival() : arrival(sql, row));
                });
    }

    private record Page(List<Row> rows, long upTo, boolean more, boolean hasChanges) {
        boolean isWhole() {
            return !hasChanges && rows.stream().allMatch(Row::isWhole);
        }

        Committed committed(List<Change> changes, Function<Row, Arrival> arrival) {
            return new Committed(rows.stream().map(arrival).toList(), changes, upTo, more);
        }
    }

    /**
     * @param over for nobody pending any more, as far as this row tells
     */
    private record Row(Message message, int kind, int number, boolean over) {
        static Row read(ResultSet row) throws SQLException {
            int kind = row.getInt(8);
            int number = row.getInt(9);
            boolean ended = kind == Deliveries.KIND_ONE && row.getInt(10) != Deliveries.PENDING;
            return new Row(MessageCache.read(row), kind, number, row.getBoolean(11) || ended);
        }

        boolean isWhole() {
            return over || kind == Deliveries.KIND_ONE;
        }

        Arrival arrival() {
            return new Arrival(message, over ? Recipients.of() : Recipients.of(number));
        }
    }

    /**
     * @param row null if there is none after the id
     */
    private record Found(@Nullable Row row, long last, long lastChange) {}

    private Page page(Sql sql, long id, int limit) {
        List<Found> found =
                sql.list(
                        "SELECT found.*, newest.last, "
                                + database.changes().newest()
                                + " FROM sequences newest LEFT JOIN (SELECT "
                                + MessageCache.COLUMNS
                                + ", number, state, recalled_at IS NOT NULL FROM messages"
                                + " WHERE id > ? ORDER BY id LIMIT ?) found ON 1 = 1"
                                + " WHERE newest.name = 'messages' ORDER BY found.id",
                        row ->
                                new Found(
                                        row.getLong(1) == 0 ? null : Row.read(row),
                                        row.getLong(12),
                                        row.getLong(13)),
                        id,
                        limit);
        List<Row> rows = found.stream().map(Found::row).filter(Objects::nonNull).toList();
        boolean more = rows.size() == limit;
        Found any = found.isEmpty() ? new Found(null, 0, 0) : found.getFirst();
        long upTo = more ? rows.getLast().message.id() : Math.max(id, any.last);
        return new Page(rows, upTo, more, any.lastChange > id);
    }

    private Arrival arrival(Sql sql, Row row) {
        return new Arrival(row.message, pending(sql, row.message, row.kind));
    }

    /** For whom a message to several that was not recalled is pending. */
    private Recipients pending(Sql sql, Message message, int kind) {
        return switch (kind) {
            case Deliveries.KIND_FEW -> Deliveries.pendingOfFew(sql, message.id());
            case Deliveries.KIND_GROUPS ->
                    Settlements.openTo(sql, message.appId(), message.id(), clock.millis());
            default -> Recipients.of(OpenSets.load(sql, message.id()).pending());
        };
    }

    @Override
    public Intake intake() {
        return database.writer().intake();
    }

    @Override
    public long lastId() {
        return database.lastId();
    }

    @Override
    public String epoch() {
        return database.epoch();
    }
}
