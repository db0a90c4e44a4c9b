package io.postrider.server.publish;

import io.postrider.server.identity.Platform;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What changed of an app's devices, in commit order, as audiences see it; written in the
 * transaction of each change. Calls block unless they say otherwise.
 */
public interface AudienceLog {
    /**
     * One device's change. A platform of null is that of a device that did not, or does not any
     * more, exist.
     */
    record Change(
            long seq,
            int number,
            @Nullable Platform oldPlatform,
            @Nullable Platform newPlatform,
            List<String> removedTags,
            List<String> addedTags) {}

    /** An index as it was when the log stood at {@code seq}. */
    record Snapshot(long seq, byte[] bits) {}

    /**
     * Whether the log has gone on after {@code seq}, as far as is known without reading it: others
     * may have written to it. Never blocks.
     */
    boolean mayGoOnAfter(long appId, long seq);

    /** Reads the changes after {@code seq}, oldest first. */
    void changesAfter(long appId, long seq, Consumer<Change> each);

    Optional<Snapshot> snapshot(long appId);

    /** Keeps a snapshot, in the place of the changes up to the one before it. Never blocks. */
    CompletableFuture<Void> keepSnapshot(long appId, Snapshot snapshot);
}
