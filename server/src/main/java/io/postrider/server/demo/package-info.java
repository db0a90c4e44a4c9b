/**
 * The main job on real input: a week of earthquakes, published to 2,000 devices of a real node in a
 * process of its own, with cut connections and a kill -9, checked at the end against what publisher
 * and devices wrote down.
 *
 * <p>Devices run on virtual threads. Talks to the node over its public interfaces only and must not
 * know how it works.
 */
@NullMarked
package io.postrider.server.demo;

import org.jspecify.annotations.NullMarked;
