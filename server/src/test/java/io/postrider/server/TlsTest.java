package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import io.postrider.client.DeviceClient;
import io.postrider.client.DeviceState;
import io.postrider.client.GatewayPublisher;
import io.postrider.client.PostriderException;
import io.postrider.client.PublishRequest;
import io.postrider.client.Publisher;
import io.postrider.client.Registrar;
import io.postrider.client.Registrar.Profile;
import io.postrider.client.Registrar.Registered;
import io.postrider.client.Threads;
import io.postrider.client.Transport;
import io.postrider.protocol.Protocol;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Both ports under TLS, as clients meet them. */
class TlsTest {
    @TempDir Path folder;

    private Path certificate;
    private Path key;
    private Postrider node;
    private Threads trusting;

    @BeforeEach
    void start() throws Exception {
        certificate = folder.resolve("cert.pem");
        key = folder.resolve("key.pem");
        X509Bundle bundle = write("first");
        node =
                Postrider.start(
                        TestServer.settings(
                                folder.resolve("data"),
                                Map.of(
                                        "tls-cert",
                                        certificate.toString(),
                                        "tls-key",
                                        key.toString())));
        Path authority = folder.resolve("authority.pem");
        Files.writeString(authority, bundle.getCertificatePEM());
        trusting = Threads.shared().trusting(authority.toFile());
    }

    @AfterEach
    void stop() {
        node.close();
    }

    private X509Bundle write(String name) throws Exception {
        X509Bundle bundle =
                new CertificateBuilder()
                        .subject("CN=" + name)
                        .addSanDnsName("localhost")
                        .addSanIpAddress("127.0.0.1")
                        .setIsCertificateAuthority(true)
                        .buildSelfSigned();
        Files.writeString(certificate, bundle.getCertificatePathPEM());
        Files.writeString(key, bundle.getPrivateKeyPEM());
        return bundle;
    }

    /** An app made over TLS by a plain client, since there is no verb for it here. */
    private TestApi.AppHandle app() {
        return new TestApi(node.http(), trustEveryone()).newApp();
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void devicesAndPublishersSpeakTls(Transport transport) throws Exception {
        TestApi.AppHandle app = app();
        Registered registered =
                Registrar.onServer(node.http(), app.appKey(), app.masterSecret())
                        .using(trusting)
                        .register(new Profile("iot").deviceId("d"));
        assertThat(registered.gateways().toString()).contains("wss://").contains("tls://");
        Set<Long> received = ConcurrentHashMap.newKeySet();
        try (DeviceClient client =
                        DeviceClient.builder(registered, message -> received.add(message.id()))
                                .transport(transport)
                                .threads(trusting)
                                .build();
                GatewayPublisher overGateway =
                        GatewayPublisher.of(
                                        registered.gateways().get(1),
                                        app.appKey(),
                                        app.masterSecret())
                                .using(trusting)) {
            client.start();
            Publisher publisher =
                    Publisher.of(node.http(), app.appKey(), app.masterSecret()).using(trusting);
            long one = publisher.publish(PublishRequest.toAll().title("over REST")).id();
            long two = overGateway.publish(PublishRequest.toAll().title("over TLS")).id();
            await().until(() -> received.contains(one) && received.contains(two));
        }
    }

    @Test
    void aCertificateThatNobodySignedIsRefusedByTheSdk() {
        TestApi.AppHandle app = app();
        Registrar distrusting = Registrar.onDevice(node.http(), app.appKey());
        assertThatThrownBy(() -> distrusting.register(new Profile("iot")))
                .isInstanceOf(SSLException.class);
        DeviceClient client =
                DeviceClient.builder(
                                java.util.List.of(
                                        io.postrider.client.Gateway.of("tls://" + node.gateway())),
                                "dt_x",
                                message -> {})
                        .transport(Transport.TCP)
                        .build();
        client.start();
        await().until(() -> client.state() == DeviceState.WAITING);
        client.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"SSLv3", "TLSv1", "TLSv1.1"})
    void oldVersionsAreRefused(String version) throws Exception {
        for (int port : new int[] {port(node.http()), port("tls://" + node.gateway())}) {
            try (SSLSocket socket = socket(port)) {
                assertThatThrownBy(
                                () -> {
                                    socket.setEnabledProtocols(new String[] {version});
                                    socket.startHandshake();
                                })
                        .isInstanceOf(SSLException.class);
            }
            try (SSLSocket socket = socket(port)) {
                socket.setEnabledProtocols(new String[] {"TLSv1.2"});
                socket.startHandshake();
                assertThat(socket.getSession().getProtocol()).isEqualTo("TLSv1.2");
            }
        }
    }

