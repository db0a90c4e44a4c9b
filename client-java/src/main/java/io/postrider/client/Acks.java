package io.postrider.client;

import io.postrider.client.RecentIds.Known;
import io.postrider.protocol.v1.Ack;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.Opened;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What a device has to tell of the messages that it got: kept until the server confirms it, and
 * told again on every new connection. Confined to its client's lock.
 */
final class Acks {
    private static final int MOST_RECENT_IDS = 4_096;
    private static final int AT_ONCE = 64;

    private final RecentIds recent = new RecentIds(MOST_RECENT_IDS);
    private final Set<Long> unconfirmed = new LinkedHashSet<>();
    private final Set<Long> unconfirmedOpened = new LinkedHashSet<>();
    private final List<Long> unsent = new ArrayList<>();
    private final List<Long> unsentOpened = new ArrayList<>();

    /** What was known of a message that has come; a repeated one is acknowledged again. */
    Known receive(long id) {
        Known known = recent.receive(id);
        if (known == Known.ACKNOWLEDGED) {
            acknowledge(id);
        }
        return known;
    }

    /** The app did not take it. */
    void refuse(long id) {
        recent.forget(id);
    }

    void acknowledge(long id) {
        recent.acknowledged(id);
        unconfirmed.add(id);
        unsent.add(id);
    }

    void opened(long id) {
        recent.acknowledged(id);
        unconfirmedOpened.add(id);
        unsentOpened.add(id);
    }

    boolean areMany() {
        return unsent.size() >= AT_ONCE;
    }

    void confirmed(long id) {
        unconfirmed.remove(id);
        unconfirmedOpened.remove(id);
    }

    /** On a new connection nothing counts as sent. */
    void startOver() {
        unsent.clear();
        unsent.addAll(unconfirmed);
        unsentOpened.clear();
        unsentOpened.addAll(unconfirmedOpened);
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
}
