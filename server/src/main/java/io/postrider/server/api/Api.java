package io.postrider.server.api;

import io.javalin.Javalin;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import io.javalin.http.HttpResponseException;
import io.javalin.util.JavalinBindException;
import io.postrider.server.clock.Clock;
import io.postrider.server.delivery.MessageStore;
import io.postrider.server.identity.Accounts;
import io.postrider.server.identity.Apps;
import io.postrider.server.identity.DeviceStore;
import io.postrider.server.identity.DeviceTokens;
import io.postrider.server.metrics.Metrics;
import io.postrider.server.publish.AudienceIndex;
import io.postrider.server.publish.Publisher;
import io.postrider.server.publish.Reporter;
import io.postrider.server.session.Sessions;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** The REST port: every route, who may call it, and how every failure is answered. */
public final class Api implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Api.class);
    private static final long MOST_BODY = 64 * 1024;
    private static final String REQUEST_ID = "requestId";

    private final Authenticator authenticator;
    private final List<Route> routes;
    private final Javalin javalin;

    /** What the routes need. */
    public record Parts(
            Accounts accounts,
            Apps apps,
            DeviceStore devices,
            DeviceTokens deviceTokens,
            AudienceIndex audiences,
            Publisher publisher,
            MessageStore messages,
            Reporter reporter,
            Sessions sessions,
            Metrics metrics,
            NodeInfo node,
            Clock clock,
            BooleanSupplier ready) {}

    public Api(Parts parts) {
        this.authenticator = new Authenticator(parts.accounts, parts.apps, parts.deviceTokens);
        this.routes =
                Stream.of(
                                new DeveloperRoutes(parts.accounts).routes(),
                                new AppRoutes(parts.apps, parts.audiences, parts.sessions).routes(),
                                new DeviceRoutes(
                                                parts.apps,
                                                parts.devices,
                                                parts.deviceTokens,
                                                parts.sessions,
                                                parts.node,
                                                parts.clock)
                                        .routes(),
                                new MessageRoutes(
                                                parts.publisher,
                                                parts.messages,
                                                parts.reporter,
                                                parts.devices,
                                                parts.apps)
                                        .routes(),
                                new SystemRoutes(parts.metrics, parts.ready).routes())
                        .flatMap(List::stream)
                        .toList();
        this.javalin = Javalin.create(this::configure);
    }

    private void configure(JavalinConfig config) {
        config.concurrency.useVirtualThreads = true;
        config.startup.showJavalinBanner = false;
        config.startup.showOldJavalinVersionWarning = false;
        config.startup.startupWatcherEnabled = false;
        config.http.maxRequestSize = MOST_BODY;
        config.http.prefer405over404 = true;
        config.http.generateEtags = false;
        config.jetty.modifyHttpConfiguration(http -> http.setSendServerVersion(false));
        config.jetty.modifyServer(server -> server.setErrorHandler(new PlainErrors()));
        for (Route route : routes) {
            config.routes.addHttpHandler(
                    route.method(), route.path(), context -> handle(route, context));
            if (route.method().equals(HandlerType.GET)) {
                // Otherwise every HEAD of such a path would be answered 200, unproved.
                config.routes.addHttpHandler(
                        HandlerType.HEAD, route.path(), context -> handle(route, context));
            }
        }
        config.routes.exception(HttpResponseException.class, Api::refused);
        config.routes.exception(Exception.class, Api::failed);
    }

    private void handle(Route route, Context context) {
        String requestId = requestId(context);
        MDC.put(REQUEST_ID, requestId);
        try {
            Caller caller = authenticator.prove(context, route.access());
            Answer answer = route.handling().handle(new Request(context, caller, requestId));
            context.status(answer.status()).contentType(answer.contentType());
            answer.headers().forEach(context::header);
            context.result(answer.body());
        } catch (Problem problem) {
            answer(context, problem, requestId);
        } finally {
            MDC.remove(REQUEST_ID);
        }
    }

    private static String requestId(Context context) {
        String known = context.attribute(REQUEST_ID);
        String id = known == null ? UUID.randomUUID().toString() : known;
        context.attribute(REQUEST_ID, id);
        context.header("X-Request-Id", id);
        return id;
    }

    private static void refused(HttpResponseException refused, Context context) {
        Problem problem =
                switch (refused.getStatus()) {
                    case 405 ->
                            Problem.of(
                                    ErrorCode.METHOD_NOT_ALLOWED,
                                    "The contract is at /openapi.yaml.");
                    case 413 ->
                            Problem.limit(
                                    ErrorCode.BODY_TOO_LARGE,
                                    null,
                                    MOST_BODY,
                                    "A body has at most 64 KiB.");
                    case 400 ->
                            Problem.of(ErrorCode.REQUEST_MALFORMED, "The request cannot be read.");
                    default -> Problem.notFound();
                };
        answer(context, problem, requestId(context));
    }

    /** A failure that no caller can mend: the details go to the log, never into the answer. */
    private static void failed(Exception failure, Context context) {
        String requestId = requestId(context);
        MDC.put(REQUEST_ID, requestId);
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null
                        ? failure.getCause()
                        : failure;
        LOG.error("{} failed", context.endpoint().path, cause);
        MDC.remove(REQUEST_ID);
        answer(
                context,
                Problem.of(
                        ErrorCode.INTERNAL,
                        "It is not known whether the request took effect; it is safe to repeat"
                                + " with the same Idempotency-Key."),
                requestId);
    }

    private static void answer(Context context, Problem problem, String requestId) {
        context.status(problem.code.status).contentType(Problem.CONTENT_TYPE);
        if (problem.retryAfterSeconds != null) {
            context.header("Retry-After", Long.toString(problem.retryAfterSeconds));
        }
        if (problem.code == ErrorCode.UNAUTHORIZED) {
            context.header("WWW-Authenticate", "Basic realm=\"postrider\", Bearer");
        }
        context.result(Json.write(problem.body(requestId)));
    }

    /** Everything that can be called. */
    public List<Route> routes() {
        return routes;
    }

    /**
     * Listens; answers the port, which the system chose if 0 was asked for.
     *
     * @throws UncheckedIOException if the port cannot be listened on
     */
    public int start(String host, int port) {
        try {
            javalin.start(host, port);
        } catch (JavalinBindException e) {
            throw new UncheckedIOException(
                    new BindException(
                            "http-port "
                                    + port
                                    + " on "
                                    + host
                                    + " cannot be listened on;"
                                    + " another program may, or choose another"));
        }
        return javalin.port();
    }

    /** Finishes the requests in hand and takes no more. */
    @Override
    public void close() {
        javalin.stop();
    }
}
