package io.postrider.server.identity;

import java.util.Locale;
import java.util.Optional;

/** What kind of machine a device is. */
public enum Platform {
    ANDROID,
    IOS,
    WEB,
    DESKTOP,
    IOT;

    /** The platform of a word as it stands on the wire, if there is one. */
    public static Optional<Platform> of(String word) {
        for (Platform platform : values()) {
            if (platform.word().equals(word)) {
                return Optional.of(platform);
            }
        }
        return Optional.empty();
    }

    /** The word on the wire and in the store. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
