package io.postrider.client;

import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import okhttp3.Dispatcher;
import okhttp3.OkHttpClient;

/** The threads, the HTTP client and the trust in certificates that clients of one process share. */
public final class Threads {
    private static final Threads SHARED = new Threads(daemons());

    private final ThreadFactory factory;
    private final ScheduledExecutorService timers;
    private final OkHttpClient http;

    private Threads(ThreadFactory factory) {
        this.factory = factory;
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1, daemons());
        timer.setRemoveOnCancelPolicy(true);
        this.timers = timer;
        ThreadPoolExecutor connections =
                new ThreadPoolExecutor(
                        0,
                        Integer.MAX_VALUE,
                        1,
                        TimeUnit.SECONDS,
                        new SynchronousQueue<>(),
                        factory);
        Dispatcher dispatcher = new Dispatcher(connections);
        dispatcher.setMaxRequests(Integer.MAX_VALUE);
        dispatcher.setMaxRequestsPerHost(Integer.MAX_VALUE);
        this.http =
                new OkHttpClient.Builder()
                        .dispatcher(dispatcher)
                        .fastFallback(false)
                        .retryOnConnectionFailure(false)
                        .connectTimeout(10, TimeUnit.SECONDS)
                        .build();
    }

    /** Daemon threads; what is used where nothing else is said. */
    public static Threads shared() {
        return SHARED;
    }

    /** Connections on threads of the caller's making; virtual ones will do. */
    public static Threads of(ThreadFactory factory) {
        return new Threads(factory);
    }

    private Threads(Threads threads, OkHttpClient http) {
        this.factory = threads.factory;
        this.timers = threads.timers;
        this.http = http;
    }

    /**
     * The same threads for servers whose certificates these sign, and no others: for companies with
     * an authority of their own, and servers that signed theirs themselves.
     *
     * @param certificates a PEM file with one or more
     */
    public Threads trusting(File certificates) throws IOException {
        try (InputStream in = new FileInputStream(certificates)) {
            KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
            trusted.load(null, null);
            int number = 0;
            for (Certificate each :
                    CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                trusted.setCertificateEntry("trusted-" + number++, each);
            }
            TrustManagerFactory trust =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(trusted);
            X509TrustManager manager = (X509TrustManager) trust.getTrustManagers()[0];
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {manager}, null);
            return new Threads(
                    this,
                    http.newBuilder()
                            .sslSocketFactory(context.getSocketFactory(), manager)
                            .build());
        } catch (GeneralSecurityException e) {
            throw new IOException(certificates + " holds no certificates", e);
        }
    }

    private static ThreadFactory daemons() {
        ThreadFactory plain = Executors.defaultThreadFactory();
        return task -> {
            Thread thread = plain.newThread(task);
            thread.setName("postrider-" + thread.getId());
            thread.setDaemon(true);
            return thread;
        };
    }

    /** A link to a gateway, not opened yet. */
    Link link(Gateway gateway, Transport transport, Link.Events events) {
        return transport == Transport.TCP
                ? new TcpLink(gateway, events, factory, timers, http.sslSocketFactory())
                : new WebSocketLink(
                        gateway, events, transport == Transport.WEBSOCKET_JSON, http, timers);
    }

    ThreadFactory factory() {
        return factory;
    }

    ScheduledExecutorService timers() {
        return timers;
    }

    OkHttpClient http() {
        return http;
    }
}
