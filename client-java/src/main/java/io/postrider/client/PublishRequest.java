package io.postrider.client;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A message to publish. What is wrong with it the server says. Not thread-safe. */
public final class PublishRequest {
    private final Map<String, List<String>> audience = new LinkedHashMap<>();
    private @Nullable List<String> platforms;
    private @Nullable String title;
    private @Nullable String body;
    private @Nullable String url;
    private @Nullable String extras;
    private @Nullable String data;
    private @Nullable Integer ttlSeconds;
    private @Nullable String delivery;
    private @Nullable Boolean ack;
    private @Nullable Integer priority;
    private String idempotencyKey = UUID.randomUUID().toString();

    private PublishRequest() {}

    /** To every device of the app, unless narrowed further. */
    public static PublishRequest toAll() {
        return new PublishRequest();
    }

    public static PublishRequest toDevices(String... deviceIds) {
        return new PublishRequest().among("devices", Arrays.asList(deviceIds));
    }

    public static PublishRequest toUsers(String... users) {
        return new PublishRequest().among("users", Arrays.asList(users));
    }

    /** To the members of groups: each for itself, or see {@link #firstAckSettles}. */
    public static PublishRequest toGroups(String... groups) {
        return new PublishRequest().among("groups", Arrays.asList(groups));
    }

    /** To devices that have any of the tags. */
    public static PublishRequest toTags(String... tags) {
        return new PublishRequest().among("tags", Arrays.asList(tags));
    }

    /**
     * Narrows the audience by one more kind: devices, users, groups, tags, tagsAll, tagsNot. Kinds
     * intersect.
     */
    public PublishRequest among(String kind, Collection<String> values) {
        audience.put(kind, new ArrayList<>(values));
        return this;
    }

    public PublishRequest onPlatforms(String... words) {
        platforms = Arrays.asList(words);
        return this;
    }

    public PublishRequest title(String text) {
        title = text;
        return this;
    }

    public PublishRequest body(String text) {
        body = text;
        return this;
    }

    public PublishRequest url(String address) {
        url = address;
        return this;
    }

    /** The notification's extras, as JSON; they reach the device to the letter. */
    public PublishRequest extrasJson(String json) {
        extras = json;
        return this;
    }

    /** Data for the app, as JSON; it reaches the device to the letter. */
    public PublishRequest dataJson(String json) {
        data = json;
        return this;
    }

    public PublishRequest ttlSeconds(int seconds) {
        ttlSeconds = seconds;
        return this;
    }

    /** Only for devices that are connected now. */
    public PublishRequest onlineOnly() {
        delivery = "online";
        return this;
    }

    /**
     * Whoever of a group acknowledges first settles the message for the group, and the others are
     * told; goes with {@link #toGroups}. Open for 30 minutes unless {@link #ttlSeconds} says else.
     */
    public PublishRequest firstAckSettles() {
        delivery = "any";
        return this;
    }

    /** 1 (least) to 5, for the app to heed; 3 unless given. */
    public PublishRequest priority(int level) {
        priority = level;
        return this;
    }

    /** Devices need not say that they have it; goes with {@link #onlineOnly}. */
    public PublishRequest withoutAck() {
        ack = false;
        return this;
    }

    /** In place of the random key that every request has. */
    public PublishRequest idempotencyKey(String key) {
        idempotencyKey = key;
        return this;
    }

    String idempotencyKey() {
        return idempotencyKey;
    }

    String json() {
        return Rest.json(this::write);
    }

    private void write(JsonGenerator out) throws IOException {
        if (audience.isEmpty()) {
            out.writeStringField("audience", "all");
        } else {
            out.writeObjectFieldStart("audience");
            for (Map.Entry<String, List<String>> kind : audience.entrySet()) {
                writeList(kind.getKey(), kind.getValue(), out);
            }
            out.writeEndObject();
        }
        if (platforms != null) {
            writeList("platform", platforms, out);
        }
        if (title != null || body != null || url != null || extras != null) {
            out.writeObjectFieldStart("notification");
            writeText("title", title, out);
            writeText("body", body, out);
            writeText("url", url, out);
            writeRaw("extras", extras, out);
            out.writeEndObject();
        }
        writeRaw("data", data, out);
        writeOptions(out);
    }

    private void writeOptions(JsonGenerator out) throws IOException {
        out.writeObjectFieldStart("options");
        if (ttlSeconds != null) {
            out.writeNumberField("ttlSeconds", ttlSeconds);
        }
        writeText("delivery", delivery, out);
        if (ack != null) {
            out.writeBooleanField("ack", ack);
        }
        if (priority != null) {
            out.writeNumberField("priority", priority);
        }
        out.writeEndObject();
    }

    private static void writeList(String name, List<String> values, JsonGenerator out)
            throws IOException {
        out.writeArrayFieldStart(name);
        for (String value : values) {
            out.writeString(value);
        }
        out.writeEndArray();
    }

    private static void writeText(String name, @Nullable String value, JsonGenerator out)
            throws IOException {
        if (value != null) {
            out.writeStringField(name, value);
        }
    }

    private static void writeRaw(String name, @Nullable String json, JsonGenerator out)
            throws IOException {
        if (json != null) {
            out.writeFieldName(name);
            out.writeRawValue(json);
        }
    }
}
