package io.postrider.server.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.client.PublishRequest;
import io.postrider.client.Published;
import io.postrider.client.Transport;
import io.postrider.server.TestApi.AppHandle;
import io.postrider.server.history.History.Verdict;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import tools.jackson.databind.JsonNode;

/**
 * Devices on all transports, and publishers that publish to one of them, to half of them by a tag,
 * and to all, while something happens. All that each of them saw is written down, and judged.
 */
public final class RecordedTraffic implements AutoCloseable {
    private final History history = new History();
    private final Settling settling = new Settling();
    private final Set<Long> settled = ConcurrentHashMap.newKeySet();
    private final Set<Long> accepted = ConcurrentHashMap.newKeySet();
    private final ConcurrentLinkedQueue<String> mistakes = new ConcurrentLinkedQueue<>();
    private final AtomicLong keys = new AtomicLong();
    private final List<RecordedDevice> devices = new ArrayList<>();
    private final AppHandle app;

    /** Registers and connects so many devices. */
    public RecordedTraffic(AppHandle app, int deviceCount) throws IOException {
        this.app = app;
        for (int i = 0; i < deviceCount; i++) {
            devices.add(
                    RecordedDevice.start(
                            app,
                            "d" + i,
                            Transport.values()[i % Transport.values().length],
                            history,
                            settling,
                            UnaryOperator.identity(),
                            i % 2 == 0 ? "even" : "odd"));
            app.call("PUT", "/v1/groups/shop/members/d" + i, null).expect(204);
        }
    }

    /** Tries until the message is accepted. */
    public interface Sender {
        Published send(PublishRequest request) throws IOException, InterruptedException;
    }

    /** What happens while there is traffic. */
    public interface Happening {
        void happen(RecordedTraffic traffic) throws InterruptedException;
    }

    /** Has each sender publish, with a pause after each message, as long as something happens. */
    public void publishDuring(List<Sender> senders, Duration pause, Happening happening)
            throws Exception {
        AtomicBoolean isOver = new AtomicBoolean();
        try (ExecutorService publishers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> publishing = new ArrayList<>();
            for (int i = 0; i < senders.size(); i++) {
                Sender sender = senders.get(i);
                Random random = new Random(i);
                publishing.add(
                        publishers.submit(() -> {
                            while (!isOver.get()) {
                                publish(sender, random);
                                TimeUnit.MILLISECONDS.sleep(pause.toMillis());
                            }
                            return null;
                        }));
            }
            try {
                happening.happen(this);
            } finally {
                // Their executor waits for them.
                isOver.set(true);
            }
            for (Future<?> one : publishing) {
                one.get(2, TimeUnit.MINUTES);
            }
        }
    }

    /** One of the shop's devices is to have it, and all others are to know. */
    private void publishToAny(Sender sender) throws InterruptedException {
        String key = RecordedDevice.SETTLED_BY_FIRST + keys.incrementAndGet();
        try {
            PublishRequest request = PublishRequest.toGroups("shop").firstAckSettles();
            Published published = sender.send(request.title(key).idempotencyKey(key));
            settling.accepted(published.id());
            settled.add(published.id());
        } catch (IOException e) {
            mistakes.add("publish: " + e.getMessage());
        }
    }

    private void publish(Sender sender, Random random) throws InterruptedException {
        if (random.nextInt(4) == 0) {
            publishToAny(sender);
            return;
        }
        int one = random.nextInt(devices.size());
        int kind = random.nextInt(3);
        PublishRequest request =
                switch (kind) {
                    case 0 -> PublishRequest.toDevices("d" + one);
                    case 1 -> PublishRequest.toTags("even");
                    default -> PublishRequest.toAll();
                };
        Set<String> targets = new TreeSet<>();
        for (int i = 0; i < devices.size(); i++) {
            if (kind == 2 || (kind == 1 && i % 2 == 0) || (kind == 0 && i == one)) {
                targets.add("d" + i);
            }
        }
        String key = "key-" + keys.incrementAndGet();
        history.asked(key, app.id(), targets);
        try {
            Published published = sender.send(request.title(key).idempotencyKey(key));
            history.accepted(key, published.id(), published.expiresAt().toEpochMilli());
            accepted.add(published.id());
            if (published.targeted() != targets.size()) {
                mistakes.add(published + " should be for " + targets.size());
            }
        } catch (IOException e) {
            mistakes.add("publish: " + e.getMessage());
        }
    }

    /** How many messages were accepted. */
    public int accepted() {
        return accepted.size();
    }

    /** Waits until so many more are. */
    public void awaitAccepted(int more) {
        int from = accepted();
        await().atMost(Duration.ofMinutes(1)).until(() -> accepted() >= from + more);
    }

    /** Waits until all of them were presented and counted, and judges what everybody saw. */
    public void check(AppHandle at) {
        await().atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofMillis(500))
                .until(() -> history.missing() == 0);
        await().atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofMillis(500))
                .until(() -> settling.undecided() == 0 && settling.untold() == 0);
        assertThat(mistakes).isEmpty();
        assertThat(history.check(delivered(at))).isEqualTo(Verdict.CLEAN);
        assertThat(settled).isNotEmpty();
        assertThat(settling.check(winners(at))).isEqualTo(Settling.Verdict.SOUND);
    }

    private Map<Long, String> winners(AppHandle at) {
        Map<Long, String> winners = new HashMap<>();
        for (long id : settled) {
            String path = "/v1/messages/" + id;
            JsonNode settlement = at.call("GET", path, null).json().path("settlements").path(0);
            winners.put(id, settlement.path("winner").asString(""));
        }
        return winners;
    }

    private Map<Long, Integer> delivered(AppHandle at) {
        Map<Long, Integer> delivered = new HashMap<>();
        for (long id : accepted) {
            String message = Long.toString(id);
            await().atMost(Duration.ofSeconds(30))
                    .pollDelay(Duration.ZERO)
                    .until(() -> at.count(message, "delivered") == at.count(message, "targeted"));
            delivered.put(id, at.count(message, "delivered"));
        }
        return delivered;
    }

    @Override
    public void close() {
        devices.forEach(RecordedDevice::close);
    }
}
