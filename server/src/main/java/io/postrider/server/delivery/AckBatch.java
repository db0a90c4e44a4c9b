package io.postrider.server.delivery;

import java.util.ArrayList;
import java.util.List;

/** Acks of many devices, recorded together; filled by one thread, then handed over. */
public final class AckBatch {
    /** One device's word that it has a message, or that its user has opened it. */
    public record Ack(long appId, int number, long messageId, boolean opened) {}

    private final List<Ack> acks = new ArrayList<>();
    private boolean urgent;

    public void add(long appId, int number, long messageId, boolean opened) {
        acks.add(new Ack(appId, number, messageId, opened));
    }

    /** Whoever sent one of these waits to hear whether it was the first. */
    public void setUrgent() {
        urgent = true;
    }

    public boolean isUrgent() {
        return urgent;
    }

    public int size() {
        return acks.size();
    }

    public boolean isEmpty() {
        return acks.isEmpty();
    }

    public Ack get(int i) {
        return acks.get(i);
    }
}
