package io.postrider.server.gateway;

import io.postrider.protocol.v1.Publish;
import io.postrider.protocol.v1.ServerFrame;
import io.postrider.server.identity.App;
import java.util.concurrent.CompletableFuture;

/** Takes what app servers publish over the gateway. */
public interface Publishing {
    /**
     * Publishes; may block. The answer, {@code accepted} or {@code refused}, is what REST would
     * give; it completes after the flush and never with an exception. Publishes are stored in the
     * order of the calls.
     */
    CompletableFuture<ServerFrame> publish(App app, Publish frame);
}
