/**
 * The port that devices connect to: Netty, TCP and WebSocket, both encodings. Turns bytes into
 * frames and frames into calls of a session, and back.
 *
 * <p>Everything about a connection happens on its event loop and never blocks. Must not know SQL or
 * HTTP beyond the upgrade; the rules of delivery are the session's.
 */
@NullMarked
package io.postrider.server.gateway;

import org.jspecify.annotations.NullMarked;