    @Test
    void whoSpeaksInTheClearIsNotLetIn() throws Exception {
        try (Socket plain =
                new Socket(InetAddress.getLoopbackAddress(), port("tls://" + node.gateway()))) {
            plain.getOutputStream().write(Protocol.tcpMagic());
            assertThat(plain.getInputStream().read()).isEqualTo(-1);
        }
        try (Socket plain = new Socket(InetAddress.getLoopbackAddress(), port(node.http()))) {
            plain.getOutputStream()
                    .write(
                            "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
                                    .getBytes(StandardCharsets.US_ASCII));
            String answer =
                    new String(plain.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
            assertThat(answer).doesNotContain("200");
        }
    }

    @Test
    void aNewCertificateIsTakenWithoutARestartAndABadOneIsNot() throws Exception {
        int http = port(node.http());
        int gateway = port("tls://" + node.gateway());
        assertThat(subject(http)).isEqualTo("CN=first");
        write("second");
        await().untilAsserted(() -> {
            assertThat(subject(http)).isEqualTo("CN=second");
            assertThat(subject(gateway)).isEqualTo("CN=second");
        });
        Files.writeString(key, "no key");
        Files.writeString(certificate, "no certificate");
        TestApi.AppHandle app = app();
        assertThat(app.appKey()).hasSize(24);
        assertThat(subject(http)).isEqualTo("CN=second");
        write("third");
        await().untilAsserted(() -> assertThat(subject(gateway)).isEqualTo("CN=third"));
    }

    @Test
    void aKeyOfAnotherCertificateIsNotTaken() throws Exception {
        int http = port(node.http());
        X509Bundle other =
                new CertificateBuilder()
                        .subject("CN=other")
                        .setIsCertificateAuthority(true)
                        .buildSelfSigned();
        try (Logged logged = new Logged()) {
            Files.writeString(certificate, other.getCertificatePathPEM());
            await().until(() -> logged.lines().toString().contains("stays in force"));
            assertThat(subject(http)).isEqualTo("CN=first");
            Files.writeString(key, other.getPrivateKeyPEM());
            await().until(() -> subject(http).equals("CN=other"));
        }
        write("first");
        Files.writeString(certificate, other.getCertificatePathPEM());
        assertThatThrownBy(() -> new io.postrider.server.gateway.Tls(certificate, key))
                .isInstanceOf(UncheckedIOException.class);
    }

    @Test
    void filesThatAreNoCertificateStopTheStartAndSayWhich() throws Exception {
        Files.writeString(key, "no key");
        assertThatThrownBy(() ->
                        Postrider.start(
                                TestServer.settings(
                                        folder.resolve("other"),
                                        Map.of(
                                                "tls-cert",
                                                certificate.toString(),
                                                "tls-key",
                                                key.toString()))))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("key.pem");
    }

    @Test
    void wrongCredentialsOverTheGatewayAreRefusedForGood() throws Exception {
        TestApi.AppHandle app = app();
        try (GatewayPublisher publisher =
                GatewayPublisher.of(
                                io.postrider.client.Gateway.of("tls://" + node.gateway()),
                                app.appKey(),
                                "wrong")
                        .using(trusting)) {
            assertThatThrownBy(() -> publisher.publish(PublishRequest.toAll().title("x")))
                    .isInstanceOfSatisfying(
                            PostriderException.class,
                            refused -> assertThat(refused.status()).isEqualTo(401));
        }
    }

    private static int port(String url) {
        return URI.create(url).getPort();
    }

    private static SSLSocket socket(int port) throws IOException {
        return (SSLSocket)
                trustEveryone()
                        .getSocketFactory()
                        .createSocket(InetAddress.getLoopbackAddress(), port);
    }

    private static String subject(int port) throws IOException {
        try (SSLSocket socket = socket(port)) {
            socket.startHandshake();
            X509Certificate shown = (X509Certificate) socket.getSession().getPeerCertificates()[0];
            return shown.getSubjectX500Principal().getName();
        }
    }

    /** For looking at what is shown, whoever signed it. */
    private static SSLContext trustEveryone() {
        X509TrustManager anyone =
                new javax.net.ssl.X509ExtendedTrustManager() {
                    @Override
                    public void checkClientTrusted(X509Certificate[] chain, String type) {}

                    @Override
                    public void checkServerTrusted(X509Certificate[] chain, String type) {}

                    @Override
                    public void checkClientTrusted(
                            X509Certificate[] chain, String type, Socket socket) {}

                    @Override
                    public void checkServerTrusted(
                            X509Certificate[] chain, String type, Socket socket) {}

                    @Override
                    public void checkClientTrusted(
                            X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine) {}

                    @Override
                    public void checkServerTrusted(
                            X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine) {}

                    @Override
                    public X509Certificate[] getAcceptedIssuers() {
                        return new X509Certificate[0];
                    }
                };
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {anyone}, null);
            return context;
        } catch (java.security.GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
