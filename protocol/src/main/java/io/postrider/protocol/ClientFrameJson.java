package io.postrider.protocol;

import com.fasterxml.jackson.core.JsonGenerator;
import io.postrider.protocol.v1.Ack;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.Connect;
import io.postrider.protocol.v1.Opened;
import io.postrider.protocol.v1.Ping;
import io.postrider.protocol.v1.Pong;
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
                default:
                    return false;
            }
        });
        return connect.build();
    }

    private static boolean ids(JsonReader in, LongConsumer each) throws IOException {
        in.ids(each);
        return true;
    }

    static void write(ClientFrame frame, JsonGenerator out) throws IOException {
        switch (frame.getFrameCase()) {
            case CONNECT:
                out.writeObjectFieldStart("connect");
                out.writeStringField("token", frame.getConnect().getToken());
                out.writeStringField("sdk", frame.getConnect().getSdk());
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
            case FRAME_NOT_SET:
                break;
        }
    }

    private static void writeIds(List<Long> ids, JsonGenerator out) throws IOException {
        out.writeArrayFieldStart("ids");
        for (long id : ids) {
            out.writeString(Long.toString(id));
        }
        out.writeEndArray();
    }
}
