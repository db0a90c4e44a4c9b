package io.postrider.server.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.PoolArenaMetric;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import io.postrider.protocol.Protocol;
import io.postrider.protocol.Varint;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.Connect;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.TestServer;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Connections that come and go leave nothing behind, however they end. */
@Tag("long")
class LeakTest {
    private static final int CYCLES = 100_000;
    private static final int WARM_UP = 10_000;
    private static final int WORKERS = 8;
    private static final byte[] UPGRADE =
            "GET /gateway HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnec"
                    .getBytes(StandardCharsets.US_ASCII);
    private static final byte[] HELLO = {
        0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, (byte) 0xfc
    };

    @TempDir Path folder;

    @Test
    void heapAndDirectMemoryAreBackAtTheStart() throws Exception {
        X509Bundle bundle =
                new CertificateBuilder()
                        .subject("CN=leak")
                        .setIsCertificateAuthority(true)
                        .buildSelfSigned();
        Path certificate = folder.resolve("cert.pem");
        Path key = folder.resolve("key.pem");
        Files.writeString(certificate, bundle.getCertificatePathPEM());
        Files.writeString(key, bundle.getPrivateKeyPEM());
        Map<String, String> tls =
                Map.of("tls-cert", certificate.toString(), "tls-key", key.toString());
        try (TestServer plain = TestServer.start(folder.resolve("plain"));
                TestServer secured = TestServer.start(folder.resolve("tls"), tls)) {
            AppHandle app = plain.app();
            List<byte[]> connects = new ArrayList<>();
            for (int i = 0; i < WORKERS; i++) {
                connects.add(connect(app.register("d" + i)));
            }
            int port = URI.create(app.gateway("tcp")).getPort();
            int tlsPort = URI.create("tls://" + secured.node.gateway()).getPort();
            cycle(WARM_UP, port, tlsPort, connects);
            long heap = settledHeap();
            long direct = directBytes();
            cycle(CYCLES, port, tlsPort, connects);
            await().atMost(Duration.ofSeconds(30))
                    .untilAsserted(() -> {
                        assertThat(directBytes() - direct).isLessThan(256 << 10);
                        assertThat(settledHeap() - heap).isLessThan(4 << 20);
                    });
        }
    }

    private static byte[] connect(String token) {
        byte[] frame =
                ClientFrame.newBuilder()
                        .setConnect(Connect.newBuilder().setToken(token).setSdk("leak/1"))
                        .build()
                        .toByteArray();
        byte[] magic = Protocol.tcpMagic();
        byte[] all = new byte[magic.length + Varint.size(frame.length) + frame.length];
        System.arraycopy(magic, 0, all, 0, magic.length);
        int at = Varint.write(frame.length, all, magic.length);
        System.arraycopy(frame, 0, all, at, frame.length);
        return all;
    }

    private static void cycle(int cycles, int port, int tlsPort, List<byte[]> connects)
            throws Exception {
        AtomicInteger left = new AtomicInteger(cycles);
        try (ExecutorService workers = Executors.newFixedThreadPool(WORKERS)) {
            List<Future<?>> all = new ArrayList<>();
            for (byte[] connect : connects) {
                all.add(
                        workers.submit(() -> {
                            for (int n = left.decrementAndGet();
                                    n >= 0;
                                    n = left.decrementAndGet()) {
                                one(n % 10, port, tlsPort, connect);
                            }
                            return null;
                        }));
            }
            for (Future<?> worker : all) {
                worker.get();
            }
        }
    }

    /** Six of ten connect, authenticate and drop; the others break off on the way there. */
    private static void one(int kind, int port, int tlsPort, byte[] connect) throws IOException {
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), kind == 9 ? tlsPort : port)) {
            // A reset, so that no port waits on either side.
            socket.setSoLinger(true, 0);
            switch (kind) {
                case 6 -> socket.getOutputStream().write(connect, 0, connect.length / 2);
                case 7 -> socket.getOutputStream().write(connect, 0, 2);
                case 8 -> socket.getOutputStream().write(UPGRADE);
                case 9 -> socket.getOutputStream().write(HELLO);
                default -> {
                    socket.getOutputStream().write(connect);
                    socket.getInputStream().read();
                }
            }
        } catch (SocketException taken) {
            // Another worker's connection of the same device displaced this one.
        }
    }

    private static long settledHeap() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private static long directBytes() {
        return PooledByteBufAllocator.DEFAULT.metric().directArenas().stream()
                .mapToLong(PoolArenaMetric::numActiveBytes)
                .sum();
    }
}
