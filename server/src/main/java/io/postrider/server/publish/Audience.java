package io.postrider.server.publish;

import io.postrider.server.identity.DeviceFilter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Whom a message is for: the members of groups, null for everyone, as far as the filter means them.
 */
public record Audience(@Nullable List<String> groups, DeviceFilter filter) {}
