package io.postrider.server.session;

/**
 * The bounds of a session.
 *
 * @param window how many unacknowledged messages are in flight
 * @param heartbeatMillis how often a device says that it is there
 * @param slowReaderMillis how long a socket may stay unwritable before it is closed
 * @param resendMillis when unacknowledged messages are presented again, counted from the window's
 *     last ack, or from its first message; after the last of them they leave the window
 */
public record SessionLimits(
        int window, long heartbeatMillis, long slowReaderMillis, long[] resendMillis) {
    /** What design and protocol promise. */
    public static SessionLimits standard(int heartbeatSeconds) {
        return new SessionLimits(
                256, heartbeatSeconds * 1000L, 30_000, new long[] {10_000, 30_000, 90_000});
    }

    /** A device that was not heard for so long is gone: within one and a half heartbeats (G11). */
    public long silenceMillis() {
        return heartbeatMillis + heartbeatMillis / 2 - SessionLoop.TICK_MILLIS * 2;
    }
}
