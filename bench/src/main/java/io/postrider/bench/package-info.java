/**
 * The load generator behind {@code ./postrider bench}: a scenario drives a peer, Postrider or one
 * that it is compared with, and measures it from outside.
 */
@NullMarked
package io.postrider.bench;

import org.jspecify.annotations.NullMarked;
