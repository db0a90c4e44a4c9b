package io.postrider.server.api;

import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.server.Request;

/** A request whose method is the one in its first line: Javalin would obey a header instead. */
final class AsItCame extends Request.Wrapper {
    private static final String OVERRIDE = "X-HTTP-Method-Override";

    AsItCame(Request request) {
        super(request);
    }

    @Override
    public HttpFields getHeaders() {
        HttpFields headers = super.getHeaders();
        return headers.contains(OVERRIDE)
                ? HttpFields.build(headers).remove(OVERRIDE).asImmutable()
                : headers;
    }
}
