package io.postrider.server.demo;

import io.postrider.client.Published;
import io.postrider.client.ReceivedMessage;
import io.postrider.server.clock.Clock;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import tools.jackson.databind.ObjectMapper;

/** What publisher and devices write down, a JSON object a line. Thread-safe. */
final class Receipts implements AutoCloseable {
    static final String ACCEPTED = "accepted.ndjson";
    static final String RECEIVED = "received.ndjson";

    private final Clock clock;
    private final ObjectMapper json = new ObjectMapper();
    private final ReentrantLock lock = new ReentrantLock();
    private final BufferedWriter accepted;
    private final BufferedWriter received;
    final LongAdder acceptedCount = new LongAdder();
    final LongAdder receivedCount = new LongAdder();

    Receipts(Path folder, Clock clock) {
        this.clock = clock;
        try {
            Files.createDirectories(folder);
            accepted = Files.newBufferedWriter(folder.resolve(ACCEPTED));
            received = Files.newBufferedWriter(folder.resolve(RECEIVED));
        } catch (IOException e) {
            throw new UncheckedIOException("the log in " + folder + " cannot be written", e);
        }
    }

    /** The publisher was answered 202. */
    void accepted(Quake quake, Published published, long askedAt) {
        acceptedCount.increment();
        write(
                accepted,
                Map.of(
                        "id", Long.toString(published.id()),
                        "quake", quake.id(),
                        "targeted", published.targeted(),
                        "askedAt", askedAt,
                        "acceptedAt", clock.millis()));
    }

    /** A device's app was handed a message. */
    void received(String deviceId, ReceivedMessage message) {
        receivedCount.increment();
        write(
                received,
                Map.of(
                        "id", Long.toString(message.id()),
                        "device", deviceId,
                        "at", clock.millis(),
                        "attempt", message.attempt()));
    }

    /** The SDK kept a repeated message from a device's app. */
    void suppressed(String deviceId, long id, int attempt) {
        write(
                received,
                Map.of(
                        "id",
                        Long.toString(id),
                        "device",
                        deviceId,
                        "at",
                        clock.millis(),
                        "attempt",
                        attempt,
                        "suppressed",
                        true));
    }

    private void write(BufferedWriter out, Map<String, Object> receipt) {
        String line = json.writeValueAsString(new TreeMap<>(receipt));
        lock.lock();
        try {
            out.write(line);
            out.newLine();
        } catch (IOException e) {
            throw new UncheckedIOException("a receipt cannot be written", e);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            accepted.close();
            received.close();
        } catch (IOException e) {
            throw new UncheckedIOException("the receipts cannot be written", e);
        } finally {
            lock.unlock();
        }
    }
}
