package io.postrider.server.store;

import io.postrider.server.delivery.Accepted;
import io.postrider.server.delivery.AckBatch;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.Arrival;
import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.Mailboxes;
import io.postrider.server.delivery.MessageStore;
import io.postrider.server.delivery.NewMessage;
import io.postrider.server.delivery.NewMessage.Idempotency;
import io.postrider.server.delivery.NewMessage.Target;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.delivery.WakeUps;
import io.postrider.server.identity.AppStore;
import io.postrider.server.identity.AuditLog;
import io.postrider.server.identity.AuditLog.Action;
import io.postrider.server.identity.AuditLog.Actor;
import io.postrider.server.identity.AuditLog.Deed;
import io.postrider.server.identity.DeveloperStore;
import io.postrider.server.identity.Device;
import io.postrider.server.identity.DeviceFilter;
import io.postrider.server.identity.DeviceStore;
import io.postrider.server.identity.DeviceStore.Profile;
import io.postrider.server.identity.GroupStore;
import io.postrider.server.identity.Platform;
import io.postrider.server.identity.Secrets;
import io.postrider.server.identity.TillStore;
import io.postrider.server.publish.AudienceLog;
import io.postrider.server.publish.Reports;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** One engine's stores, open, and short words for what tests do with them. */
record Stores(
        MessageStore messages,
        Mailboxes mailboxes,
        DeviceStore devices,
        GroupStore groups,
        TillStore tills,
        AppStore apps,
        Reports reports,
        AudienceLog audience,
        DeveloperStore developers,
        AuditLog audit,
        Database database,
        Runnable closing)
        implements AutoCloseable {

    static final Actor ACTOR = new Actor(1, "test", "test");
    static final Deed DEED = new Deed(ACTOR, Action.APP_DELETED);

    static final DeviceFilter EVERYONE = new DeviceFilter(null, null, null, null, null, null);

    /** Hears nothing. */
    static final WakeUps NOBODY =
            new WakeUps() {
                @Override
                public void committed(
                        long afterId, long upTo, List<Arrival> arrivals, List<Change> changes) {}

                @Override
                public void changed(Change change) {}
            };

    @Override
    public void close() {
        closing.run();
    }

    long newApp() {
        return apps.add(ACTOR, "app", Secrets.letters(24), Secrets.bytes(32), Secrets.bytes(32))
                .id();
    }

    Device register(long app, String deviceId, @Nullable String user, String... tags) {
        return devices.register(
                        app,
                        deviceId,
                        new Profile(
                                Platform.ANDROID, user, new TreeSet<>(List.of(tags)), null, null))
                .device();
    }

    Device register(long app, String deviceId) {
        return register(app, deviceId, null);
    }

    static NewMessage message(long app, int... numbers) {
        return message(app, Recipients.of(numbers), false, null, 60_000, Long.MAX_VALUE);
    }

    static NewMessage message(
            long app,
            Recipients recipients,
            boolean namesUsers,
            @Nullable Idempotency key,
            long ttlMillis,
            long audienceEnd) {
        return new NewMessage(
                app,
                asResolved(recipients, audienceEnd, namesUsers),
                "\"all\"",
                "{}",
                ttlMillis,
                true,
                false,
                new byte[0],
                key,
                "test");
    }

    /** Resolved again it would be the same. */
    private static Target.Devices asResolved(
            Recipients recipients, long audienceEnd, boolean namesUsers) {
        return new Target.Devices(
                recipients,
                audienceEnd,
                namesUsers,
                end -> asResolved(recipients, audienceEnd, namesUsers));
    }

    /** A message to groups, of which the first ack settles it. */
    static NewMessage toGroups(long app, DeviceFilter filter, String... groups) {
        return new NewMessage(
                app,
                new Target.Groups(new LinkedHashSet<>(List.of(groups)), filter),
                "{}",
                "{}",
                60_000,
                true,
                false,
                new byte[0],
                null,
                "test");
    }

    Accepted.Stored accept(NewMessage message) {
        return (Accepted.Stored) messages.accept(message).join();
    }

    long publish(long app, int... numbers) {
        return accept(message(app, numbers)).id();
    }

    AckOutcome ack(long app, int number, long id) {
        return ack(app, number, id, false);
    }

    AckOutcome ack(long app, int number, long id, boolean opened) {
        return ackLater(app, number, id, opened).join().get(0);
    }

    CompletableFuture<List<AckOutcome>> ackLater(long app, int number, long id, boolean opened) {
        AckBatch batch = new AckBatch();
        batch.add(app, number, id, opened);
        return messages.acknowledge(batch);
    }

    List<Long> pending(long app, int number) {
        return drain(app, number, 0, 1_000).messages().stream()
                .map(message -> message.id())
                .toList();
    }

    /** As a session that no other follows. */
    Mailboxes.Drained drain(long app, int number, long afterId, int limit) {
        return mailboxes.drain(app, number, Integer.MAX_VALUE, afterId, limit).orElseThrow();
    }

    List<Long> stillPending(long app, int number, Long... ids) {
        return mailboxes
                .stillPending(app, number, Integer.MAX_VALUE, List.of(ids))
                .orElseThrow()
                .stream()
                .map(message -> message.id())
                .toList();
    }

    Mailboxes.Start start(long app, int number, int tokenGeneration) {
        return mailboxes.begin(app, number, tokenGeneration, 0).join();
    }

    Mailboxes.Begun begin(long app, int number) {
        return (Mailboxes.Begun) start(app, number, 0);
    }

    Reports.Counts counts(long app, long id) {
        return reports.message(app, id).orElseThrow().counts();
    }
}
