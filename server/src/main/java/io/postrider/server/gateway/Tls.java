package io.postrider.server.gateway;

import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The certificate of both ports, from PEM files. Thread-safe. Connections keep the certificate that
 * they began with; those made after a reload get the new one.
 */
public final class Tls {
    private static final Logger LOG = LoggerFactory.getLogger(Tls.class);
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

    /** The protocols that are spoken. */
    public static String[] protocols() {
        return PROTOCOLS.clone();
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
        try {
            List<Object> now = stamp();
            if (now.equals(seen)) {
                return;
            }
            seen = now;
            current = read();
            listeners.forEach(listener -> listener.accept(current.context()));
            LOG.info("a new certificate is in force");
        } catch (UncheckedIOException e) {
            LOG.error("the old certificate stays in force: {}", e.getMessage());
        }
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
            return (JdkSslContext)
                    SslContextBuilder.forServer(certificate.toFile(), key.toFile())
                            .sslProvider(SslProvider.JDK)
                            .protocols(PROTOCOLS)
                            .build();
        } catch (IOException | IllegalArgumentException e) {
            throw new UncheckedIOException(
                    new IOException(
                            "tls-cert "
                                    + certificate
                                    + " and tls-key "
                                    + key
                                    + " are no PEM certificate and its unencrypted PKCS#8 key",
                            e));
        }
    }
}
