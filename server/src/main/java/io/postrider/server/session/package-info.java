/**
 * Who is connected here. A {@link io.postrider.server.session.Session} reads its device's mailbox
 * while its socket is writable and its window open, presents what it reads, and hands the device's
 * acks on.
 *
 * <p>A session belongs to one event loop, its {@link io.postrider.server.session.SessionLoop}, and
 * is touched by no other thread; reads of the store run on virtual threads and come back as tasks
 * of that loop. {@link io.postrider.server.session.Sessions} is thread-safe. Must not know Netty or
 * SQL.
 */
@NullMarked
package io.postrider.server.session;

import org.jspecify.annotations.NullMarked;
