package io.postrider.server.delivery;

/**
 * The store's disk is full or failing, or the store is closed. What was asked for was not answered,
 * and it is not known whether it was done (G2).
 */
public final class StoreUnavailable extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public StoreUnavailable(String message) {
        super(message);
    }
}
