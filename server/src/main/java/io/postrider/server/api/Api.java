package io.postrider.server.api;

import io.javalin.Javalin;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import io.javalin.http.HttpResponseException;
import io.javalin.util.JavalinBindException;
import io.postrider.server.clock.Clock;
import io.postrider.server.delivery.MessageStore;
import io.postrider.server.delivery.Presence;
import io.postrider.server.identity.Accounts;
import io.postrider.server.identity.Apps;
import io.postrider.server.identity.AuditLog;
import io.postrider.server.identity.DeviceStore;
import io.postrider.server.identity.DeviceTokens;
import io.postrider.server.identity.GroupStore;
import io.postrider.server.identity.Quotas;
import io.postrider.server.identity.TillStore;
import io.postrider.server.metrics.Metrics;
import io.postrider.server.publish.Publisher;
import io.postrider.server.publish.Reporter;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** The REST port: every route, who may call it, and how every failure is answered. */
public final class Api implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Api.class);
    static final int MOST_BODY = 64 * 1024;
    private static final int MOST_HEAD = 8 * 1024;
    private static final int MOST_CONNECTIONS = 8_192;
    private static final long IDLE_MILLIS = 30_000;
    private static final long LOOK_SECONDS = 1;
    private static final String REQUEST_ID = "requestId";

    private final Authenticator authenticator;
    private final Intake intake;
    private final Origins origins;
    private final Proxies proxies;
    private final Deadlines deadlines;
    private final Clock clock;
    private final PublishCalls publishCalls;
    private final List<Route> routes;
    private final SslContextFactory.@Nullable Server tls;
    private final ScheduledExecutorService looking =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().name("http-deadlines").daemon().factory());
    private @Nullable Javalin javalin;

    /** What the routes need. */
    public record Parts(
            Accounts accounts,
            AuditLog audit,
            Apps apps,
            Quotas quotas,
            DeviceStore devices,
            GroupStore groups,
            TillStore tills,
            String tillPath,
            DeviceTokens deviceTokens,
            Publisher publisher,
            MessageStore messages,
            Reporter reporter,
            Presence presence,
            Metrics metrics,
            NodeInfo node,
            Predicate<InetAddress> trustedProxies,
            @Nullable SSLContext tls,
            Clock clock,
            Supplier<Optional<String>> unready) {}

    public Api(Parts parts) {
        this.authenticator = new Authenticator(parts.accounts, parts.apps, parts.deviceTokens);
        this.intake = new Intake(parts.messages);
        this.origins = new Origins(parts.apps);
        this.proxies = new Proxies(parts.trustedProxies);
        this.deadlines = new Deadlines(parts.clock);
        this.clock = parts.clock;
        this.tls = parts.tls == null ? null : contextFactory(parts.tls);
        this.publishCalls = new PublishCalls(parts.publisher, parts.quotas, intake);
        this.routes =
                Stream.of(
                                new DeveloperRoutes(parts.accounts, parts.node).routes(),
                                new AuditRoutes(parts.audit).routes(),
                                new AppRoutes(parts.apps).routes(),
                                new DeviceRoutes(
                                                parts.apps,
                                                parts.devices,
                                                parts.deviceTokens,
                                                parts.presence,
                                                parts.node,
                                                parts.clock)
                                        .routes(),
                                new GroupRoutes(parts.groups).routes(),
                                new TillRoutes(parts.tills, parts.tillPath, parts.node, parts.clock)
                                        .routes(),
                                new AckRoutes(parts.devices, parts.messages).routes(),
                                new BatchRoutes(publishCalls).routes(),
                                new MessageRoutes(
                                                parts.publisher,
                                                publishCalls,
                                                parts.messages,
                                                parts.reporter,
                                                parts.devices,
                                                parts.apps,
                                                parts.audit)
                                        .routes(),
                                new NodeRoutes(parts.node).routes(),
                                new SystemRoutes(parts.metrics, parts.unready).routes())
                        .flatMap(List::stream)
                        .toList();
    }

    private static SslContextFactory.Server contextFactory(SSLContext context) {
        SslContextFactory.Server factory = new SslContextFactory.Server();
        factory.setSslContext(context);
        factory.setIncludeProtocols("TLSv1.3", "TLSv1.2");
        return factory;
    }

    /** Takes another certificate for the connections that are made from here on. */
    public void reload(SSLContext context) {
        try {
            Objects.requireNonNull(tls).reload(factory -> factory.setSslContext(context));
        } catch (Exception e) {
            throw new IllegalStateException("a context that was made cannot be used", e);
        }
    }

    /** Publishing, for other ports than this one. */
    public PublishCalls publishCalls() {
        return publishCalls;
    }

    private void configure(JavalinConfig config, String host, int port) {
        config.concurrency.useVirtualThreads = true;
        config.startup.showJavalinBanner = false;
        config.startup.showOldJavalinVersionWarning = false;
        config.startup.startupWatcherEnabled = false;
        config.http.maxRequestSize = MOST_BODY;
        config.http.prefer405over404 = true;
        config.http.generateEtags = false;
        config.jetty.addConnector((server, http) -> connector(server, http, host, port));
        config.jetty.modifyServer(server -> {
            server.setErrorHandler(new PlainErrors());
            server.insertHandler(deadlines);
        });
        for (Route route : routes) {
            config.routes.addHttpHandler(
                    route.method(), route.path(), context -> handle(route, context));
            if (route.method().equals(HandlerType.GET)) {
                // Otherwise every HEAD of such a path would be answered 200, unproved.
                config.routes.addHttpHandler(
                        HandlerType.HEAD, route.path(), context -> handle(route, context));
            }
            if (route.isForPages()) {
                config.routes.addHttpHandler(HandlerType.OPTIONS, route.path(), origins::preflight);
            }
        }
        config.routes.exception(HttpResponseException.class, this::refused);
        config.routes.exception(Exception.class, Api::failed);
    }

    private ServerConnector connector(
            Server server, HttpConfiguration http, String host, int port) {
        http.setSendServerVersion(false);
        http.setRequestHeaderSize(MOST_HEAD);
        http.addCustomizer((request, answer) -> new AsItCame(request));
        ServerConnector connector;
        if (tls == null) {
            connector = new ServerConnector(server, new HttpConnectionFactory(http));
        } else {
            SecureRequestCustomizer secure = new SecureRequestCustomizer();
            // Whoever names another host than the certificate's has refused it himself by then.
            secure.setSniHostCheck(false);
            http.addCustomizer(secure);
            connector = new ServerConnector(server, tls, new HttpConnectionFactory(http));
        }
        connector.setHost(host);
        connector.setPort(port);
        connector.setIdleTimeout(IDLE_MILLIS);
        connector.addBean(deadlines, false);
        server.addBean(new NetworkConnectionLimit(MOST_CONNECTIONS, connector));
        return connector;
    }

    private void handle(Route route, Context context) {
        String requestId = requestId(context);
        MDC.put(REQUEST_ID, requestId);
        try {
            if (route.isForPages()) {
                origins.letRead(context);
            }
            Caller caller = authenticator.prove(context, route.access());
            if (route.changes()) {
                intake.check();
            }
            Answer answer =
                    route.handling()
                            .handle(new Request(context, caller, requestId, proxies, clock));
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

    private void refused(HttpResponseException refused, Context context) {
        if (refused.getStatus() == 405) {
            context.header(
                    "Allow",
                    routes.stream()
                            .filter(route -> route.matches(context.path()))
                            .map(route -> route.method().name())
                            .distinct()
                            .collect(Collectors.joining(", ")));
        }
        Problem problem =
                switch (refused.getStatus()) {
                    case 405 ->
                            Problem.of(
                                    ErrorCode.METHOD_NOT_ALLOWED,
                                    "The contract is at /openapi.yaml.");
                    case 413 -> Problem.bodyTooLarge(MOST_BODY);
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
        Problem problem = Failures.problemOf(cause);
        if (problem.code == ErrorCode.INTERNAL) {
            LOG.error("{} failed", context.endpoint().path, cause);
        }
        MDC.remove(REQUEST_ID);
        answer(context, problem, requestId);
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
        Javalin starting = Javalin.create(config -> configure(config, host, port));
        try {
            starting.start();
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
        javalin = starting;
        looking.scheduleWithFixedDelay(
                deadlines::cutOffLate, LOOK_SECONDS, LOOK_SECONDS, TimeUnit.SECONDS);
        return starting.port();
    }

    /** Finishes the requests in hand and takes no more. */
    @Override
    public void close() {
        looking.shutdownNow();
        if (javalin != null) {
            javalin.stop();
        }
    }
}
