package io.postrider.server.identity;

/**
 * What an app's developer may choose.
 *
 * @param openUsers devices may name their user without proof
 * @param selfTags devices may choose their own tags
 * @param retentionDays how long ended messages are kept
 * @param timezone the app's zone, an IANA name
 */
public record AppSettings(boolean openUsers, boolean selfTags, int retentionDays, String timezone) {
    public static final AppSettings DEFAULT = new AppSettings(false, true, 28, "UTC");
}
