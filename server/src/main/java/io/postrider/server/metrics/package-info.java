/**
 * The names of what is measured, and their exposition in Prometheus' format. Everyone may use it;
 * it knows nobody. Thread-safe, without locks on what is counted.
 */
@NullMarked
package io.postrider.server.metrics;

import org.jspecify.annotations.NullMarked;
