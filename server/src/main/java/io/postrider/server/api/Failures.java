package io.postrider.server.api;

import io.postrider.server.delivery.StoreUnavailable;

/** What a caller is told of a failure that he cannot mend; the details go to the log only. */
final class Failures {
    private static final long RETRY_SECONDS = 5;

    private Failures() {}

    static Problem problemOf(Throwable failure) {
        return switch (failure) {
            case Problem problem -> problem;
            case StoreUnavailable unavailable ->
                    Problem.retryAfter(
                            ErrorCode.UNAVAILABLE,
                            RETRY_SECONDS,
                            "The store failed. It is not known whether the request took effect; it"
                                    + " is safe to repeat with the same Idempotency-Key.");
            default ->
                    Problem.of(
                            ErrorCode.INTERNAL,
                            "It is not known whether the request took effect; it is safe to"
                                    + " repeat with the same Idempotency-Key.");
        };
    }
}
