/** The servers under load: how each is started, and how its devices and publishers speak. */
@NullMarked
package io.postrider.bench.peer;

import org.jspecify.annotations.NullMarked;
