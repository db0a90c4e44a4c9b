package io.postrider.server.delivery;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Where messages are kept. Every future completes after the commit that holds its result has been
 * flushed to disk, on the store's writer thread: what hangs on it must not block. A future that
 * fails with an exception leaves it unknown whether its work was done (G2).
 */
public interface MessageStore {
    /** Names who is told after each commit; once, before the first message is accepted. */
    void onCommit(WakeUps wakeUps);

    /**
     * Stores a message and whom it is for. Its id is greater than every id committed before (G6).
     * Publishes under one idempotency key are one message (G3), also when they come at once.
     */
    CompletableFuture<Accepted> accept(NewMessage message);

    /**
     * Records what devices acknowledged; answers one outcome per ack, in their order. An ack is
     * recorded when the message is pending for that device and unexpired at the commit; of a
     * message to groups, it settles each in which the message is open and of which the device is a
     * member at the commit (G7). The commit may wait up to 50 ms for company, unless the batch is
     * urgent.
     */
    CompletableFuture<List<AckOutcome>> acknowledge(AckBatch acks);

    /** How a recall ended. */
    sealed interface Recalled {
        /**
         * Recalled now; what was pending has ended.
         *
         * @param recipients everyone whom it was for
         */
        record Now(Recipients recipients) implements Recalled {}

        /** It had ended before: by an earlier recall, or by expiry. */
        record Before() implements Recalled {}

        /** The app has no such message. */
        record Unknown() implements Recalled {}
    }

    /** Takes a message back: what is pending ends as recalled. */
    CompletableFuture<Recalled> recall(long appId, long messageId);

    /** Adds to how many devices a message that asks for no ack has been written to. */
    CompletableFuture<Void> addWritten(long messageId, int devices);

    /** One device's first sight of a message to groups. */
    record Presentation(long appId, int number, long messageId) {}

    /** Adds who has been presented messages to groups. */
    CompletableFuture<Void> addPresented(List<Presentation> presentations);

    /**
     * What has been committed after an id, at most so many messages. Blocks. An entry of another
     * node is kept for an hour.
     */
    Committed committedAfter(long id, int limit);

    /** Whether the store takes more work, so that it can be refused before it is durable (G10). */
    enum Intake {
        OPEN,
        /** More waits than is done in about a second. */
        CONGESTED,
        /** The disk is full or failing, or the database is gone, and nothing is written (G12). */
        BROKEN
    }

    /** Never blocks. */
    Intake intake();

    /** The id of the newest committed message, 0 before the first. */
    long lastId();

    /** The store's name for its history: another one after a restore. */
    String epoch();
}
