package io.postrider.server.delivery;

/** How accepting a message ended. */
public sealed interface Accepted {
    /**
     * Stored and flushed (G1).
     *
     * @param targeted how many devices it is for, or groups if the first ack settles it
     * @param replayed an earlier publish under the same idempotency key made it (G3)
     */
    record Stored(long id, int targeted, long expiresAt, boolean replayed) implements Accepted {}

    /** The idempotency key was used within 24 h for another body. Nothing was stored. */
    record OtherBody() implements Accepted {}

    /** The app has been deleted. Nothing was stored. */
    record NoApp() implements Accepted {}

    /** The app keeps as many messages as it may. Nothing was stored. */
    record QuotaExceeded(long limit) implements Accepted {}
}
