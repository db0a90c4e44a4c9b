package io.postrider.protocol;

import com.fasterxml.jackson.core.JsonGenerator;
import io.postrider.protocol.v1.Ack;
import io.postrider.protocol.v1.AppCredentials;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.Connect;
import io.postrider.protocol.v1.Opened;
import io.postrider.protocol.v1.Ping;
import io.postrider.protocol.v1.Pong;
import io.postrider.protocol.v1.Publish;
import java.io.IOException;
import java.util.List;
import java.util.function.LongConsumer;

/** JSON of the frames that devices send. */
final class ClientFrameJson {
    private ClientFrameJson() {}

    static boolean read(String name, JsonReader in, ClientFrame.Builder frame) throws IOException {
        switch (name) {
            case "connect":
                frame.setConnect(connect(in));
                return true;
            case "ack":
                Ack.Builder ack = Ack.newBuilder();
                in.object(field -> field.equals("ids") && ids(in, ack::addIds));
                frame.setAck(ack);
                return true;
            case "opened":
                Opened.Builder opened = Opened.newBuilder();
                in.object(field -> field.equals("ids") && ids(in, opened::addIds));
                frame.setOpened(opened);
                return true;
            case "ping":
                in.object(field -> false);
                frame.setPing(Ping.getDefaultInstance());
                return true;
            case "pong":
                in.object(field -> false);
                frame.setPong(Pong.getDefaultInstance());
                return true;
            case "publish":
                frame.setPublish(publish(in));
                return true;
            default:
                return false;
        }
    }

    private static Connect connect(JsonReader in) throws IOException {
        Connect.Builder connect = Connect.newBuilder();
        in.object(field -> {
            switch (field) {
                case "token":
                    connect.setToken(in.string());
                    return true;
                case "sdk":
                    connect.setSdk(in.string());
                    return true;
                case "app":
                    connect.setApp(credentials(in));
                    return true;
                default:
                    return false;
            }
        });
        return connect.build();
    }

    private static AppCredentials credentials(JsonReader in) throws IOException {
        AppCredentials.Builder credentials = AppCredentials.newBuilder();
        in.object(field -> {
            switch (field) {
                case "appKey":
                    credentials.setAppKey(in.string());
                    return true;
                case "masterSecret":
                    credentials.setMasterSecret(in.string());
                    return true;
                default:
                    return false;
            }
        });
        return credentials.build();
    }

    private static Publish publish(JsonReader in) throws IOException {
        Publish.Builder publish = Publish.newBuilder();
        in.object(field -> {
            switch (field) {
                case "ref":
                    publish.setRef(in.string());
                    return true;
                case "idempotencyKey":
                    publish.setIdempotencyKey(in.string());
                    return true;
                case "message":
                    publish.setMessage(in.raw());
                    return true;
                default:
                    return false;
            }
        });
        return publish.build();
    }

    private static boolean ids(JsonReader in, LongConsumer each) throws IOException {
        in.ids(each);
        return true;
    }

    static void write(ClientFrame frame, JsonGenerator out) throws IOException {
        switch (frame.getFrameCase()) {
            case CONNECT:
                out.writeObjectFieldStart("connect");
                write(frame.getConnect(), out);
                out.writeEndObject();
                break;
            case ACK:
                out.writeObjectFieldStart("ack");
                writeIds(frame.getAck().getIdsList(), out);
                out.writeEndObject();
                break;
            case OPENED:
                out.writeObjectFieldStart("opened");
                writeIds(frame.getOpened().getIdsList(), out);
                out.writeEndObject();
                break;
            case PING:
                out.writeObjectFieldStart("ping");
                out.writeEndObject();
                break;
            case PONG:
                out.writeObjectFieldStart("pong");
                out.writeEndObject();
                break;
            case PUBLISH:
                out.writeObjectFieldStart("publish");
                write(frame.getPublish(), out);
                out.writeEndObject();
                break;
            case FRAME_NOT_SET:
                break;
        }
    }

    private static void write(Connect connect, JsonGenerator out) throws IOException {
        if (!connect.hasApp()) {
            out.writeStringField("token", connect.getToken());
        }
        out.writeStringField("sdk", connect.getSdk());
        if (connect.hasApp()) {
            out.writeObjectFieldStart("app");
            out.writeStringField("appKey", connect.getApp().getAppKey());
            out.writeStringField("masterSecret", connect.getApp().getMasterSecret());
            out.writeEndObject();
        }
    }

    private static void write(Publish publish, JsonGenerator out) throws IOException {
        out.writeStringField("ref", publish.getRef());
        if (publish.hasIdempotencyKey()) {
            out.writeStringField("idempotencyKey", publish.getIdempotencyKey());
        }
        out.writeFieldName("message");
        out.writeRawValue(publish.getMessage());
    }

    private static void writeIds(List<Long> ids, JsonGenerator out) throws IOException {
        out.writeArrayFieldStart("ids");
        for (long id : ids) {
            out.writeString(Long.toString(id));
        }
        out.writeEndArray();
    }
}
