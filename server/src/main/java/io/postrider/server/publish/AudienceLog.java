package io.postrider.server.publish;

import io.postrider.server.identity.Platform;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
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

    /**
     * The changes after {@code seq}, oldest first. Their seqs follow each other; where the first is
     * not the next after {@code seq}, a snapshot holds what is missing.
     */
    List<Change> changesAfter(long appId, long seq);

    Optional<Snapshot> snapshot(long appId);

    /**
     * Keeps a snapshot, in the place of the changes up to the one before it; but not in the place
     * of a later one. Never blocks.
     */
    CompletableFuture<Void> keepSnapshot(long appId, Snapshot snapshot);
}
