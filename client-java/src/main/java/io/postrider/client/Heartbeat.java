package io.postrider.client;

/** When a connection last heard and said something. Confined to its client's lock. */
final class Heartbeat {
    private static final long FIRST_MILLIS = 10_000;
    private static final int BEATS = 4;

    private long millis = FIRST_MILLIS;
    private long heardAt = now();
    private long sentAt = heardAt;

    static long now() {
        return System.nanoTime() / 1_000_000;
    }

    void heard() {
        heardAt = now();
    }

    void sent() {
        sentAt = now();
    }

    /** The server has said how often it wants to hear something. */
    void agreed(int seconds, Link link) {
        millis = Math.max(1, seconds) * 1_000L;
        link.beatEvery(millis / BEATS);
    }

    /** Gives up a peer that is silent; else runs the ping where one is due. */
    void beat(Link link, Runnable ping) {
        long now = now();
        if (now - heardAt > millis + millis / 2) {
            link.close("the gateway was silent");
        } else if (now - sentAt >= millis - millis / BEATS) {
            ping.run();
        }
    }
}
