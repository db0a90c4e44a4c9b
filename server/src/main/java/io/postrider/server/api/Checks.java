package io.postrider.server.api;

import java.time.DateTimeException;
import java.time.ZoneId;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What names and lists in requests must keep to. */
final class Checks {
    static final int MOST_NAME = 128;
    private static final int MOST_TAG = 64;
    private static final int MOST_TAGS = 100;

    private Checks() {}

    static <T> T present(@Nullable T value, String field) {
        if (value == null) {
            throw Problem.field(ErrorCode.MISSING_VALUE, field, field + " is required.");
        }
        return value;
    }

    /** A name of 1 to {@code most} characters, none of them a control character. */
    static String name(String value, String field, int most) {
        if (value.isBlank() || value.length() > most || hasControls(value)) {
            throw Problem.limit(
                    ErrorCode.INVALID_VALUE,
                    field,
                    most,
                    field + " has 1 to " + most + " characters, no control characters.");
        }
        return value;
    }

    static @Nullable String nameIfPresent(@Nullable String value, String field, int most) {
        return value == null ? null : name(value, field, most);
    }

    static @Nullable SortedSet<String> tagsIfPresent(@Nullable List<String> tags) {
        if (tags == null) {
            return null;
        }
        if (tags.size() > MOST_TAGS) {
            throw Problem.limit(
                    ErrorCode.INVALID_VALUE, "tags", MOST_TAGS, "A device has at most 100 tags.");
        }
        SortedSet<String> checked = new TreeSet<>();
        for (String tag : tags) {
            checked.add(name(present(tag, "tags"), "tags", MOST_TAG));
        }
        return checked;
    }

    static @Nullable String zoneIfPresent(@Nullable String name) {
        if (name == null) {
            return null;
        }
        try {
            return ZoneId.of(name).getId();
        } catch (DateTimeException e) {
            throw Problem.field(
                    ErrorCode.INVALID_VALUE,
                    "timezone",
                    "timezone is a name like Europe/Berlin or UTC.");
        }
    }

    private static boolean hasControls(String value) {
        return value.chars().anyMatch(Character::isISOControl);
    }
}
