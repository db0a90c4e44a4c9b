package io.postrider.server.identity;

import java.util.SortedSet;
import org.jspecify.annotations.Nullable;

/**
 * One installation of an app.
 *
 * @param number dense within the app, never reused; what messages' recipients are kept as
 * @param tokenGeneration the device's tokens of an older generation are refused
 */
public record Device(
        long appId,
        int number,
        String deviceId,
        Platform platform,
        @Nullable String user,
        SortedSet<String> tags,
        @Nullable String locale,
        @Nullable String timezone,
        int tokenGeneration,
        long createdAt,
        @Nullable Long lastSeenAt) {

    /** One device within the server: app and number in one value, as sessions are kept by. */
    public long key() {
        return key(appId, number);
    }

    /** As {@link #key()}, of a device that is not at hand. */
    public static long key(long appId, int number) {
        return (appId << 32) | number;
    }
}
