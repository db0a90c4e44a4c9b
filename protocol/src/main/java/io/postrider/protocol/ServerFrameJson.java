package io.postrider.protocol;

import com.fasterxml.jackson.core.JsonGenerator;
import io.postrider.protocol.v1.Accepted;
import io.postrider.protocol.v1.AckOutcome;
import io.postrider.protocol.v1.AckResult;
import io.postrider.protocol.v1.Acked;
import io.postrider.protocol.v1.Close;
import io.postrider.protocol.v1.ErrorInfo;
import io.postrider.protocol.v1.GoAway;
import io.postrider.protocol.v1.Notification;
import io.postrider.protocol.v1.Ping;
import io.postrider.protocol.v1.Pong;
import io.postrider.protocol.v1.Push;
import io.postrider.protocol.v1.Ready;
import io.postrider.protocol.v1.Recall;
import io.postrider.protocol.v1.Refused;
import io.postrider.protocol.v1.ServerFrame;
import io.postrider.protocol.v1.Settled;
import java.io.IOException;
import java.time.Instant;
import java.util.Locale;

/** JSON of the frames that servers send. */
final class ServerFrameJson {
    private ServerFrameJson() {}

    static boolean read(String name, JsonReader in, ServerFrame.Builder frame) throws IOException {
        switch (name) {
            case "ready":
                frame.setReady(ready(in));
                return true;
            case "push":
                frame.setPush(push(in));
                return true;
            case "acked":
                frame.setAcked(acked(in));
                return true;
            case "recall":
                Recall.Builder recall = Recall.newBuilder();
                in.object(field -> field.equals("id") && set(recall.setId(in.id())));
                frame.setRecall(recall);
                return true;
            case "settled":
                Settled.Builder settled = Settled.newBuilder();
                in.object(field -> field.equals("id") && set(settled.setId(in.id())));
                frame.setSettled(settled);
                return true;
            case "ping":
                in.object(field -> false);
                frame.setPing(Ping.getDefaultInstance());
                return true;
            case "pong":
                Pong.Builder pong = Pong.newBuilder();
                in.object(
                        field -> field.equals("serverTime") && set(pong.setServerTime(in.time())));
                frame.setPong(pong);
                return true;
            case "goaway":
                frame.setGoaway(goAway(in));
                return true;
            case "error":
                frame.setError(error(in));
                return true;
            case "close":
                frame.setClose(close(in));
                return true;
            case "accepted":
                frame.setAccepted(accepted(in));
                return true;
            case "refused":
                frame.setRefused(refused(in));
                return true;
            default:
                return false;
        }
    }

    private static boolean set(Object builder) {
        return builder != null;
    }

    private static Ready ready(JsonReader in) throws IOException {
        Ready.Builder ready = Ready.newBuilder();
        in.object(field -> {
            switch (field) {
                case "session":
                    return set(ready.setSession(in.string()));
                case "heartbeatSeconds":
                    return set(ready.setHeartbeatSeconds(in.integer()));
                case "serverTime":
                    return set(ready.setServerTime(in.time()));
                case "inflightLimit":
                    return set(ready.setInflightLimit(in.integer()));
                case "epoch":
                    return set(ready.setEpoch(in.string()));
                case "token":
                    return set(ready.setToken(in.string()));
                default:
                    return false;
            }
        });
        return ready.build();
    }

    private static Push push(JsonReader in) throws IOException {
        Push.Builder push = Push.newBuilder();
        in.object(field -> {
            switch (field) {
                case "id":
                    return set(push.setId(in.id()));
                case "notification":
                    return set(push.setNotification(notification(in)));
                case "data":
                    return set(push.setData(in.raw()));
                case "createdAt":
                    return set(push.setCreatedAt(in.time()));
                case "expiresAt":
                    return set(push.setExpiresAt(in.time()));
                case "attempt":
                    return set(push.setAttempt(in.integer()));
                case "ack":
                    return set(push.setAck(in.bool()));
                case "priority":
                    return set(push.setPriority(in.integer()));
                default:
                    return false;
            }
        });
        return push.build();
    }

    private static Notification notification(JsonReader in) throws IOException {
        Notification.Builder notification = Notification.newBuilder();
        in.object(field -> {
            switch (field) {
                case "title":
                    return set(notification.setTitle(in.string()));
                case "body":
                    return set(notification.setBody(in.string()));
                case "url":
                    return set(notification.setUrl(in.string()));
                case "extras":
                    return set(notification.setExtras(in.raw()));
                default:
                    return false;
            }
        });
        return notification.build();
    }

