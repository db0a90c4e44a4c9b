/**
 * The server as a whole: {@link io.postrider.server.Main} is what the command line starts, {@link
 * io.postrider.server.Postrider} puts the parts together and says in which order they start and
 * stop. Knows everybody; nobody knows it.
 */
@NullMarked
package io.postrider.server;

import org.jspecify.annotations.NullMarked;
