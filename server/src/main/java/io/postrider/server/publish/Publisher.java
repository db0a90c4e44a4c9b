package io.postrider.server.publish;

import io.postrider.server.delivery.Accepted;
import io.postrider.server.delivery.MessageStore;
import io.postrider.server.delivery.NewMessage;
import io.postrider.server.delivery.NewMessage.Target;
import io.postrider.server.delivery.Presence;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.metrics.Metrics;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/** The first step of a message's path: from an app server's publish to the store. */
public final class Publisher {
    private final AudienceIndex audiences;
    private final MessageStore store;
    private final Presence presence;
    private final Metrics metrics;

    public Publisher(
            AudienceIndex audiences, MessageStore store, Presence presence, Metrics metrics) {
        this.audiences = audiences;
        this.store = store;
        this.presence = presence;
        this.metrics = metrics;
    }

    /**
     * Whom a publish would reach, without publishing.
     *
     * @param targeted devices, or groups where the first ack settles
     * @param online devices
     */
    public record Reach(int targeted, int online) {}

    public Reach validate(long appId, Publish publish) {
        Recipients recipients = audiences.resolveAnew(appId, publish.audience()).recipients();
        int targeted = publish.firstAckSettles() ? groupsOf(publish).size() : recipients.count();
        return new Reach(targeted, presence.online(appId, recipients).count());
    }

    private static Set<String> groupsOf(Publish publish) {
        return new LinkedHashSet<>(Objects.requireNonNull(publish.audience().groups()));
    }

    private Target target(long appId, Publish publish) {
        return publish.firstAckSettles()
                ? new Target.Groups(groupsOf(publish), publish.audience().filter())
                : devices(appId, publish, audiences.resolve(appId, publish.audience()));
    }

    private Target.Devices devices(long appId, Publish publish, AudienceIndex.Resolved resolved) {
        return new Target.Devices(
                resolved.recipients(),
                resolved.logEnd(),
                resolved.namesUsers(),
                end ->
                        devices(
                                appId,
                                publish,
                                audiences.resolveAsOf(appId, publish.audience(), end)));
    }

    /** Resolves the audience, blocking, and stores the message; see {@link MessageStore#accept}. */
    public CompletableFuture<Accepted> publish(long appId, Publish publish) {
        return store.accept(
                        new NewMessage(
                                appId,
                                target(appId, publish),
                                publish.audienceJson(),
                                publish.optionsJson(),
                                publish.ttlMillis(),
                                publish.wantsAck(),
                                publish.onlineOnly(),
                                publish.content(),
                                publish.idempotency(),
                                publish.requestId()))
                .thenApply(this::counted);
    }

    private Accepted counted(Accepted accepted) {
        if (accepted instanceof Accepted.Stored stored && !stored.replayed()) {
            metrics.accepted(stored.targeted());
        }
        return accepted;
    }
}
