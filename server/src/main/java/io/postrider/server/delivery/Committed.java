package io.postrider.server.delivery;

import java.util.List;

/**
 * What has been committed after an id, as of one moment.
 *
 * @param arrivals messages in the order of their ids, each for those for whom it was still pending
 * @param changes in the order of their commits, from a store that several nodes use
 * @param upTo nothing between the id asked for and this one is missing
 * @param more whether there may be more above {@code upTo}
 */
public record Committed(List<Arrival> arrivals, List<Change> changes, long upTo, boolean more) {}
