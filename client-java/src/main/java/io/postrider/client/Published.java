package io.postrider.client;

import java.time.Instant;

/** A message that the server has stored and flushed. */
public final class Published {
    private final long id;
    private final int targeted;
    private final Instant expiresAt;
    private final boolean replayed;

    Published(long id, int targeted, Instant expiresAt, boolean replayed) {
        this.id = id;
        this.targeted = targeted;
        this.expiresAt = expiresAt;
        this.replayed = replayed;
    }

    public long id() {
        return id;
    }

    /** How many devices it is for. */
    public int targeted() {
        return targeted;
    }

    public Instant expiresAt() {
        return expiresAt;
    }

    /** An earlier request with the same idempotency key had stored it. */
    public boolean replayed() {
        return replayed;
    }

    @Override
    public String toString() {
        return "Published[" + id + ", targeted " + targeted + "]";
    }
}
