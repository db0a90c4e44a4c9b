package io.postrider.server.legacy;

import io.postrider.protocol.v1.Push;
import io.postrider.server.delivery.Message;
import java.math.BigDecimal;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The JSON of twebsocketpush, read and written. */
final class TillFrames {
    /** Of an answer to a till's frame. */
    private static final int ANSWER = 10;

    /** Of what the server sends by itself. */
    private static final int PUSH = 20;

    private static final int OK = 0;
    private static final int REFUSED = -1;
    private static final int DEFAULT_PRIORITY = 3;
    private static final int MOST_PLACES = 20;
    private static final JsonMapper JSON =
            JsonMapper.builder()
                    .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build();

    private TillFrames() {}

    /**
     * What a till sent.
     *
     * @param seqId comes back in the answer
     */
    record Request(String action, String seqId, JsonNode body) {}

    /** Empty if it is no frame of a till. */
    static Optional<Request> read(String text) {
        return json(text)
                .filter(frame -> frame.isObject() && frame.path("action").isString())
                .map(frame ->
                        new Request(
                                frame.path("action").stringValue(),
                                frame.path("seq_id").asString(""),
                                frame.path("req")));
    }

    /** Empty, too, for JSON that has no value here, such as a number of too many digits. */
    private static Optional<JsonNode> json(String text) {
        try {
            return Optional.of(JSON.readTree(text));
        } catch (JacksonException | ArithmeticException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    /**
     * The id that a till acknowledges, 0 if it is none: as it was sent, as a number, or as what
     * readers that take every number for a double make of it ({@code "375176.0"}, {@code
     * "1.18158044E17"}).
     */
    static long messageId(JsonNode body) {
        JsonNode given = body.path("message_id");
        try {
            BigDecimal id = given.isNumber() ? given.decimalValue() : new BigDecimal(text(given));
            // What has more places than an id is not unfolded to find that it is none.
            return Math.abs(id.scale()) > MOST_PLACES ? 0 : Math.max(0, id.longValueExact());
        } catch (ArithmeticException | NumberFormatException none) {
            return 0;
        }
    }

    private static String text(JsonNode given) {
        String text = given.isString() ? given.stringValue().strip() : "";
        return text.length() <= 2 * MOST_PLACES ? text : "";
    }

    static String answer(String action, String seqId, boolean done, String msg) {
        ObjectNode frame = JSON.createObjectNode();
        frame.put("resp_event", ANSWER);
        frame.put("seq_id", seqId);
        frame.put("action", action);
        ObjectNode resp = frame.putObject("resp");
        resp.put("code", done ? OK : REFUSED);
        resp.put("msg", msg);
        resp.putObject("data");
        return JSON.writeValueAsString(frame);
    }

    /** Says why the connection is closed: {@code authException} or {@code paramException}. */
    static String refusal(String action, String msg) {
        ObjectNode frame = JSON.createObjectNode();
        ObjectNode resp = push(frame, action);
        resp.put("code", REFUSED);
        resp.put("msg", msg);
        resp.putObject("data");
        return JSON.writeValueAsString(frame);
    }

    private static ObjectNode push(ObjectNode frame, String action) {
        frame.put("resp_event", PUSH);
        frame.put("action", action);
        return frame.putObject("resp");
    }

    static String newMessage(Message message) {
        ObjectNode frame = JSON.createObjectNode();
        ObjectNode resp = push(frame, "newMessage");
        resp.put("code", OK);
        resp.put("msg", "success");
        resp.put("data_type", 0);
        resp.set("data", order(message));
        return JSON.writeValueAsString(frame);
    }

    static String offLineMessage(List<Message> messages) {
        ObjectNode frame = JSON.createObjectNode();
        ObjectNode resp = push(frame, "offLineMessage");
        resp.put("code", OK);
        resp.put("msg", "success");
        resp.put("data_type", 1);
        var orders = resp.putArray("data");
        messages.forEach(message -> orders.add(order(message)));
        return JSON.writeValueAsString(frame);
    }

    private static ObjectNode order(Message message) {
        Push push = message.published();
        JsonNode data = json(push.getData()).orElseGet(JSON::createObjectNode);
        ObjectNode order = JSON.createObjectNode();
        order.put("message_id", Long.toString(message.id()));
        order.put("title", push.getNotification().getTitle());
        order.put("content", push.getNotification().getBody());
        order.put("priority", push.getPriority() == 0 ? DEFAULT_PRIORITY : push.getPriority());
        order.put("type", number(data.get("type")));
        order.put("group", data.path("group").asString(""));
        order.put("group_oid", data.path("group_oid").asString(""));
        order.put("receive_type", number(data.get("receive_type")));
        return order;
    }

    private static int number(@Nullable JsonNode value) {
        return value == null ? 0 : value.asInt(0);
    }
}
