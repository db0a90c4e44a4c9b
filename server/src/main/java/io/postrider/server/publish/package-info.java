/**
 * What app servers do: publish to an audience, recall, and ask how a message stands. Resolves whom
 * a message is for and hands it to {@link io.postrider.server.delivery.MessageStore}.
 *
 * <p>Called on virtual threads, which may block. Must not know HTTP, sessions or SQL.
 */
@NullMarked
package io.postrider.server.publish;

import org.jspecify.annotations.NullMarked;
