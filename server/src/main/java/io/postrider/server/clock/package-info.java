/** Time, as a constructor argument. No threads; knows nothing else. */
@NullMarked
package io.postrider.server.clock;

import org.jspecify.annotations.NullMarked;
