/**
 * SQL. Everything durable: one class per store interface of the other packages, over {@link
 * io.postrider.server.store.Database}.
 *
 * <p>Threads: one writer thread owns the writing connection and commits for everybody who waits
 * ({@link io.postrider.server.store.Writer}); reads use a small pool of connections and block the
 * calling virtual thread. Must not know sessions, gateways or HTTP, and is known to the root only.
 */
@NullMarked
package io.postrider.server.store;

import org.jspecify.annotations.NullMarked;
