package io.postrider.server.identity;

import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which devices of a set are meant. Kinds that are given intersect; null is not given. Values
 * within a kind unite, in {@code tagsAll} they intersect; a device with any of {@code tagsNot} is
 * not meant.
 */
public record DeviceFilter(
        @Nullable List<String> devices,
        @Nullable List<String> users,
        @Nullable List<String> tags,
        @Nullable List<String> tagsAll,
        @Nullable List<String> tagsNot,
        @Nullable List<Platform> platforms) {

    /** Whether every device is meant. */
    public boolean isEmpty() {
        return devices == null
                && users == null
                && tags == null
                && tagsAll == null
                && tagsNot == null
                && platforms == null;
    }

    public boolean matches(Device device) {
        return contains(devices, device.deviceId())
                && (users == null || (device.user() != null && users.contains(device.user())))
                && (tags == null || hasAny(device, tags))
                && (tagsAll == null || device.tags().containsAll(tagsAll))
                && (tagsNot == null || !hasAny(device, tagsNot))
                && contains(platforms, device.platform());
    }

    private static <T> boolean contains(@Nullable Collection<T> given, T value) {
        return given == null || given.contains(value);
    }

    private static boolean hasAny(Device device, List<String> tags) {
        return tags.stream().anyMatch(tag -> device.tags().contains(tag));
    }
}
