/**
 * Protocols of the systems that Postrider replaces: thin translations onto its own words, so that
 * their clients connect unchanged. Words of the predecessors stay in here and on their wires.
 *
 * <p>Handlers are confined to their connection's event loop; what blocks runs on virtual threads.
 * Must not know SQL or REST, and nobody but the root may know it.
 */
@NullMarked
package io.postrider.server.legacy;

import org.jspecify.annotations.NullMarked;
