/**
 * A server for tests of programs that use the SDK: it does what the test says. Thread-safe; knows
 * the wire and nothing of the real server.
 */
@NullMarked
package io.postrider.client.testing;

import org.jspecify.annotations.NullMarked;
