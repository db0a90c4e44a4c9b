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

    /** A device was deleted, or its tokens revoked: its session must end. */
    record Revoked(long appId, int number) implements Change {}
}
