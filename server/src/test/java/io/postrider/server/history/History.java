package io.postrider.server.history;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * What publishers and devices wrote down, and what it says of the guarantees. Each message carries
 * a key of its publisher's that no other has. Recording is thread-safe; each device's events must
 * come in their order. Checking takes time linear in the events.
 */
public final class History {
    private sealed interface Event {
        /** A publisher is about to publish; whatever becomes of it. */
        record Asked(String key, String app, Set<String> devices) implements Event {}

        /** It was answered 2xx. */
        record Accepted(String key, long id, long expiresAt) implements Event {}

        /** A device was sent a message. */
        record Presented(String app, String device, long id, String key, int attempt, long at)
                implements Event {}

        /** A device's ack was answered as recorded. */
        record Confirmed(String device, long id) implements Event {}
    }

    private final ConcurrentLinkedQueue<Event> events = new ConcurrentLinkedQueue<>();

    public void asked(String key, String app, Set<String> devices) {
        events.add(new Event.Asked(key, app, Set.copyOf(devices)));
    }

    public void accepted(String key, long id, long expiresAt) {
        events.add(new Event.Accepted(key, id, expiresAt));
    }

    /**
     * @param key null where a repeated message is known by its id only
     */
    public void presented(
            String app, String device, long id, @Nullable String key, int attempt, long at) {
        events.add(new Event.Presented(app, device, id, key == null ? "" : key, attempt, at));
    }

    public void confirmed(String device, long id) {
        events.add(new Event.Confirmed(device, id));
    }

    /** How many presentations are missing so far. */
    public int missing() {
        return check(Map.of()).lost();
    }

    public int size() {
        return events.size();
    }

    /**
     * How often each guarantee was broken.
     *
     * @param lost an accepted message did not reach one of its devices (G4)
     * @param unexpected a device got what nobody asked to be sent to it
     * @param phantom a publish was accepted, and the store does not have it (G1)
     * @param unmarked a device was sent a message again, without a mark (G5)
     * @param afterConfirmed a device was sent a message whose ack had been confirmed (G5)
     * @param inversions a first presentation came after one of a later message (G6)
     * @param late a first presentation came after the message had expired (G8)
     * @param crossApp a device got another app's message (G13)
     * @param forgotten an ack was confirmed, and the store does not count it
     */
    public record Verdict(
            int lost,
            int unexpected,
            int phantom,
            int unmarked,
            int afterConfirmed,
            int inversions,
            int late,
            int crossApp,
            int forgotten) {
        public static final Verdict CLEAN = new Verdict(0, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    /** What one device has seen so far. */
    private static final class Seen {
        final Set<Long> ids = new HashSet<>();
        final Set<Long> confirmed = new HashSet<>();
        long highestFirst;
    }

    /**
     * @param stored the ids that the store has in the end, each with how many it counts as
     *     delivered
     */
    public Verdict check(Map<Long, Integer> stored) {
        List<Event> all = new ArrayList<>(events);
        Map<String, Event.Asked> asked = new HashMap<>();
        Map<String, Event.Accepted> accepted = new HashMap<>();
        Map<Long, String> keys = new HashMap<>();
        for (Event event : all) {
            switch (event) {
                case Event.Asked ask -> asked.put(ask.key, ask);
                case Event.Accepted answer -> accepted.put(answer.key, answer);
                case Event.Presented push when !push.key.isEmpty() -> keys.put(push.id, push.key);
                case Event.Presented repeated -> {}
                case Event.Confirmed confirmed -> {}
            }
        }
        int unexpected = 0;
        int unmarked = 0;
        int afterConfirmed = 0;
        int inversions = 0;
        int late = 0;
        int crossApp = 0;
        Map<String, Seen> devices = new HashMap<>();
        for (Event event : all) {
            if (event instanceof Event.Confirmed done) {
                devices.computeIfAbsent(done.device, name -> new Seen()).confirmed.add(done.id);
            }
            if (!(event instanceof Event.Presented push)) {
                continue;
            }
            Seen seen = devices.computeIfAbsent(push.device, name -> new Seen());
            Event.Asked ask = asked.get(keys.getOrDefault(push.id, ""));
            if (ask == null || !ask.devices.contains(push.device)) {
                unexpected++;
            }
            if (ask != null && !ask.app.equals(push.app)) {
                crossApp++;
            }
            if (seen.confirmed.contains(push.id)) {
                afterConfirmed++;
            }
            boolean first = seen.ids.add(push.id);
            if (!first && push.attempt < 2) {
                unmarked++;
            }
            if (first && push.attempt < 2) {
                inversions += push.id < seen.highestFirst ? 1 : 0;
                seen.highestFirst = Math.max(seen.highestFirst, push.id);
            }
            Event.Accepted answer = ask == null ? null : accepted.get(ask.key);
            if (first && answer != null && push.at > answer.expiresAt) {
                late++;
            }
        }
        int lost = 0;
        int phantom = 0;
        for (Event.Accepted answer : accepted.values()) {
            phantom += stored.containsKey(answer.id) ? 0 : 1;
            Event.Asked ask = asked.get(answer.key);
            for (String device : ask == null ? Set.<String>of() : ask.devices) {
                Seen seen = devices.get(device);
                lost += seen != null && seen.ids.contains(answer.id) ? 0 : 1;
            }
        }
        return new Verdict(
                lost,
                unexpected,
                phantom,
                unmarked,
                afterConfirmed,
                inversions,
                late,
                crossApp,
                forgotten(devices, stored));
    }

    private static int forgotten(Map<String, Seen> devices, Map<Long, Integer> stored) {
        Map<Long, Integer> confirmed = new HashMap<>();
        for (Seen seen : devices.values()) {
            seen.confirmed.forEach(id -> confirmed.merge(id, 1, Integer::sum));
        }
        int forgotten = 0;
        for (Map.Entry<Long, Integer> entry : confirmed.entrySet()) {
            int counted = stored.getOrDefault(entry.getKey(), entry.getValue());
            forgotten += Math.max(0, entry.getValue() - counted);
        }
        return forgotten;
    }
}
