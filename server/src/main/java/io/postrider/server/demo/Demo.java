package io.postrider.server.demo;

import io.postrider.client.DeviceObserver;
import io.postrider.client.DeviceState;
import io.postrider.client.PublishRequest;
import io.postrider.client.Publisher;
import io.postrider.client.Registrar;
import io.postrider.client.Registrar.Registered;
import io.postrider.client.Threads;
import io.postrider.server.cli.RestCalls;
import io.postrider.server.clock.Clock;
import io.postrider.server.demo.Stage.Disaster;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;

/** One run, step by step. */
final class Demo {
    private static final int DEVICES = 2_000;
    private static final int CONNECTED_FIRST = 500;
    private static final int CUT = CONNECTED_FIRST / 5;
    private static final int PUBLISHERS = 16;
    private static final int CALLERS = 32;
    private static final int ATTEMPTS = 12;
    private static final long PATIENCE_SECONDS = 60;
    private static final int LOOK_MILLIS = 50;

    private final Clock clock = Clock.system();
    private final Path folder;
    private final Stage stage;
    private final Progress progress;
    private final List<Quake> quakes = Quake.all();
    private final List<DemoDevice> devices =
            IntStream.range(0, DEVICES).mapToObj(DemoDevice::new).toList();
    private final Map<String, Registered> registered = new ConcurrentHashMap<>();
    private final AtomicInteger ready = new AtomicInteger();
    private final Threads threads = Threads.of(Thread.ofVirtual().name("device-", 0).factory());

    private String appKey = "";
    private String masterSecret = "";

    Demo(Path folder, Stage stage, PrintStream err) {
        this.folder = folder;
        this.stage = stage;
        this.progress = new Progress(err);
    }

    /** What a run came to, and whether the server's counts say the same. */
    record Outcome(Check.Result result, long wrongCounts) {}

    Outcome run() throws InterruptedException, ExecutionException {
        stage.start();
        createApp();
        registerDevices();
        try (Receipts receipts = new Receipts(folder, clock)) {
            connect(devices.subList(0, CONNECTED_FIRST), receipts, "Connect a quarter");
            publish(receipts);
            connect(devices.subList(CONNECTED_FIRST, DEVICES), receipts, "Connect the rest");
            awaitDeliveries(receipts);
            devices.forEach(DemoDevice::close);
        }
        return check();
    }

    private String http() {
        return stage.http().get(0);
    }

    private void createApp() {
        RestCalls rest = new RestCalls(http());
        Map<String, Object> developer = Map.of("name", "demo", "password", "seismograph");
        rest.call("POST", "/v1/developers", null, developer);
        String login = rest.call("POST", "/v1/logins", null, developer).path("token").asString();
        JsonNode app =
                rest.call("POST", "/v1/apps", "Bearer " + login, Map.of("name", "earthquakes"));
        appKey = app.path("appKey").asString();
        masterSecret = app.path("masterSecret").asString();
    }

    private void registerDevices() throws InterruptedException, ExecutionException {
        progress.begin("Register devices", DEVICES);
        Registrar registrar = Registrar.onServer(http(), appKey, masterSecret);
        inParallel(
                CALLERS,
                devices,
                device -> {
                    try {
                        registered.put(
                                device.deviceId,
                                registrar.register(
                                        new Registrar.Profile("iot")
                                                .deviceId(device.deviceId)
                                                .tags(device.tags())));
                        progress.show(registered.size(), "");
                    } catch (IOException e) {
                        throw new IllegalStateException(device.deviceId + " not registered", e);
                    }
                });
        progress.end(registered.size(), "");
    }

    private void connect(List<DemoDevice> some, Receipts receipts, String step)
            throws InterruptedException {
        int before = ready.get();
        progress.begin(step, some.size());
        for (DemoDevice device : some) {
            Registered known = registered.get(device.deviceId);
            if (known != null) {
                device.connect(known, receipts, new Watching(device.deviceId, receipts), threads);
            }
        }
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (ready.get() - before < some.size() && System.nanoTime() < deadline) {
            progress.show(ready.get() - before, "");
            Thread.sleep(LOOK_MILLIS);
        }
        progress.end(ready.get() - before, "over TCP and WebSocket, protobuf and JSON");
    }

    /**
     * Publishes everything, at one node after the other; meanwhile a fifth of the connections is
     * cut, and what else is to happen does.
     */
    private void publish(Receipts receipts) throws InterruptedException, ExecutionException {
        progress.begin("Publish", quakes.size());
        List<Publisher> publishers = publishers();
        Disasters disasters = disasters();
        AtomicInteger next = new AtomicInteger();
        inParallel(
                PUBLISHERS,
                quakes,
                quake -> {
                    int index = next.getAndIncrement();
                    publish(
                            disasters,
                            index,
                            publishers.get(index % publishers.size()),
                            quake,
                            receipts);
                    progress.show(
                            receipts.acceptedCount.sum(),
                            receipts.receivedCount.sum() + " received");
                });
        progress.end(receipts.acceptedCount.sum(), disasters.toString());
    }

    /** One that begins at each node. */
    private List<Publisher> publishers() {
        List<String> nodes = new ArrayList<>(stage.http());
        List<Publisher> publishers = new ArrayList<>();
        for (int i = 0; i < nodes.size(); i++) {
            Collections.rotate(nodes, 1);
            publishers.add(
                    Publisher.of(nodes.get(0), appKey, masterSecret)
                            .orAt(nodes.subList(1, nodes.size()).toArray(new String[0]))
                            .withAttempts(ATTEMPTS));
        }
        return publishers;
    }

