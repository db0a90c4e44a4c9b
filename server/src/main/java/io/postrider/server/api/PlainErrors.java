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
                    case 413 -> Problem.of(ErrorCode.BODY_TOO_LARGE, "A body has at most 64 KiB.");
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
