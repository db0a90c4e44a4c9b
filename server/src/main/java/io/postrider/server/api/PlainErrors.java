package io.postrider.server.api;

import java.nio.ByteBuffer;
import java.util.UUID;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request.Handler;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** Answers what Jetty refuses before any route sees it, such as a malformed path, in our form. */
final class PlainErrors implements Handler {
    @Override
    public boolean handle(
            org.eclipse.jetty.server.Request request, Response response, Callback callback) {
        Problem problem =
                switch (response.getStatus()) {
                    case 404 -> Problem.notFound();
                    case 405 ->
                            Problem.of(
                                    ErrorCode.METHOD_NOT_ALLOWED,
                                    "The contract is at /openapi.yaml.");
                    case 408 ->
                            Problem.of(
                                    ErrorCode.REQUEST_TIMEOUT, "Send the whole request at once.");
                    case 413 -> Problem.bodyTooLarge(Api.MOST_BODY);
                    case 414 ->
                            Problem.of(ErrorCode.URI_TOO_LONG, "Path and query have 8 KiB in all.");
                    case 431 ->
                            Problem.of(
                                    ErrorCode.HEADERS_TOO_LARGE,
                                    "Request line and headers have 8 KiB in all.");
                    case 500, 503 ->
                            Problem.of(ErrorCode.UNAVAILABLE, "The server cannot take this now.");
                    default ->
                            Problem.of(ErrorCode.REQUEST_MALFORMED, "The request cannot be read.");
                };
        String requestId = UUID.randomUUID().toString();
        response.setStatus(problem.code.status);
        response.getHeaders().put("X-Request-Id", requestId);
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, Problem.CONTENT_TYPE);
        response.write(true, ByteBuffer.wrap(Json.write(problem.body(requestId))), callback);
        return true;
    }
}
