package io.postrider.server.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.PooledByteBufAllocator;
import io.postrider.client.PublishRequest;
import io.postrider.client.Published;
import io.postrider.client.Publisher;
import io.postrider.client.Transport;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.TestServer;
import io.postrider.server.WireDevice;
import io.postrider.server.history.History;
import io.postrider.server.history.History.Verdict;
import io.postrider.server.history.RecordedDevice;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Devices behind a bad network. */
class NetworkTest {
    private static final int DEVICES = 6;

    @TempDir Path data;

    private TestServer server;
    private AppHandle app;
    private FaultProxy proxy;
    private final History history = new History();
    private int keys;

    @BeforeEach
    void start() throws IOException {
        server = TestServer.start(data, Map.of("heartbeat-seconds", "2"));
        app = server.app();
        proxy = new FaultProxy("tcp://" + server.node.gateway());
    }

    @AfterEach
    void stop() throws IOException {
        proxy.close();
        server.close();
    }

    @Test
    void g4g5g6DevicesBehindAnyFaultGetEverythingInOrder() throws Exception {
        List<RecordedDevice> devices = new ArrayList<>();
        Set<String> names = new TreeSet<>();
        try {
            for (int i = 0; i < DEVICES; i++) {
                names.add("d" + i);
                devices.add(
                        RecordedDevice.start(
                                app,
                                "d" + i,
                                Transport.values()[i % Transport.values().length],
                                history,
                                proxy::address));
            }
            Publisher publisher =
                    Publisher.of(server.node.http(), app.appKey(), app.masterSecret());
            publish(publisher, names, 40);
            proxy.delay(60, 40);
            publish(publisher, names, 40);
            proxy.reset();
            publish(publisher, names, 40);
            proxy.delay(0, 0);
            proxy.dribble(7, 1);
            publish(publisher, names, 20);
            proxy.reset();
            proxy.dribble(512, 10);
            publish(publisher, names, 40);
            proxy.dribble(16 * 1024, 0);
            proxy.swallow(true);
            publish(publisher, names, 20);
            proxy.reset();
            proxy.swallow(false);
            publish(publisher, names, 20);
            await().atMost(Duration.ofMinutes(1)).until(() -> history.missing() == 0);
        } finally {
            devices.forEach(RecordedDevice::close);
        }
        Map<Long, Integer> stored = new HashMap<>();
        app.call("GET", "/v1/messages?limit=500", null)
                .json()
                .path("items")
                .forEach(item ->
                        stored.put(
                                Long.parseLong(item.path("id").asString()),
                                item.path("counts").path("delivered").asInt()));
        assertThat(history.check(stored)).isEqualTo(Verdict.CLEAN);
        assertThat(proxy.passed()).isGreaterThan(10_000);
    }

    private void publish(Publisher publisher, Set<String> names, int count) throws Exception {
        for (int i = 0; i < count; i++) {
            String key = "net-" + keys++;
            history.asked(key, app.id(), names);
            Published published = publisher.publish(PublishRequest.toAll().title(key));
            history.accepted(key, published.id(), published.expiresAt().toEpochMilli());
        }
    }

    @Test
    void g11AHalfOpenPeerIsGoneWithinOneAndAHalfHeartbeats() {
        String token = app.register("d");
        try (WireDevice device = WireDevice.connected(proxyAddress(), token)) {
            device.readAllNow();
            proxy.swallow(true);
            long cutAt = System.nanoTime();
            await().atMost(Duration.ofSeconds(10))
                    .until(() ->
                            !app.call("GET", "/v1/devices/d", null)
                                    .json()
                                    .path("online")
                                    .asBoolean(true));
            assertThat(Duration.ofNanos(System.nanoTime() - cutAt))
                    .isLessThanOrEqualTo(Duration.ofMillis(3_100));
        }
    }

    private String proxyAddress() {
        return proxy.address("tcp://" + server.node.gateway());
    }

    @Test
    void g9AReaderThatStopsCostsABoundedAmountAndOthersReadOn() throws Exception {
        String token = app.register("stopped");
        app.register("reads");
        String large = ",\"data\":\"" + "x".repeat(20_000) + "\"";
        try (WireDevice stopped = WireDevice.connected("tcp://" + server.node.gateway(), token)) {
            long before = directMemory();
            for (int i = 0; i < 500; i++) {
                app.publish("{\"devices\":[\"stopped\"]}", large);
            }
            // 500 messages are 10 MB; what may wait for the socket is its buffers and 128 KiB.
            assertThat(directMemory() - before).isLessThan(12L << 20);
            try (WireDevice reads =
                    WireDevice.connected("tcp://" + server.node.gateway(), app.register("reads"))) {
                String id = app.publish("{\"devices\":[\"reads\"]}");
                assertThat(Long.toString(reads.readPush().getId())).isEqualTo(id);
            }
            // It is still there, and what was parked for it is in the store.
            stopped.ping();
        }
    }

    private static long directMemory() {
        return PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory();
    }
}
