/**
 * The verbs that a person types: app, listen, publish. They talk to a node as every other program
 * does, over REST and the SDK.
 *
 * <p>Each runs in a process of its own, on its main thread. Must not know any other part of the
 * server.
 */
@NullMarked
package io.postrider.server.cli;

import org.jspecify.annotations.NullMarked;
