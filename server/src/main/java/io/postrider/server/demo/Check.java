package io.postrider.server.demo;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/**
 * Judges a run by what publisher and devices wrote down: every accepted message must have reached
 * every device that wanted it, once. What the server says is not asked here.
 */
final class Check {
    private final ObjectMapper json = new ObjectMapper();
    private final Map<String, Quake> quakes = new HashMap<>();
    private final List<DemoDevice> devices;

    /** By message id: who was handed it. */
    private final Map<String, Set<String>> receivers = new HashMap<>();

    private final Map<String, JsonNode> accepted = new HashMap<>();
    private final List<Long> latencies = new ArrayList<>();
    private long handedTwice;
    private long suppressed;
    private long redeliveries;
    private long delivered;

    Check(List<Quake> quakes, List<DemoDevice> devices) {
        quakes.forEach(quake -> this.quakes.put(quake.id(), quake));
        this.devices = devices;
    }

    /**
     * What a run came to.
     *
     * @param duplicatesSeen how often an app was handed a message that it had been handed before
     * @param unexpected how often a device was handed what it had not asked for
     */
    record Result(
            long accepted,
            long targeted,
            long delivered,
            long lost,
            long unexpected,
            long duplicatesSeen,
            long suppressed,
            long redeliveries,
            double p50Ms,
            double p99Ms) {}

    /**
     * @param firstConnected the devices whose latency is measured: those that were there all along
     */
    Result judge(Path folder, Set<String> firstConnected) {
        forEachLine(
                folder.resolve(Receipts.ACCEPTED),
                line -> accepted.put(line.path("id").asString(), line));
        forEachLine(folder.resolve(Receipts.RECEIVED), line -> receipt(line, firstConnected));
        long targeted = 0;
        long lost = 0;
        long expected = 0;
        for (Map.Entry<String, JsonNode> message : accepted.entrySet()) {
            Quake quake = quakes.get(message.getValue().path("quake").asString());
            Set<String> got = receivers.getOrDefault(message.getKey(), Set.of());
            for (DemoDevice device : devices) {
                if (quake != null && device.wants(quake)) {
                    targeted++;
                    if (got.contains(device.deviceId)) {
                        expected++;
                    } else {
                        lost++;
                    }
                }
            }
        }
        long[] sorted = latencies.stream().mapToLong(Long::longValue).sorted().toArray();
        return new Result(
                accepted.size(),
                targeted,
                delivered,
                lost,
                delivered - expected,
                handedTwice,
                suppressed,
                redeliveries,
                quantile(sorted, 0.50),
                quantile(sorted, 0.99));
    }

    private void receipt(JsonNode line, Set<String> firstConnected) {
        String id = line.path("id").asString();
        String device = line.path("device").asString();
        boolean again = line.path("attempt").asInt() > 1;
        redeliveries += again ? 1 : 0;
        if (line.path("suppressed").asBoolean()) {
            suppressed++;
            return;
        }
        if (!receivers.computeIfAbsent(id, key -> new HashSet<>()).add(device)) {
            handedTwice++;
            return;
        }
        delivered++;
        JsonNode message = accepted.get(id);
        if (message != null && !again && firstConnected.contains(device)) {
            latencies.add(line.path("at").asLong() - message.path("askedAt").asLong());
        }
    }

    /** How many devices were handed a message, and how many wanted it. */
    int delivered(String messageId) {
        return receivers.getOrDefault(messageId, Set.of()).size();
    }

    int wanted(String messageId) {
        JsonNode message = accepted.get(messageId);
        Quake quake = message == null ? null : quakes.get(message.path("quake").asString());
        return quake == null
                ? 0
                : (int) devices.stream().filter(device -> device.wants(quake)).count();
    }

    Set<String> messageIds() {
        return accepted.keySet();
    }

    private void forEachLine(Path file, Consumer<JsonNode> each) {
        try (BufferedReader lines = Files.newBufferedReader(file)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                each.accept(json.readTree(line));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be read", e);
        }
    }

    private static double quantile(long[] sorted, double q) {
        if (sorted.length == 0) {
            return 0;
        }
        int at = (int) Math.ceil(q * sorted.length) - 1;
        return sorted[Math.max(0, at)];
    }
}
