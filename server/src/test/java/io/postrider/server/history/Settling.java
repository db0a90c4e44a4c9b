package io.postrider.server.history;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the devices of a group were told of messages that the first ack settles, and whether that
 * can be true. Devices write it down in whatever order they hear it; the check looks at each entry
 * once. Thread-safe.
 */
public final class Settling {
    private record Told(String device, long message, String outcome) {}

    private final List<Told> told = new ArrayList<>();
    private final Set<Told> presented = new HashSet<>();
    private final Set<Long> accepted = new HashSet<>();

    /** Counts of what cannot be; all zero is sound. */
    public record Verdict(
            int withoutWinner,
            int wonTwice,
            int losersUntold,
            int contradictions,
            int otherWinnersInTheStore) {
        public static final Verdict SOUND = new Verdict(0, 0, 0, 0, 0);
    }

    public synchronized void accepted(long message) {
        accepted.add(message);
    }

    public synchronized void presented(String device, long message) {
        presented.add(new Told(device, message, ""));
    }

    /** The answer to an ack, or {@code settled}. */
    public synchronized void told(String device, long message, String outcome) {
        told.add(new Told(device, message, outcome));
    }

    /** How many messages nobody has been told to have won. */
    public synchronized long undecided() {
        Set<Long> won = new HashSet<>();
        told.stream()
                .filter(each -> each.outcome.equals("won"))
                .forEach(each -> won.add(each.message));
        return accepted.stream().filter(message -> !won.contains(message)).count();
    }

    /** How many devices had a message before them and do not know how it ended. */
    public synchronized int untold() {
        Set<Told> knowing = new HashSet<>();
        told.forEach(each -> knowing.add(new Told(each.device, each.message, "")));
        return (int) presented.stream().filter(each -> !knowing.contains(each)).count();
    }

    public synchronized int size() {
        return told.size() + presented.size();
    }

    /**
     * @param winners as the store has them
     */
    public synchronized Verdict check(Map<Long, String> winners) {
        Map<Long, Set<String>> won = new HashMap<>();
        Set<Told> lost = new HashSet<>();
        for (Told each : told) {
            if (each.outcome.equals("won")) {
                won.computeIfAbsent(each.message, message -> new HashSet<>()).add(each.device);
            } else {
                lost.add(new Told(each.device, each.message, ""));
            }
        }
        int contradictions = 0;
        int others = 0;
        for (Map.Entry<Long, Set<String>> entry : won.entrySet()) {
            for (String device : entry.getValue()) {
                if (lost.contains(new Told(device, entry.getKey(), ""))) {
                    contradictions++;
                }
                if (!device.equals(winners.get(entry.getKey()))) {
                    others++;
                }
            }
        }
        int without = (int) accepted.stream().filter(message -> !won.containsKey(message)).count();
        int twice = (int) won.values().stream().filter(devices -> devices.size() > 1).count();
        return new Verdict(without, twice, untold(), contradictions, others);
    }
}
