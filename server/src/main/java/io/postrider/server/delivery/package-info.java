/**
 * The heart: a message is accepted into the store, its devices' sessions are woken, they read their
 * mailboxes, and what devices acknowledge is recorded. The rules of how a message may end live
 * here; how the store keeps them is behind {@link io.postrider.server.delivery.MessageStore} and
 * {@link io.postrider.server.delivery.Mailboxes}.
 *
 * <p>Threads: stores are called from virtual threads and answer through futures or block; wake-ups
 * come from the store's writer thread. Must not know transports, HTTP or SQL.
 */
@NullMarked
package io.postrider.server.delivery;

import org.jspecify.annotations.NullMarked;
