package io.postrider.server.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import org.jspecify.annotations.Nullable;

/** A refusal on its way to the caller, as RFC 9457 problem details. */
final class Problem extends RuntimeException {
    private static final long serialVersionUID = 1L;
    static final String CONTENT_TYPE = "application/problem+json";

    final ErrorCode code;
    final @Nullable String field;
    final @Nullable Long limit;
    final @Nullable Long retryAfterSeconds;

    private Problem(
            ErrorCode code,
            String detail,
            @Nullable String field,
            @Nullable Long limit,
            @Nullable Long retryAfterSeconds) {
        super(detail, null, false, false);
        this.code = code;
        this.field = field;
        this.limit = limit;
        this.retryAfterSeconds = retryAfterSeconds;
    }

    static Problem of(ErrorCode code, String detail) {
        return new Problem(code, detail, null, null, null);
    }

    static Problem field(ErrorCode code, String field, String detail) {
        return new Problem(code, detail, field, null, null);
    }

    static Problem limit(ErrorCode code, @Nullable String field, long limit, String detail) {
        return new Problem(code, detail, field, limit, null);
    }

    static Problem retryAfter(ErrorCode code, long seconds, String detail) {
        return new Problem(code, detail, null, null, seconds);
    }

    static Problem quota(long limit, long retryAfterSeconds, String detail) {
        return new Problem(ErrorCode.QUOTA_EXCEEDED, detail, null, limit, retryAfterSeconds);
    }

    static Problem bodyTooLarge(long limit) {
        return limit(
                ErrorCode.BODY_TOO_LARGE,
                null,
                limit,
                "A body has at most " + limit + " bytes here.");
    }

    static Problem notFound() {
        return of(ErrorCode.NOT_FOUND, "Nothing is here, or nothing that you may see.");
    }

    static Problem unauthorized() {
        return of(
                ErrorCode.UNAUTHORIZED,
                "Send a login's token as Bearer, or appKey:masterSecret as Basic.");
    }

    /** The answer's body. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Body(
            String type,
            String title,
            int status,
            String code,
            String detail,
            @Nullable String field,
            @Nullable Long limit,
            String requestId) {}

    Body body(String requestId) {
        return new Body(
                "about:blank",
                code.title,
                code.status,
                code.code,
                String.valueOf(getMessage()),
                field,
                limit,
                requestId);
    }
}
