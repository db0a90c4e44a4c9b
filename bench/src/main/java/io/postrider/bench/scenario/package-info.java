/** What is asked of a peer, and what is measured meanwhile. */
@NullMarked
package io.postrider.bench.scenario;

import org.jspecify.annotations.NullMarked;
