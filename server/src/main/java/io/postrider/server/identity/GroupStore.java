package io.postrider.server.identity;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Groups: live sets of devices and users; a user brings all devices that are his. A group comes
 * into being at its first use. Calls block until what they changed is flushed; from then on every
 * publish, drain and ack sees it (G7).
 */
public interface GroupStore {
    /** Adds a device; false if the app has none of this deviceId. */
    boolean add(long appId, String group, String deviceId);

    /** Takes a device out; false if it was not among the group's devices. */
    boolean remove(long appId, String group, String deviceId);

    /** How a replacement ended. */
    sealed interface Replaced {
        record Done() implements Replaced {}

        /** The app has no such device; nothing was changed. */
        record NoDevice(String deviceId) implements Replaced {}
    }

    /** Makes these, and no others, the group's members. */
    Replaced replace(
            long appId, String group, Collection<String> deviceIds, Collection<String> users);

    /**
     * A page of a group's members: devices in the order of their deviceIds, then users.
     *
     * @param next where the next page begins, null at the end
     */
    record Members(List<String> devices, List<String> users, @Nullable Member next) {}

    /** A member's place in the order of pages. */
    record Member(boolean isUser, String name) {}

    /**
     * The members after one, or the first ones; empty if the group has not come into being. A till
     * whose token has expired is none.
     */
    Optional<Members> members(long appId, String group, @Nullable Member after, int limit);

    /**
     * The devices of groups.
     *
     * @param byUser whether any of the groups has users
     */
    record Devices(List<Integer> numbers, boolean byUser) {}

    /** The devices that are members of any of the groups now, by themselves or by their user. */
    Devices devicesOf(long appId, Collection<String> groups);
}
