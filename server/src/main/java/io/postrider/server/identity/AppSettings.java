package io.postrider.server.identity;

import java.util.List;

/**
 * What an app's developer may choose.
 *
 * @param openUsers devices may name their user without proof
 * @param selfTags devices may choose their own tags
 * @param allowedOrigins web origins whose pages may be devices of the app; {@code *} is every one
 * @param retentionDays how long ended messages are kept
 * @param timezone the app's zone, an IANA name
 */
public record AppSettings(
        boolean openUsers,
        boolean selfTags,
        List<String> allowedOrigins,
        int retentionDays,
        String timezone) {
    public static final AppSettings DEFAULT = new AppSettings(false, true, List.of(), 28, "UTC");
    private static final String EVERY_ORIGIN = "*";

    /** Whether a browser's page of this origin may be a device of the app. */
    public boolean allowsOrigin(String origin) {
        return allowedOrigins.contains(EVERY_ORIGIN) || allowedOrigins.contains(origin);
    }
}
