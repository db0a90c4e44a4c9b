package io.postrider.server.identity;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import org.jspecify.annotations.Nullable;

/**
 * Devices. Calls block until what they changed is flushed; each change of what audiences see (tags,
 * platform, user, existence) is in the audience's log by then.
 */
public interface DeviceStore {
    /** What a registration says of a device; null leaves a known device's value as it is. */
    record Profile(
            Platform platform,
            @Nullable String user,
            @Nullable SortedSet<String> tags,
            @Nullable String locale,
            @Nullable String timezone) {}

    /** What a change says of a device. Null leaves a value as it is; an empty user removes it. */
    record Change(
            @Nullable Platform platform,
            @Nullable String user,
            @Nullable SortedSet<String> tags,
            @Nullable String locale,
            @Nullable String timezone) {}

    /** How a registration ended. */
    sealed interface Registered {
        Device device();

        /** The device was not known; it has a new number and an empty mailbox. */
        record New(Device device) implements Registered {}

        /** The device was known, and is as it was: nothing has been changed. */
        record Known(Device device) implements Registered {}
    }

    /** Adds a device under the app's next number, unless its deviceId is known. */
    Registered register(long appId, String deviceId, Profile profile);

    Optional<Device> byDeviceId(long appId, String deviceId);

    Optional<Device> byNumber(long appId, int number);

    /** The app's devices with numbers above {@code afterNumber}, in the order of their numbers. */
    List<Device> ofApp(long appId, int afterNumber, int limit);

    /** The numbers of those of the named devices that exist, by their deviceIds. */
    Map<String, Integer> numbers(long appId, Collection<String> deviceIds);

    /** The numbers of the named users' devices. */
    List<Integer> numbersOfUsers(long appId, Collection<String> users);

    /**
     * Changes a device. A new user ends, as failed with {@code user_changed}, what was pending for
     * the old one. Answers the device after the change, or empty when it does not exist.
     */
    Optional<Device> change(long appId, String deviceId, Change change);

    /**
     * Deletes a device; what was pending for it ends as failed with {@code device_deleted}. Answers
     * the device that was, or empty when it does not exist.
     */
    Optional<Device> delete(long appId, String deviceId);

    /**
     * Makes the tokens that the device has void and ends its session. Answers the device with its
     * new generation, or empty when it does not exist.
     */
    Optional<Device> revokeTokens(long appId, String deviceId);

    /** A device whose tokens of a generation below this are void. */
    record Revocation(long appId, int number, int generation) {}

    /** The revocations since a time in milliseconds. */
    List<Revocation> revocationsSince(long millis);
}
