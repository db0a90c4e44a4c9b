package io.postrider.server.gateway;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The certificate of both ports, from PEM files. Thread-safe. Connections keep the certificate that
 * they began with; those made after a reload get the new one.
 */
public final class Tls {
    private static final Logger LOG = LoggerFactory.getLogger(Tls.class);
    private static final int HANDSHAKE_BYTES = 64 * 1024;
    private static final int HANDSHAKE_STEPS = 40;
    private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};

    private final Path certificate;
    private final Path key;
    private final List<Consumer<SSLContext>> listeners = new CopyOnWriteArrayList<>();
    private volatile JdkSslContext current;
    private List<Object> seen;

    /**
     * Reads the files.
     *
     * @throws UncheckedIOException if they hold no certificate and its key; the message says which
     */
    public Tls(Path certificate, Path key) {
        this.certificate = certificate;
        this.key = key;
        this.seen = stamp();
        this.current = read();
    }

    public SSLContext context() {
        return current.context();
    }

    JdkSslContext netty() {
        return current;
    }

    /** Calls the listener with every context that takes the place of an earlier one. */
    public void onReload(Consumer<SSLContext> listener) {
        listeners.add(listener);
    }

    /**
     * Reads the files again if they have changed. Files that cannot be used leave the old
     * certificate in force, and are reported once. To be called every few seconds by one thread.
     */
    public void reloadIfChanged() {
        List<Object> now = stampOrNone();
        if (now.equals(seen)) {
            return;
        }
        seen = now;
        try {
            current = read();
            listeners.forEach(listener -> listener.accept(current.context()));
            LOG.info("a new certificate is in force");
        } catch (RuntimeException e) {
            LOG.error("the old certificate stays in force: {}", e.getMessage());
        }
    }

    /** Files that are missing are as good as files that cannot be used. */
    private List<Object> stampOrNone() {
        try {
            return stamp();
        } catch (UncheckedIOException e) {
            return List.of();
        }
    }

    /** With ourselves: a key of another certificate is found in no other way. */
    private static void tryHandshake(JdkSslContext made) throws IOException {
        SSLEngine server = made.context().createSSLEngine();
        server.setUseClientMode(false);
        SSLEngine client;
        try {
            client =
                    SslContextBuilder.forClient()
                            .sslProvider(SslProvider.JDK)
                            .trustManager(InsecureTrustManagerFactory.INSTANCE)
                            .build()
                            .newEngine(ByteBufAllocator.DEFAULT);
        } catch (SSLException e) {
            throw new IllegalStateException("a client that trusts everyone can be made", e);
        }
        ByteBuffer toServer = ByteBuffer.allocate(HANDSHAKE_BYTES);
        ByteBuffer toClient = ByteBuffer.allocate(HANDSHAKE_BYTES);
        client.beginHandshake();
        for (int step = 0; step < HANDSHAKE_STEPS && !isDone(client); step++) {
            step(client, toServer, toClient);
            step(server, toClient, toServer);
        }
        if (!isDone(client)) {
            throw new IOException("no handshake can be made with them");
        }
    }

    private static boolean isDone(SSLEngine engine) {
        return engine.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING
                && engine.getSession().isValid()
                && !engine.getSession().getCipherSuite().equals("SSL_NULL_WITH_NULL_NULL");
    }

    private static void step(SSLEngine engine, ByteBuffer out, ByteBuffer in) throws IOException {
        in.flip();
        engine.unwrap(in, ByteBuffer.allocate(HANDSHAKE_BYTES));
        in.compact();
        for (Runnable task = engine.getDelegatedTask();
                task != null;
                task = engine.getDelegatedTask()) {
            task.run();
        }
        engine.wrap(ByteBuffer.allocate(0), out);
    }

    private List<Object> stamp() {
        try {
            return List.of(
                    Files.getLastModifiedTime(certificate),
                    Files.size(certificate),
                    certificate.toRealPath(),
                    Files.getLastModifiedTime(key),
                    Files.size(key),
                    key.toRealPath());
        } catch (IOException e) {
            throw new UncheckedIOException(new IOException("cannot read " + e.getMessage(), e));
        }
    }

    private JdkSslContext read() {
        try {
            JdkSslContext made =
                    (JdkSslContext)
                            SslContextBuilder.forServer(certificate.toFile(), key.toFile())
                                    .sslProvider(SslProvider.JDK)
                                    .protocols(PROTOCOLS)
                                    .build();
            tryHandshake(made);
            return made;
        } catch (IOException | IllegalArgumentException e) {
            throw new UncheckedIOException(
                    new IOException(
                            "tls-cert "
                                    + certificate
                                    + " and tls-key "
                                    + key
                                    + " are no PEM certificate with its RSA or EC key in PKCS#8, not"
                                    + " encrypted (openssl pkcs8 -topk8 -nocrypt makes one)",
                            e));
        }
    }
}
