package io.postrider.server.api;

import io.postrider.protocol.v1.Notification;
import io.postrider.protocol.v1.Push;
import io.postrider.server.api.Json.RawJson;
import io.postrider.server.delivery.Message;
import io.postrider.server.delivery.NewMessage;
import io.postrider.server.identity.DeviceFilter;
import io.postrider.server.identity.Platform;
import io.postrider.server.identity.Secrets;
import io.postrider.server.publish.Audience;
import io.postrider.server.publish.Publish;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.annotation.JsonDeserialize;

/** The body of a publish, as it is sent, and its checks. */
record PublishBody(
        @Nullable AudienceBody audience,
        @Nullable List<String> platform,
        @Nullable NotificationBody notification,
        @Nullable RawJson data,
        @Nullable OptionsBody options) {

    private static final int MOST_IDS = 1_000;
    private static final int MOST_KEY = 255;
    private static final int MOST_TTL_SECONDS = (int) Message.MOST_TTL.toSeconds();
    private static final int DEFAULT_TTL_SECONDS = 86_400;
    private static final int DEFAULT_PRIORITY = 3;

    private static final Set<String> DELIVERIES = Set.of("each", "any", "online");
    private static final int DEFAULT_TTL_SECONDS_OF_GROUPS = 1_800;

    private static final Options DEFAULTS =
            new Options(DEFAULT_TTL_SECONDS, "each", true, DEFAULT_PRIORITY);
    private static final String DEFAULTS_JSON = Json.writeText(DEFAULTS);

    /** How long a device that is online has to answer a message for those who are. */
    private static final int ONLINE_TTL_SECONDS = 10;

    /** {@code "all"}, or kinds of recipients. */
    @JsonDeserialize(using = AudienceReader.class)
    record AudienceBody(String json, boolean everyone, @Nullable Kinds kinds) {}

    record Kinds(
            @Nullable List<String> devices,
            @Nullable List<String> users,
            @Nullable List<String> groups,
            @Nullable List<String> tags,
            @Nullable List<String> tagsAll,
            @Nullable List<String> tagsNot) {}

    record NotificationBody(
            @Nullable String title,
            @Nullable String body,
            @Nullable String url,
            @Nullable RawJson extras) {}

    record OptionsBody(
            @Nullable Integer ttlSeconds,
            @Nullable String delivery,
            @Nullable Boolean ack,
            @Nullable String collapseKey,
            @Nullable String replaces,
            @Nullable String sendAt,
            @Nullable Integer spreadSeconds,
            @Nullable Integer priority) {}

    /** The options in force. */
    record Options(int ttlSeconds, String delivery, boolean ack, int priority) {}

    /**
     * @throws Problem if the body is not publishable
     */
    static Publish read(byte[] body, @Nullable String idempotencyKey, String requestId) {
        PublishBody given = Json.read(body, PublishBody.class);
        AudienceBody audienceBody = Checks.present(given.audience, "audience");
        Audience audience = audience(audienceBody, given.platform);
        Options options = options(given.options);
        boolean any = options.delivery.equals("any");
        if (any && audience.groups() == null) {
            throw Problem.field(
                    ErrorCode.MISSING_VALUE,
                    "audience.groups",
                    "delivery any counts groups; name at least one.");
        }
        return new Publish(
                audience,
                audienceBody.json,
                options.equals(DEFAULTS) ? DEFAULTS_JSON : Json.writeText(options),
                options.ttlSeconds * 1000L,
                options.delivery.equals("online"),
                any,
                options.ack,
                content(given, options),
                idempotencyKey == null
                        ? null
                        : new NewMessage.Idempotency(
                                checkKey(idempotencyKey), Secrets.sha256(body)),
                requestId);
    }

    private static String checkKey(String key) {
        return checkKey(key, MOST_KEY);
    }

    /**
     * @throws Problem if it is no idempotency key of at most so many characters
     */
    static String checkKey(String key, int most) {
        boolean printable = key.chars().allMatch(c -> c > 0x20 && c < 0x7f);
        if (key.isEmpty() || key.length() > most || !printable) {
            throw Problem.limit(
                    ErrorCode.INVALID_VALUE,
                    "Idempotency-Key",
                    most,
                    "The key has 1 to " + most + " printable ASCII characters, no spaces.");
        }
        return key;
    }

    private static Audience audience(AudienceBody body, @Nullable List<String> platform) {
        List<Platform> platforms = platforms(platform);
        if (body.everyone || body.kinds == null) {
            return new Audience(null, new DeviceFilter(null, null, null, null, null, platforms));
        }
        Kinds kinds = body.kinds;
        Audience audience =
                new Audience(
                        ids(kinds.groups, "groups"),
                        new DeviceFilter(
                                ids(kinds.devices, "devices"),
                                ids(kinds.users, "users"),
                                ids(kinds.tags, "tags"),
                                ids(kinds.tagsAll, "tagsAll"),
                                ids(kinds.tagsNot, "tagsNot"),
                                platforms));
        boolean none =
                kinds.groups == null
                        && kinds.devices == null
                        && kinds.users == null
                        && kinds.tags == null
                        && kinds.tagsAll == null
                        && kinds.tagsNot == null;
        if (none) {
            throw Problem.field(
                    ErrorCode.AUDIENCE_EMPTY,
                    "audience",
                    "Name at least one kind of recipients, or send \"all\".");
        }
        return audience;
    }

    private static @Nullable List<Platform> platforms(@Nullable List<String> words) {
        if (words == null) {
            return null;
        }
        refuseEmpty(words, "platform");
        List<Platform> platforms = new ArrayList<>();
        for (String word : words) {
            platforms.add(
                    Platform.of(String.valueOf(word))
                            .orElseThrow(() ->
                                    Problem.field(
                                            ErrorCode.INVALID_VALUE,
                                            "platform",
                                            "platform is android, ios, web, desktop or"
                                                    + " iot.")));
        }
        return platforms;
    }

    private static @Nullable List<String> ids(@Nullable List<String> ids, String kind) {
        if (ids == null) {
            return null;
        }
        String field = "audience." + kind;
        refuseEmpty(ids, field);
        if (ids.size() > MOST_IDS) {
            throw Problem.limit(
                    ErrorCode.AUDIENCE_TOO_LARGE,
                    field,
                    MOST_IDS,
                    "At most 1000 of a kind; use tags for more.");
        }
        for (String id : ids) {
            Checks.name(Checks.present(id, field), field, Checks.MOST_NAME);
        }
        return ids;
    }

    private static void refuseEmpty(List<String> list, String field) {
        if (list.isEmpty()) {
            throw Problem.field(
                    ErrorCode.AUDIENCE_EMPTY,
                    field,
                    "An empty list would reach nobody; leave the field out.");
        }
    }

    private static Options options(@Nullable OptionsBody given) {
        if (given == null) {
            return DEFAULTS;
        }
        refuseNotBuilt(given.collapseKey != null, "collapseKey");
        refuseNotBuilt(given.replaces != null, "replaces");
        refuseNotBuilt(given.sendAt != null, "sendAt");
        refuseNotBuilt(given.spreadSeconds != null && given.spreadSeconds != 0, "spreadSeconds");
        String delivery = given.delivery == null ? "each" : given.delivery;
        if (!DELIVERIES.contains(delivery)) {
            throw Problem.field(
                    ErrorCode.INVALID_VALUE,
                    "options.delivery",
                    "delivery is each, any or online.");
        }
        boolean online = delivery.equals("online");
        boolean ack = given.ack == null || given.ack;
        if (!ack && !online) {
            throw Problem.field(
                    ErrorCode.INVALID_VALUE,
                    "options.ack",
                    "ack: false goes with delivery online only.");
        }
        int usual = delivery.equals("any") ? DEFAULT_TTL_SECONDS_OF_GROUPS : DEFAULT_TTL_SECONDS;
        int ttl = inRange(given.ttlSeconds, usual, MOST_TTL_SECONDS, "ttlSeconds");
        int priority = inRange(given.priority, DEFAULT_PRIORITY, 5, "priority");
        return new Options(
                online ? Math.min(ttl, ONLINE_TTL_SECONDS) : ttl, delivery, ack, priority);
    }

    private static int inRange(@Nullable Integer value, int otherwise, int most, String option) {
        if (value == null) {
            return otherwise;
        }
        if (value < 1 || value > most) {
            throw Problem.limit(
                    ErrorCode.INVALID_VALUE,
                    "options." + option,
                    most,
                    option + " is 1 to " + most + ".");
        }
        return value;
    }

    private static void refuseNotBuilt(boolean given, String option) {
        if (given) {
            throw Problem.field(
                    ErrorCode.OPTION_NOT_SUPPORTED,
                    "options." + option,
                    option + " is not built yet; leave it out.");
        }
    }

    private static byte[] content(PublishBody given, Options options) {
        Push.Builder push = Push.newBuilder();
        NotificationBody notification = given.notification;
        if (notification != null) {
            push.setNotification(notification(notification));
        }
        boolean data = given.data != null && !given.data.text().equals("null");
        if (given.data != null && data) {
            push.setData(given.data.text());
        }
        if (notification == null && !data) {
            throw Problem.of(
                    ErrorCode.MESSAGE_EMPTY, "Send a notification with title or body, or data.");
        }
        if (options.priority != DEFAULT_PRIORITY) {
            push.setPriority(options.priority);
        }
        return push.build().toByteArray();
    }

    private static Notification notification(NotificationBody given) {
        if (given.title == null && given.body == null) {
            throw Problem.field(
                    ErrorCode.MESSAGE_EMPTY,
                    "notification",
                    "A notification has a title or a body.");
        }
        Notification.Builder notification = Notification.newBuilder();
        if (given.title != null) {
            notification.setTitle(given.title);
        }
        if (given.body != null) {
            notification.setBody(given.body);
        }
        if (given.url != null) {
            notification.setUrl(given.url);
        }
        if (given.extras != null && !given.extras.text().equals("null")) {
            notification.setExtras(given.extras.text());
        }
        return notification.build();
    }
}
