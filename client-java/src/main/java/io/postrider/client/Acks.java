package io.postrider.client;

import io.postrider.client.RecentIds.Known;
import io.postrider.protocol.v1.Ack;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.Opened;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a device has to tell of the messages that it got: kept until the server confirms it, told
 * again where no answer comes in time, and on every new connection. Confined to its client's lock.
 */
final class Acks {
    static final int MOST_RECENT_IDS = 4_096;

    /** After so many sends without an answer, another way is tried. */
    static final int SENDS = 3;

    private static final int AT_ONCE = 64;

    /**
     * As many of a kind as the server takes at once over HTTP; the rest waits for the next time.
     */
    private static final int MOST_OVERDUE = 1_000;

    private final RecentIds recent = new RecentIds(MOST_RECENT_IDS);
    private final @Nullable IdFile file;
    private final long timeoutMillis;
    private final Consumer<IOException> onFileFailed;
    private final Map<Long, Sent> unconfirmed = new LinkedHashMap<>();
    private final Map<Long, Sent> unconfirmedOpened = new LinkedHashMap<>();
    private final Set<Long> unsent = new LinkedHashSet<>();
    private final Set<Long> unsentOpened = new LinkedHashSet<>();

    private static final class Sent {
        int times;
        long last;

        Sent(long now) {
            this.last = now;
        }
    }

    /**
     * @param file what was acknowledged before, and where it is kept from here on
     * @param timeoutMillis how long an answer may take
     */
    Acks(@Nullable IdFile file, long timeoutMillis, Consumer<IOException> onFileFailed) {
        this.timeoutMillis = timeoutMillis;
        this.file = file;
        this.onFileFailed = onFileFailed;
        if (file != null) {
            file.ids().forEach(recent::acknowledged);
        }
    }

    /** What was known of a message that has come; a repeated one is acknowledged again. */
    Known receive(long id, long now) {
        Known known = recent.receive(id);
        if (known == Known.ACKNOWLEDGED) {
            acknowledge(id, now);
        }
        return known;
    }

    /** The app did not take it. */
    void refuse(long id) {
        recent.forget(id);
    }

    void acknowledge(long id, long now) {
        remember(id);
        unconfirmed.put(id, new Sent(now));
        unsent.add(id);
    }

    void opened(long id, long now) {
        remember(id);
        unconfirmedOpened.put(id, new Sent(now));
        unsentOpened.add(id);
    }

    /** Before the server hears of it: it will not send it again, so nobody else remembers. */
    private void remember(long id) {
        if (!recent.acknowledged(id) || file == null) {
            return;
        }
        try {
            file.add(id);
        } catch (IOException e) {
            onFileFailed.accept(e);
        }
    }

    boolean areMany() {
        return unsent.size() >= AT_ONCE;
    }

    boolean allConfirmed() {
        return unconfirmed.isEmpty() && unconfirmedOpened.isEmpty();
    }

    void confirmed(long id) {
        unconfirmed.remove(id);
        unconfirmedOpened.remove(id);
    }

    /** On a new connection nothing counts as sent. */
    void startOver() {
        unsent.clear();
        unsent.addAll(unconfirmed.keySet());
        unsentOpened.clear();
        unsentOpened.addAll(unconfirmedOpened.keySet());
    }

    /** Sends what has not been sent on this connection. */
    void flush(Consumer<ClientFrame> out) {
        if (!unsent.isEmpty()) {
            out.accept(ClientFrame.newBuilder().setAck(Ack.newBuilder().addAllIds(unsent)).build());
            unsent.clear();
        }
        if (!unsentOpened.isEmpty()) {
            out.accept(
                    ClientFrame.newBuilder()
                            .setOpened(Opened.newBuilder().addAllIds(unsentOpened))
                            .build());
            unsentOpened.clear();
        }
    }

    /** What has been told often enough without an answer. */
    static final class Overdue {
        final List<Long> ids = new ArrayList<>();
        final List<Long> opened = new ArrayList<>();

        boolean isEmpty() {
            return ids.isEmpty() && opened.isEmpty();
        }
    }

    /** Marks what was not answered in time to be sent again; answers what was so too often. */
    Overdue timedOut(long now) {
        Overdue overdue = new Overdue();
        timedOut(now, unconfirmed, unsent, overdue.ids);
        timedOut(now, unconfirmedOpened, unsentOpened, overdue.opened);
        return overdue;
    }

    private void timedOut(long now, Map<Long, Sent> waiting, Set<Long> again, List<Long> overdue) {
        for (Map.Entry<Long, Sent> entry : waiting.entrySet()) {
            Sent sent = entry.getValue();
            if (now - sent.last < timeoutMillis) {
                continue;
            }
            sent.last = now;
            sent.times++;
            if (sent.times < SENDS) {
                again.add(entry.getKey());
            } else if (overdue.size() < MOST_OVERDUE) {
                sent.times = 0;
                overdue.add(entry.getKey());
            }
        }
    }
}
