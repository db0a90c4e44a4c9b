package io.postrider.client;

import static java.util.concurrent.TimeUnit.SECONDS;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.StringWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okhttp3.ResponseBody;
import org.jspecify.annotations.Nullable;

/** Calls of the REST interface: JSON there and back, and refusals as exceptions. */
final class Rest {
    static final JsonFactory JSON = new JsonFactory();
    private static final long TIMEOUT_SECONDS = 10;
    private static final MediaType TYPE = MediaType.get("application/json");

    private final OkHttpClient http;
    private final String base;

    /**
     * @param base such as {@code http://127.0.0.1:8080}
     */
    Rest(Threads threads, String base) {
        this(threads.http().newBuilder().callTimeout(TIMEOUT_SECONDS, SECONDS).build(), base);
    }

    private Rest(OkHttpClient http, String base) {
        this.http = http;
        this.base = base.endsWith("/") ? base.substring(0, base.length() - 1) : base;
    }

    /** Another server, by the same threads and trust. */
    Rest at(String server) {
        return new Rest(http, server);
    }

    /** The same server, by other threads and another trust. */
    Rest using(Threads threads) {
        return new Rest(threads, base);
    }

    /** An answer: its status, and the fields of its object whose values are scalars. */
    static final class Answer {
        final int status;
        final Map<String, String> fields;
        final String text;
        final @Nullable String retryAfter;

        Answer(int status, Map<String, String> fields, String text, @Nullable String retryAfter) {
            this.status = status;
            this.fields = fields;
            this.text = text;
            this.retryAfter = retryAfter;
        }

        String field(String name) throws PostriderException {
            String value = fields.get(name);
            if (value == null) {
                throw new PostriderException(status, null, "the answer has no " + name);
            }
            return value;
        }

        PostriderException refusal() {
            String detail = fields.containsKey("detail") ? fields.get("detail") : "";
            return new PostriderException(
                    status, fields.get("code"), "HTTP " + status + ": " + detail);
        }
    }

    /** Writes a request's body. */
    interface Body {
        void write(JsonGenerator out) throws IOException;
    }

    /** A value as one segment of a path. */
    static String segment(String value) {
        return HttpUrl.get("http://x/")
                .newBuilder()
                .addPathSegment(value)
                .build()
                .encodedPath()
                .substring(1);
    }

    static String json(Body body) {
        StringWriter text = new StringWriter();
        try (JsonGenerator out = JSON.createGenerator(text)) {
            out.writeStartObject();
            body.write(out);
            out.writeEndObject();
        } catch (IOException e) {
            throw new IllegalStateException("writing to memory failed", e);
        }
        return text.toString();
    }

    /** Posts once; an answer of any status is an answer. */
    Answer post(
            String path, @Nullable String authorization, Map<String, String> headers, String body)
            throws IOException {
        Request.Builder request =
                new Request.Builder().url(base + path).post(RequestBody.create(body, TYPE));
        if (authorization != null) {
            request.header("Authorization", authorization);
        }
        headers.forEach(request::header);
        return call(request.build());
    }

    /** Asks for what everyone may know. */
    Answer get(String path, String parameter, String value) throws IOException {
        HttpUrl url =
                HttpUrl.get(base + path).newBuilder().addQueryParameter(parameter, value).build();
        // Of very many devices at once, each asking once, none is to keep a connection.
        return call(new Request.Builder().url(url).header("Connection", "close").build());
    }

    private Answer call(Request request) throws IOException {
        try (Response response = http.newCall(request).execute()) {
            ResponseBody answered = response.body();
            String text = answered.string();
            return new Answer(response.code(), scalars(text), text, response.header("Retry-After"));
        }
    }

    private static Map<String, String> scalars(String text) throws IOException {
        Map<String, String> fields = new LinkedHashMap<>();
        if (text.isEmpty() || text.charAt(0) != '{') {
            return fields;
        }
        try (JsonParser in = JSON.createParser(text)) {
            in.nextToken();
            while (in.nextToken() == JsonToken.FIELD_NAME) {
                String name = in.currentName();
                if (in.nextToken().isScalarValue()) {
                    fields.put(name, in.getText());
                } else {
                    in.skipChildren();
                }
            }
        }
        return fields;
    }
}
