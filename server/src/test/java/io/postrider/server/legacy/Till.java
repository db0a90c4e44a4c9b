package io.postrider.server.legacy;

import static org.assertj.core.api.Assertions.assertThat;

import com.neovisionaries.ws.client.WebSocket;
import com.neovisionaries.ws.client.WebSocketAdapter;
import com.neovisionaries.ws.client.WebSocketException;
import com.neovisionaries.ws.client.WebSocketFactory;
import com.neovisionaries.ws.client.WebSocketFrame;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** A till as its Android app is: nv-websocket-client, and frames put together by hand. */
final class Till implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int PATIENCE_SECONDS = 10;
    private static final String CLOSED = "closed";

    private final BlockingQueue<String> frames = new LinkedBlockingQueue<>();
    private final WebSocket socket;
    private long seq;

    private Till(String url) {
        try {
            socket = new WebSocketFactory().setConnectionTimeout(5_000).createSocket(url);
            socket.setFrameQueueSize(5);
            socket.addListener(
                    new WebSocketAdapter() {
                        @Override
                        public void onTextMessage(WebSocket from, String text) {
                            frames.add(text);
                        }

                        @Override
                        public void onDisconnected(
                                WebSocket from,
                                @Nullable WebSocketFrame server,
                                @Nullable WebSocketFrame client,
                                boolean byServer) {
                            frames.add(CLOSED);
                        }
                    });
            socket.connect();
        } catch (IOException | WebSocketException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * @param url as the app server got it
     */
    static Till connect(String url, String deviceId) {
        return new Till(url + "&device_id=" + deviceId);
    }

    static Till connectTo(String url) {
        return new Till(url);
    }

    /** The next frame; fails after 10 seconds. */
    JsonNode read() {
        String frame = readText();
        assertThat(frame).isNotEqualTo(CLOSED);
        return JSON.readTree(frame);
    }

    private String readText() {
        try {
            String frame = frames.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
            assertThat(frame).as("a frame within 10 s").isNotNull();
            return String.valueOf(frame);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    void ping() {
        socket.sendPing();
    }

    void readClosed() {
        assertThat(readText()).isEqualTo(CLOSED);
    }

    /** A push of one action; its {@code resp}. */
    JsonNode read(String action) {
        JsonNode frame = read();
        assertThat(frame.path("resp_event").asInt()).as(frame.toString()).isEqualTo(20);
        assertThat(frame.path("action").asString()).isEqualTo(action);
        return frame.path("resp");
    }

    /** The order of a newMessage. */
    JsonNode readOrder() {
        JsonNode resp = read("newMessage");
        assertThat(resp.path("code").asInt(-9)).isZero();
        assertThat(resp.path("data_type").asInt(-9)).isZero();
        return resp.path("data");
    }

    /** The ids of an offLineMessage. */
    List<String> readOffline() {
        JsonNode resp = read("offLineMessage");
        assertThat(resp.path("data_type").asInt(-9)).isEqualTo(1);
        List<String> ids = new ArrayList<>();
        resp.path("data").forEach(order -> ids.add(order.path("message_id").asString()));
        return ids;
    }

    /** Sends a request; answers its {@code seq_id}. */
    long send(String action, int event, String req) {
        seq++;
        sendRaw(
                "{\"action\":\""
                        + action
                        + "\",\"req_event\":"
                        + event
                        + ",\"seq_id\":"
                        + seq
                        + (req.isEmpty() ? "" : ",\"req\":" + req)
                        + "}");
        return seq;
    }

    void sendRaw(String text) {
        socket.sendText(text);
    }

    /** Acknowledges, with the id as it stands in JSON; answers the {@code resp}. */
    JsonNode got(String messageIdJson) {
        return answerTo(send("gotMessage", 4, "{\"message_id\":" + messageIdJson + "}"));
    }

    /** The next frame, which must be the answer to a request. */
    JsonNode answerTo(long request) {
        JsonNode frame = read();
        assertThat(frame.path("resp_event").asInt()).as(frame.toString()).isEqualTo(10);
        assertThat(frame.path("seq_id").asString()).isEqualTo(Long.toString(request));
        return frame.path("resp");
    }

    /** Nothing has come but what was read: the answer to a heartbeat is next. */
    void hasNothingMore() {
        JsonNode answer = answerTo(send("heartbeat", 2, ""));
        assertThat(answer.path("code").asInt(-9)).isZero();
    }

    @Override
    public void close() {
        socket.disconnect();
    }
}
