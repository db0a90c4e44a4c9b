package io.postrider.client;

import io.postrider.protocol.v1.Notification;
import io.postrider.protocol.v1.Push;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** A message as a device gets it. JSON parts are text, as the publisher wrote them. */
public final class ReceivedMessage {
    private final Push push;

    ReceivedMessage(Push push) {
        this.push = push;
    }

    /** The message's id; the same in every presentation. */
    public long id() {
        return push.getId();
    }

    public @Nullable String title() {
        Notification notification = push.getNotification();
        return notification.hasTitle() ? notification.getTitle() : null;
    }

    public @Nullable String body() {
        Notification notification = push.getNotification();
        return notification.hasBody() ? notification.getBody() : null;
    }

    public @Nullable String url() {
        Notification notification = push.getNotification();
        return notification.hasUrl() ? notification.getUrl() : null;
    }

    /** The notification's extras, as JSON. */
    public @Nullable String extras() {
        Notification notification = push.getNotification();
        return notification.hasExtras() ? notification.getExtras() : null;
    }

    /** The message's data, as JSON. */
    public @Nullable String data() {
        return push.hasData() ? push.getData() : null;
    }

    public Instant createdAt() {
        return Instant.ofEpochMilli(push.getCreatedAt());
    }

    public Instant expiresAt() {
        return Instant.ofEpochMilli(push.getExpiresAt());
    }

    /** 1 for the first presentation; more where the device may have been sent it before. */
    public int attempt() {
        return Math.max(1, push.getAttempt());
    }

    /** Whether the publisher wants to know that the device has it. */
    public boolean wantsAck() {
        return !push.hasAck() || push.getAck();
    }

    /** 1 (least) to 5, for the app to heed. */
    public int priority() {
        return push.getPriority() == 0 ? 3 : push.getPriority();
    }

    @Override
    public String toString() {
        return "ReceivedMessage[" + id() + "]";
    }
}
