/**
 * A PostgreSQL and a Redis of one's own, from binaries that Maven fetches: for tests, and for
 * {@code ./postrider demo --cluster}. Not part of the server's jar.
 */
@NullMarked
package io.postrider.backends;

import org.jspecify.annotations.NullMarked;
