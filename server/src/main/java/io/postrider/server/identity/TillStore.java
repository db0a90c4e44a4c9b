package io.postrider.server.identity;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Tills of twebsocketpush: devices that come with a token of a shop, and are members of that shop's
 * group for as long as it is the last one that they came with and it is valid. Calls block until
 * what they changed is flushed.
 */
public interface TillStore {
    /**
     * Keeps a token of a shop.
     *
     * @param staff who works there, for the operator's eyes
     * @param expiresAt milliseconds since 1970
     */
    void issue(long appId, String group, @Nullable String staff, byte[] tokenHash, long expiresAt);

    /**
     * A till that is let in.
     *
     * @param until when its token expires, milliseconds since 1970
     */
    record Till(long appId, int number, int tokenGeneration, long until) {}

    /**
     * Lets a till in: it is a device from now on, and a member of exactly this token's shop. Empty
     * if the token is unknown, has expired or was revoked, if the till was taken out of the shop
     * since it first came with this token, or if the deviceId is that of a device that is no till.
     */
    Optional<Till> admit(byte[] tokenHash, String deviceId);

    /** Makes a token void: its tills leave the shop, and their connections end. */
    boolean revoke(long appId, byte[] tokenHash);

    /** Makes all tokens of a shop void. Answers how many there were. */
    int revokeAll(long appId, String group);
}
