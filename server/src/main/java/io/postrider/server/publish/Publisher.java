package io.postrider.server.publish;

import io.postrider.server.delivery.Accepted;
import io.postrider.server.delivery.MessageStore;
import io.postrider.server.delivery.NewMessage;
import io.postrider.server.delivery.Presence;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.metrics.Metrics;
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

    /** Whom a publish would reach, without publishing. */
    public record Reach(int targeted, int online) {}

    public Reach validate(long appId, Publish publish) {
        Recipients recipients = audiences.resolve(appId, publish.audience()).recipients();
        return new Reach(recipients.count(), presence.countOnline(appId, recipients));
    }

    /** Resolves the audience, blocking, and stores the message; see {@link MessageStore#accept}. */
    public CompletableFuture<Accepted> publish(long appId, Publish publish) {
        AudienceIndex.Resolved resolved = audiences.resolve(appId, publish.audience());
        return store.accept(
                        new NewMessage(
                                appId,
                                resolved.recipients(),
                                resolved.logEnd(),
                                publish.audience().users() != null,
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