    private Disasters disasters() {
        List<Disaster> all = new ArrayList<>();
        all.add(
                new Disaster(
                        "cut " + CUT + " connections",
                        () -> devices.subList(0, CUT).forEach(DemoDevice::cut)));
        all.addAll(stage.disasters());
        return new Disasters(all, quakes.size());
    }

    private void publish(
            Disasters disasters, int index, Publisher publisher, Quake quake, Receipts receipts) {
        PublishRequest request =
                quake.isForEveryone()
                        ? PublishRequest.toAll()
                        : PublishRequest.toTags(quake.minimumTags().toArray(new String[0]))
                                .among("tagsAll", List.of("region:" + quake.region()));
        request.title(String.format(Locale.ROOT, "M %.1f", quake.magnitude()))
                .body(quake.place())
                .dataJson(quake.json());
        try {
            disasters.before(index);
            long askedAt = clock.millis();
            receipts.accepted(quake, publisher.publish(request), askedAt);
        } catch (IOException e) {
            throw new IllegalStateException(quake.id() + " was not accepted", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    private void awaitDeliveries(Receipts receipts) throws InterruptedException {
        long expected =
                quakes.stream()
                        .mapToLong(quake ->
                                devices.stream().filter(device -> device.wants(quake)).count())
                        .sum();
        progress.begin("Deliver", expected);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        long began = System.nanoTime();
        long before = receipts.receivedCount.sum();
        while (receipts.receivedCount.sum() < expected && System.nanoTime() < deadline) {
            double seconds = (System.nanoTime() - began) / 1e9;
            long rate = (long) ((receipts.receivedCount.sum() - before) / Math.max(0.1, seconds));
            progress.show(receipts.receivedCount.sum(), rate + "/s");
            Thread.sleep(LOOK_MILLIS);
        }
        progress.end(receipts.receivedCount.sum(), "");
        awaitAcks();
    }

    /** The newest message's counts are complete once every ack before it has been taken. */
    private void awaitAcks() throws InterruptedException {
        RestCalls rest = new RestCalls(http());
        String app = RestCalls.basic(appKey, masterSecret);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        progress.begin("Acks", quakes.size());
        Set<String> open = new HashSet<>();
        listCounts(rest, app)
                .forEach((id, counts) -> {
                    if (counts.path("pending").asInt() > 0) {
                        open.add(id);
                    }
                });
        while (!open.isEmpty() && System.nanoTime() < deadline) {
            open.removeIf(id ->
                    rest.call("GET", "/v1/messages/" + id, app, null)
                                    .path("counts")
                                    .path("pending")
                                    .asInt()
                            == 0);
            progress.show(quakes.size() - open.size(), "");
            Thread.sleep(LOOK_MILLIS);
        }
        progress.end(quakes.size() - open.size(), "messages acknowledged by all");
    }

    private static Map<String, JsonNode> listCounts(RestCalls rest, String app) {
        Map<String, JsonNode> counts = new LinkedHashMap<>();
        String path = "/v1/messages?limit=500";
        while (!path.isEmpty()) {
            JsonNode page = rest.call("GET", path, app, null);
            page.path("items")
                    .forEach(item -> counts.put(item.path("id").asString(), item.path("counts")));
            String next = page.path("nextCursor").asString("");
            path = next.isEmpty() ? "" : "/v1/messages?limit=500&cursor=" + next;
        }
        return counts;
    }

    private Outcome check() {
        Check check = new Check(quakes, devices);
        Set<String> first = new HashSet<>();
        devices.subList(0, CONNECTED_FIRST).forEach(device -> first.add(device.deviceId));
        Check.Result result = check.judge(folder, first);
        Map<String, JsonNode> counts =
                listCounts(new RestCalls(http()), RestCalls.basic(appKey, masterSecret));
        long wrong =
                counts.keySet().stream().filter(id -> !check.messageIds().contains(id)).count();
        for (String id : check.messageIds()) {
            JsonNode said = counts.get(id);
            boolean right =
                    said != null
                            && said.path("targeted").asInt() == check.wanted(id)
                            && said.path("delivered").asInt() == check.delivered(id)
                            && said.path("pending").asInt()
                                    == check.wanted(id) - check.delivered(id);
            wrong += right ? 0 : 1;
        }
        return new Outcome(result, wrong);
    }

    private static <T> void inParallel(int threads, List<T> items, Consumer<T> work)
            throws InterruptedException, ExecutionException {
        try (ExecutorService executor =
                Executors.newFixedThreadPool(threads, Thread.ofVirtual().factory())) {
            List<Future<?>> all = new ArrayList<>();
            items.forEach(item -> all.add(executor.submit(() -> work.accept(item))));
            for (Future<?> one : all) {
                one.get();
            }
        }
    }

    private final class Watching implements DeviceObserver {
        private final String deviceId;
        private final Receipts receipts;
        private boolean counted;

        Watching(String deviceId, Receipts receipts) {
            this.deviceId = deviceId;
            this.receipts = receipts;
        }

        @Override
        public void onState(DeviceState state) {
            if (state == DeviceState.READY && !counted) {
                counted = true;
                ready.incrementAndGet();
            }
        }

        @Override
        public void onDuplicate(long messageId, int attempt) {
            receipts.suppressed(deviceId, messageId, attempt);
        }
    }
}