    private static Acked acked(JsonReader in) throws IOException {
        Acked.Builder acked = Acked.newBuilder();
        in.object(field -> {
            if (!field.equals("results")) {
                return false;
            }
            in.array(() -> acked.addResults(ackResult(in)));
            return true;
        });
        return acked.build();
    }

    private static AckResult ackResult(JsonReader in) throws IOException {
        AckResult.Builder result = AckResult.newBuilder();
        in.object(field -> {
            switch (field) {
                case "id":
                    return set(result.setId(in.id()));
                case "outcome":
                    return set(result.setOutcome(outcome(in.string())));
                default:
                    return false;
            }
        });
        return result.build();
    }

    private static AckOutcome outcome(String word) {
        for (AckOutcome outcome : AckOutcome.values()) {
            if (word(outcome).equals(word)) {
                return outcome;
            }
        }
        return AckOutcome.UNKNOWN;
    }

    private static String word(AckOutcome outcome) {
        return outcome.name().toLowerCase(Locale.ROOT);
    }

    private static GoAway goAway(JsonReader in) throws IOException {
        GoAway.Builder goAway = GoAway.newBuilder();
        in.object(field -> {
            switch (field) {
                case "reason":
                    return set(goAway.setReason(in.string()));
                case "reconnectAfterMs":
                    return set(goAway.setReconnectAfterMs(in.integer()));
                case "spreadMs":
                    return set(goAway.setSpreadMs(in.integer()));
                case "gateways":
                    in.array(() -> goAway.addGateways(in.string()));
                    return true;
                default:
                    return false;
            }
        });
        return goAway.build();
    }

    private static ErrorInfo error(JsonReader in) throws IOException {
        ErrorInfo.Builder error = ErrorInfo.newBuilder();
        in.object(field -> {
            switch (field) {
                case "code":
                    return set(error.setCode(in.string()));
                case "detail":
                    return set(error.setDetail(in.string()));
                default:
                    return false;
            }
        });
        return error.build();
    }

    private static Close close(JsonReader in) throws IOException {
        Close.Builder close = Close.newBuilder();
        in.object(field -> {
            switch (field) {
                case "code":
                    return set(close.setCode(in.integer()));
                case "reason":
                    return set(close.setReason(in.string()));
                default:
                    return false;
            }
        });
        return close.build();
    }

    private static Accepted accepted(JsonReader in) throws IOException {
        Accepted.Builder accepted = Accepted.newBuilder();
        in.object(field -> {
            switch (field) {
                case "ref":
                    return set(accepted.setRef(in.string()));
                case "id":
                    return set(accepted.setId(in.id()));
                case "targeted":
                    return set(accepted.setTargeted(in.integer()));
                case "expiresAt":
                    return set(accepted.setExpiresAt(in.time()));
                case "replayed":
                    return set(accepted.setReplayed(in.bool()));
                default:
                    return false;
            }
        });
        return accepted.build();
    }

    private static Refused refused(JsonReader in) throws IOException {
        Refused.Builder refused = Refused.newBuilder();
        in.object(field -> {
            switch (field) {
                case "ref":
                    return set(refused.setRef(in.string()));
                case "status":
                    return set(refused.setStatus(in.integer()));
                case "code":
                    return set(refused.setCode(in.string()));
                case "detail":
                    return set(refused.setDetail(in.string()));
                case "field":
                    return set(refused.setField(in.string()));
                case "limit":
                    return set(refused.setLimit(in.integer()));
                case "retryAfterSeconds":
                    return set(refused.setRetryAfterSeconds(in.integer()));
                default:
                    return false;
            }
        });
        return refused.build();
    }

    static void write(ServerFrame frame, JsonGenerator out) throws IOException {
        if (frame.getFrameCase() == ServerFrame.FrameCase.FRAME_NOT_SET) {
            return;
        }
        out.writeObjectFieldStart(frame.getFrameCase().name().toLowerCase(Locale.ROOT));
        switch (frame.getFrameCase()) {
            case READY:
                writeReady(frame.getReady(), out);
                break;
            case PUSH:
                writePush(frame.getPush(), out);
                break;
            case ACKED:
                writeAcked(frame.getAcked(), out);
                break;
            case RECALL:
                out.writeStringField("id", Long.toString(frame.getRecall().getId()));
                break;
            case SETTLED:
                out.writeStringField("id", Long.toString(frame.getSettled().getId()));
                break;
            case PONG:
                out.writeStringField("serverTime", time(frame.getPong().getServerTime()));
                break;
            case GOAWAY:
                writeGoAway(frame.getGoaway(), out);
                break;
            case ERROR:
                out.writeStringField("code", frame.getError().getCode());
                out.writeStringField("detail", frame.getError().getDetail());
                break;
            case CLOSE:
                out.writeNumberField("code", frame.getClose().getCode());
                out.writeStringField("reason", frame.getClose().getReason());
                break;
            case ACCEPTED:
                writeAccepted(frame.getAccepted(), out);
                break;
            case REFUSED:
                writeRefused(frame.getRefused(), out);
                break;
            default:
                break;
        }
        out.writeEndObject();
    }

