package io.postrider.server;

import io.postrider.protocol.CloseCode;
import io.postrider.server.api.Api;
import io.postrider.server.api.NodeInfo;
import io.postrider.server.api.NodeInfo.GatewayAddress;
import io.postrider.server.api.Route;
import io.postrider.server.clock.Clock;
import io.postrider.server.cluster.Cluster;
import io.postrider.server.cluster.RedisAddress;
import io.postrider.server.config.Exposure;
import io.postrider.server.config.Network;
import io.postrider.server.config.Settings;
import io.postrider.server.config.Settings.Registration;
import io.postrider.server.config.SettingsException;
import io.postrider.server.delivery.Change;
import io.postrider.server.delivery.Change.AppChanged;
import io.postrider.server.delivery.Change.Revoked;
import io.postrider.server.delivery.MessageStore;
import io.postrider.server.delivery.NodeRegistry.Node;
import io.postrider.server.delivery.NodeRegistry.Self;
import io.postrider.server.delivery.Presence;
import io.postrider.server.delivery.Trace;
import io.postrider.server.delivery.WakeUps;
import io.postrider.server.gateway.Gateway;
import io.postrider.server.gateway.Tls;
import io.postrider.server.identity.Accounts;
import io.postrider.server.identity.Apps;
import io.postrider.server.identity.DeviceStore.Revocation;
import io.postrider.server.identity.DeviceTokens;
import io.postrider.server.identity.Quotas;
import io.postrider.server.identity.SignUps;
import io.postrider.server.legacy.TillSockets;
import io.postrider.server.metrics.Metrics;
import io.postrider.server.publish.AudienceIndex;
import io.postrider.server.publish.Publisher;
import io.postrider.server.publish.Reporter;
import io.postrider.server.session.SessionLimits;
import io.postrider.server.session.Sessions;
import io.postrider.server.store.Database;
import io.postrider.server.store.SqlApps;
import io.postrider.server.store.SqlAudienceLog;
import io.postrider.server.store.SqlAudit;
import io.postrider.server.store.SqlDevelopers;
import io.postrider.server.store.SqlDevices;
import io.postrider.server.store.SqlGroups;
import io.postrider.server.store.SqlMailboxes;
import io.postrider.server.store.SqlMessages;
import io.postrider.server.store.SqlNodes;
import io.postrider.server.store.SqlPresence;
import io.postrider.server.store.SqlReports;
import io.postrider.server.store.SqlTills;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.sql.Connection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One node: its parts, made and connected here and nowhere else. */
public final class Postrider implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Postrider.class);
    private static final int TRACED_EVENTS = 1 << 18;

    /** What no hint told is found by the second turn: that a token was revoked, within 5 s. */
    private static final long SWEEP_SECONDS = 1;

    private static final long RELOAD_SECONDS = 2;
    private static final int LEAST_SPREAD_MILLIS = 1_000;
    private static final int MOST_SPREAD_MILLIS = 60_000;
    private static final long PATIENCE_MILLIS = 3_000;

    private final Database database;
    private final Sessions sessions;
    private final @Nullable Cluster cluster;
    private final MessageStore messages;
    private final Gateway gateway;
    private final Api api;
    private final ScheduledExecutorService sweeper =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().name("sweeper").daemon().factory());
    private final InetSocketAddress gatewayAddress;
    private final int httpPort;
    private final String host;
    private final @Nullable Tls tls;
    private volatile boolean ready;

    /** Reads anew what other nodes may have changed while this one was not heard of. */
    private volatile Runnable learnAgain = () -> {};

    /** Where something may be put between two parts, by tests most of all. */
    public record Seams(
            Clock clock,
            SessionLimits limits,
            UnaryOperator<Connection> writing,
            UnaryOperator<MessageStore> messages,
            UnaryOperator<WakeUps> wakeUps,
            Consumer<String> tell) {

        public static Seams none(Settings settings) {
            return new Seams(
                    Clock.system(),
                    SessionLimits.standard(settings.heartbeatSeconds()),
                    UnaryOperator.identity(),
                    UnaryOperator.identity(),
                    UnaryOperator.identity(),
                    line -> {});
        }

        /** As these, by another clock. */
        public Seams clock(Clock other) {
            return new Seams(other, limits, writing, messages, wakeUps, tell);
        }

        /** As these, with something around the message store. */
        public Seams messages(UnaryOperator<MessageStore> around) {
            return new Seams(clock, limits, writing, around, wakeUps, tell);
        }

        /** As these, with something around the wake-ups. */
        public Seams wakeUps(UnaryOperator<WakeUps> around) {
            return new Seams(clock, limits, writing, messages, around, tell);
        }

        /** As these, with somebody who is told what the operator must know. */
        public Seams telling(Consumer<String> operator) {
            return new Seams(clock, limits, writing, messages, wakeUps, operator);
        }
    }

    /** Opens the store and both ports; when it returns, the node takes traffic. */
    public static Postrider start(Settings settings) {
        return start(settings, Seams.none(settings));
    }

    /** As {@link #start(Settings)}, for tests. */
    public static Postrider start(Settings settings, Seams seams) {
        // Before the database is opened, and with it brought to this version's schema.
        RedisAddress redis = settings.cluster().map(Postrider::redis).orElse(null);
        Metrics metrics = new Metrics();
        Database database = database(settings, seams, metrics);
        try {
            return new Postrider(settings, seams, database, redis, metrics);
        } catch (RuntimeException e) {
            database.close();
            throw e;
        }
    }

    private static RedisAddress redis(String uri) {
        try {
            return RedisAddress.of(uri);
        } catch (IllegalArgumentException e) {
            throw new SettingsException(String.valueOf(e.getMessage()));
        }
    }

    private static Database database(Settings settings, Seams seams, Metrics metrics) {
        if (settings.store().isEmpty()) {
            return Database.open(settings.data(), seams.clock, metrics, seams.writing);
        }
        return Database.open(
                settings.store().get(),
                settings.storePassword(),
                seams.clock,
                metrics,
                seams.writing);
    }

    private Postrider(
            Settings settings,
            Seams seams,
            Database database,
            @Nullable RedisAddress redis,
            Metrics metrics) {
        Clock clock = seams.clock;
        this.database = database;
        this.host = settings.bind();
        this.tls = tls(settings);
        Trace trace = new Trace(TRACED_EVENTS, clock.millis());
        Quotas quotas =
                new Quotas(
                        settings.quotaConnections(),
                        settings.quotaPublishesPerSecond(),
                        settings.quotaStoredMessages(),
                        clock);

        this.sessions = new Sessions(seams.limits, clock, trace, metrics);
        this.cluster = database.isShared() ? cluster(seams, database, redis, metrics) : null;
        WakeUps here = seams.wakeUps.apply(sessions);
        WakeUps wakeUps = cluster == null ? here : cluster.around(here);
        this.messages =
                seams.messages.apply(
                        new SqlMessages(database, clock, settings.quotaStoredMessages()));
        messages.onCommit(wakeUps);
        metrics.health(
                "store.working",
                "Whether writes are taken",
                () -> messages.intake() != MessageStore.Intake.BROKEN);
        sessions.readFrom(messages, new SqlMailboxes(database, clock));

        SqlDevelopers developers = new SqlDevelopers(database, clock);
        SqlAudit audit = new SqlAudit(database);
        Accounts accounts =
                new Accounts(developers, audit, signUps(settings, seams, developers), clock);
        Apps apps = new Apps(new SqlApps(database));
        SqlDevices devices = new SqlDevices(database);
        DeviceTokens deviceTokens = new DeviceTokens(apps, devices, clock);
        if (cluster != null) {
            sessions.presentOnlyWhile(cluster::mayPresent);
            sessions.onReadChange(change -> changed(change, apps, deviceTokens));
            apps.changeElsewhere(sessions::caughtUp);
            learnAgain =
                    () -> {
                        apps.reload();
                        deviceTokens.reload();
                    };
        }
        SqlTills tills = new SqlTills(database, devices, clock);
        SqlGroups groups = new SqlGroups(database, clock);
        AudienceIndex audiences = new AudienceIndex(new SqlAudienceLog(database), devices, groups);
        Presence presence = cluster == null ? sessions : new SqlPresence(database, sessions);
        Publisher publisher = new Publisher(audiences, messages, presence, metrics);
        Reporter reporter =
                new Reporter(
                        new SqlReports(database, clock), presence, trace, clock, settings.node());

        NodeInfo node =
                new NodeInfo(
                        (int) (seams.limits.heartbeatMillis() / 1000),
                        settings.registrationsPerSecond(),
                        Exposure.isExposed(settings));
        this.api =
                new Api(
                        new Api.Parts(
                                accounts,
                                audit,
                                apps,
                                quotas,
                                devices,
                                groups,
                                tills,
                                TillSockets.PATH,
                                deviceTokens,
                                publisher,
                                messages,
                                reporter,
                                presence,
                                metrics,
                                node,
                                trusted(settings),
                                tls == null ? null : tls.context(),
                                clock,
                                this::unready));
        this.gateway =
                new Gateway(
                        new Gateway.Parts(
                                deviceTokens,
                                apps,
                                quotas,
                                sessions,
                                new PublishFrames(api.publishCalls()),
                                Map.of(TillSockets.PATH, new TillSockets(tills, clock)),
                                tls,
                                seams.limits,
                                messages.epoch(),
                                metrics,
                                clock));
        apps.onCredentialsVoid(gateway::credentialsVoid);
        apps.onTokensVoid(sessions::revokedAll);
        apps.onDeleted(audiences::forget);
        this.gatewayAddress = gateway.start(host, settings.gatewayPort());
        List<String> told = told(settings);
        node.gateways(told.stream().map(GatewayAddress::of).toList());
        if (cluster != null) {
            node.among(new Neighbours(cluster));
            sessions.leaveTo(this::elsewhereFor);
            cluster.join(new Self(settings.node(), Main.version(), told, settings.capacity()));
        }
        this.httpPort = api.start(host, settings.httpPort());
        sweeper.scheduleWithFixedDelay(
                sessions::sweep, SWEEP_SECONDS, SWEEP_SECONDS, TimeUnit.SECONDS);
        sweeper.scheduleWithFixedDelay(
                apps::readAgain, SWEEP_SECONDS, SWEEP_SECONDS, TimeUnit.SECONDS);
        if (tls != null) {
            tls.onReload(api::reload);
            sweeper.scheduleWithFixedDelay(
                    tls::reloadIfChanged, RELOAD_SECONDS, RELOAD_SECONDS, TimeUnit.SECONDS);
        }
        this.ready = true;
    }

    private Cluster cluster(
            Seams seams, Database database, @Nullable RedisAddress redis, Metrics metrics) {
        return new Cluster(
                new SqlNodes(database),
                sessions,
                seams.clock,
                metrics,
                redis,
                "postrider:" + database.epoch(),
                new Cluster.Parting() {
                    @Override
                    public void takenForDead() {
                        sessions.endAll(CloseCode.SHUTDOWN);
                        learnAgain.run();
                    }

                    @Override
                    public void cutOff() {
                        if (sessions.count() > 0) {
                            LOG.warn(
                                    "other nodes reach the store and this one does not: {} devices"
                                            + " are sent to them",
                                    sessions.count());
                            sendAway();
                        }
                    }
                });
    }

    private List<String> elsewhereFor(long device) {
        return cluster == null
                ? List.of()
                : cluster.elsewhereFor(device).stream()
                        .map(url -> GatewayAddress.of(url).address())
                        .toList();
    }

    private void sendAway() {
        sessions.sendAway(LEAST_SPREAD_MILLIS, spreadMillis(), PATIENCE_MILLIS);
    }

    /** All at once would be a storm for those they go to. */
    private int spreadMillis() {
        return Math.clamp(sessions.count(), LEAST_SPREAD_MILLIS, MOST_SPREAD_MILLIS);
    }

    private static void changed(Change change, Apps apps, DeviceTokens tokens) {
        switch (change) {
            case AppChanged(long appId) -> apps.changed(appId);
            case Revoked(long appId, int number, int generation) ->
                    tokens.revoked(new Revocation(appId, number, generation));
            default -> {}
        }
    }

    private record Neighbours(Cluster cluster) implements NodeInfo.Neighbours {
        @Override
        public List<Node> nodes() {
            return cluster.nodes();
        }

        @Override
        public List<String> gatewaysFor(String device) {
            return cluster.gatewaysFor(device);
        }
    }

    /** Why the node takes no traffic; empty if it does. */
    private Optional<String> unready() {
        if (!ready) {
            return Optional.of("stopping");
        }
        if (messages.intake() == MessageStore.Intake.BROKEN) {
            return Optional.of(cluster == null ? "disk_failing" : "database_failing");
        }
        return cluster == null || cluster.mayPresent()
                ? Optional.empty()
                : Optional.of("lease_lost");
    }

    private static @Nullable Tls tls(Settings settings) {
        return settings.tlsCert().isPresent() && settings.tlsKey().isPresent()
                ? new Tls(settings.tlsCert().get(), settings.tlsKey().get())
                : null;
    }

    /** On this machine anyone may sign up; where others come too, who the operator says. */
    private static SignUps signUps(Settings settings, Seams seams, SqlDevelopers developers) {
        if (!Exposure.isExposed(settings) || settings.registration() == Registration.OPEN) {
            return SignUps.open();
        }
        return developers.isEmpty()
                ? FirstRunCode.write(settings.data(), seams.tell)
                : SignUps.closed();
    }

    private static Predicate<InetAddress> trusted(Settings settings) {
        List<Network> networks =
                settings.trustedProxies().orElse(List.of()).stream().map(Network::of).toList();
        return address -> networks.stream().anyMatch(network -> network.contains(address));
    }

    /** Where devices are told to connect. */
    private List<String> told(Settings settings) {
        String address = hostAndPort(gatewayAddress.getPort());
        String ws = tls == null ? "ws://" : "wss://";
        String tcp = tls == null ? "tcp://" : "tls://";
        return settings.advertise().orElse(List.of(ws + address, tcp + address));
    }

    private String hostAndPort(int port) {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }

    /** {@code http://host:port} of REST, or https. */
    public String http() {
        return (tls == null ? "http://" : "https://") + hostAndPort(httpPort);
    }

    /** Everything that can be called over REST. */
    public List<Route> routes() {
        return api.routes();
    }

    /** Where the node keeps everything, as {@code data=} a folder or {@code store=} a database. */
    public String place() {
        return database.place();
    }

    /** {@code host:port} of the gateway. */
    public String gateway() {
        return hostAndPort(gatewayAddress.getPort());
    }

    /**
     * Takes no new work, tells devices to come back later and each at another time, waits a little
     * for acks of what is in flight, and leaves everything that was accepted flushed.
     */
    @Override
    public void close() {
        ready = false;
        gateway.stopListening();
        sweeper.shutdown();
        gateway.leave(LEAST_SPREAD_MILLIS, spreadMillis(), PATIENCE_MILLIS, this::elsewhereFor);
        sendAway();
        api.close();
        gateway.close();
        if (cluster != null) {
            cluster.close();
        }
        database.close();
    }
}
