package io.postrider.server.delivery;

/** What a commit changed for sessions that may be connected, beside new messages. */
public sealed interface Change {
    long appId();

    /** A message was taken back: whoever of these has it should hear it. */
    record Recalled(long appId, long messageId, Recipients recipients) implements Change {}

    /** A message was settled by another device: whoever of these has it should hear it (G7). */
    record Settled(long appId, long messageId, Recipients others) implements Change {}

    /** A device has become a member of a group in which messages from this id on are open. */
    record Joined(long appId, int number, long messageId) implements Change {}

    /**
     * A device was deleted, or its tokens revoked: its session must end.
     *
     * @param generation of the tokens that are not void
     */
    record Revoked(long appId, int number, int generation) implements Change {}

    /** A session with a higher generation than this has begun: those up to it must end (G11). */
    record Displaced(long appId, int number, int generation) implements Change {}

    /** An app was made, changed or deleted. */
    record AppChanged(long appId) implements Change {}
}