    private static void writeReady(Ready ready, JsonGenerator out) throws IOException {
        out.writeStringField("session", ready.getSession());
        out.writeNumberField("heartbeatSeconds", ready.getHeartbeatSeconds());
        out.writeStringField("serverTime", time(ready.getServerTime()));
        out.writeNumberField("inflightLimit", ready.getInflightLimit());
        out.writeStringField("epoch", ready.getEpoch());
        if (ready.hasToken()) {
            out.writeStringField("token", ready.getToken());
        }
    }

    private static void writePush(Push push, JsonGenerator out) throws IOException {
        out.writeStringField("id", Long.toString(push.getId()));
        if (push.hasNotification()) {
            writeNotification(push.getNotification(), out);
        }
        if (push.hasData()) {
            out.writeFieldName("data");
            out.writeRawValue(push.getData());
        }
        out.writeStringField("createdAt", time(push.getCreatedAt()));
        out.writeStringField("expiresAt", time(push.getExpiresAt()));
        if (push.getAttempt() > 1) {
            out.writeNumberField("attempt", push.getAttempt());
        }
        if (push.hasAck()) {
            out.writeBooleanField("ack", push.getAck());
        }
        if (push.getPriority() != 0) {
            out.writeNumberField("priority", push.getPriority());
        }
    }

    private static void writeNotification(Notification notification, JsonGenerator out)
            throws IOException {
        out.writeObjectFieldStart("notification");
        if (notification.hasTitle()) {
            out.writeStringField("title", notification.getTitle());
        }
        if (notification.hasBody()) {
            out.writeStringField("body", notification.getBody());
        }
        if (notification.hasUrl()) {
            out.writeStringField("url", notification.getUrl());
        }
        if (notification.hasExtras()) {
            out.writeFieldName("extras");
            out.writeRawValue(notification.getExtras());
        }
        out.writeEndObject();
    }

    private static void writeAcked(Acked acked, JsonGenerator out) throws IOException {
        out.writeArrayFieldStart("results");
        for (AckResult result : acked.getResultsList()) {
            out.writeStartObject();
            out.writeStringField("id", Long.toString(result.getId()));
            out.writeStringField("outcome", word(result.getOutcome()));
            out.writeEndObject();
        }
        out.writeEndArray();
    }

    private static void writeGoAway(GoAway goAway, JsonGenerator out) throws IOException {
        out.writeStringField("reason", goAway.getReason());
        out.writeNumberField("reconnectAfterMs", goAway.getReconnectAfterMs());
        out.writeNumberField("spreadMs", goAway.getSpreadMs());
        if (goAway.getGatewaysCount() > 0) {
            out.writeArrayFieldStart("gateways");
            for (String gateway : goAway.getGatewaysList()) {
                out.writeString(gateway);
            }
            out.writeEndArray();
        }
    }

    private static void writeAccepted(Accepted accepted, JsonGenerator out) throws IOException {
        out.writeStringField("ref", accepted.getRef());
        out.writeStringField("id", Long.toString(accepted.getId()));
        out.writeNumberField("targeted", accepted.getTargeted());
        out.writeStringField("expiresAt", time(accepted.getExpiresAt()));
        out.writeBooleanField("replayed", accepted.getReplayed());
    }

    private static void writeRefused(Refused refused, JsonGenerator out) throws IOException {
        out.writeStringField("ref", refused.getRef());
        out.writeNumberField("status", refused.getStatus());
        out.writeStringField("code", refused.getCode());
        out.writeStringField("detail", refused.getDetail());
        if (refused.hasField()) {
            out.writeStringField("field", refused.getField());
        }
        if (refused.hasLimit()) {
            out.writeNumberField("limit", refused.getLimit());
        }
        if (refused.hasRetryAfterSeconds()) {
            out.writeNumberField("retryAfterSeconds", refused.getRetryAfterSeconds());
        }
    }

    private static String time(long millis) {
        return Instant.ofEpochMilli(millis).toString();
    }
}
