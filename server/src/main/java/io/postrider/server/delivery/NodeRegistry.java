package io.postrider.server.delivery;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The runs of nodes that share a store. Each counts as running until its lease is over, by the
 * store's time, or it says that it has ended. Futures are as in {@link MessageStore}.
 */
public interface NodeRegistry {
    /**
     * What a node tells the others of itself.
     *
     * @param gateways where its devices connect
     * @param capacity how many devices it takes, compared to the others
     */
    record Self(String name, String version, List<String> gateways, int capacity) {}

    /**
     * A run that counts as running.
     *
     * @param number of the run; the node's next one has another
     * @param startedAt milliseconds since 1970
     */
    record Node(long number, Self self, long startedAt) {}

    /**
     * Prolongs this run's lease by so much from now on. False if the run was ended, since its lease
     * was over: what it believes to hold others may have.
     */
    CompletableFuture<Boolean> renew(Self self, long leaseMillis);

    /** Begins another run of this node, when all sessions of the one that was ended are closed. */
    CompletableFuture<Void> startAgain(Self self, long leaseMillis);

    /** Ends the runs whose leases are over; answers how many. */
    CompletableFuture<Integer> endSilent();

    /** The runs that have not ended, in the order of their starts. Blocks. */
    List<Node> running();
}
