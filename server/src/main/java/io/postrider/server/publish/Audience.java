package io.postrider.server.publish;

import io.postrider.server.identity.Platform;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Whom a message is for. Kinds that are given intersect; null is not given, and all null is
 * everyone. Values within a kind unite, in {@code tagsAll} they intersect; a device with any of
 * {@code tagsNot} is left out.
 */
public record Audience(
        @Nullable List<String> devices,
        @Nullable List<String> users,
        @Nullable List<String> tags,
        @Nullable List<String> tagsAll,
        @Nullable List<String> tagsNot,
        @Nullable List<Platform> platforms) {}
