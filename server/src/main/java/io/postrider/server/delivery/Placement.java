package io.postrider.server.delivery;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** What decides to which of several nodes a device tends, in 64 bits that a session can keep. */
public final class Placement {
    private Placement() {}

    public static long of(String deviceId) {
        return hash(deviceId);
    }

    /** The lot of a node for a device: as good as random, and always the same. */
    public static long of(String gateway, long device) {
        return hash(gateway + "\n" + device);
    }

    private static long hash(String text) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest(text.getBytes(StandardCharsets.UTF_8));
            return ByteBuffer.wrap(digest).getLong();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
