package io.postrider.client.testing;

import com.google.protobuf.InvalidProtocolBufferException;
import io.postrider.protocol.JsonFrames;
import io.postrider.protocol.MalformedFrameException;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.ServerFrame;
import java.nio.charset.StandardCharsets;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;
import okio.ByteString;
import org.jspecify.annotations.Nullable;

/** One connection of a device over a WebSocket. */
final class FakeWebSocket extends WebSocketListener implements FakeConnection {
    private static final int PROTOCOL_ERROR = 1002;

    private final FakeServer server;
    private final boolean json;
    private volatile @Nullable WebSocket socket;

    FakeWebSocket(FakeServer server, boolean json) {
        this.server = server;
        this.json = json;
    }

    @Override
    public void onOpen(WebSocket webSocket, Response response) {
        socket = webSocket;
    }

    @Override
    public void onMessage(WebSocket webSocket, String text) {
        try {
            server.received(this, JsonFrames.readClient(text.getBytes(StandardCharsets.UTF_8)));
        } catch (MalformedFrameException e) {
            webSocket.close(PROTOCOL_ERROR, e.getMessage());
        }
    }

    @Override
    public void onMessage(WebSocket webSocket, ByteString bytes) {
        try {
            server.received(this, ClientFrame.parseFrom(bytes.toByteArray()));
        } catch (InvalidProtocolBufferException e) {
            webSocket.close(PROTOCOL_ERROR, e.getMessage());
        }
    }

    @Override
    public void onClosing(WebSocket webSocket, int code, String reason) {
        webSocket.close(code, reason);
        server.lost(this);
    }

    @Override
    public void onFailure(WebSocket webSocket, Throwable failure, @Nullable Response response) {
        server.lost(this);
    }

    @Override
    public void send(ServerFrame frame) {
        WebSocket open = socket;
        if (open == null) {
            return;
        }
        if (json) {
            open.send(new String(JsonFrames.write(frame), StandardCharsets.UTF_8));
        } else {
            open.send(ByteString.of(frame.toByteArray()));
        }
    }

    @Override
    public void close(int code, String reason) {
        WebSocket open = socket;
        if (open != null) {
            open.close(code, reason);
        }
    }
}
