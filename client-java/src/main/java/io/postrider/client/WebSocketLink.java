package io.postrider.client;

import com.google.protobuf.InvalidProtocolBufferException;
import io.postrider.protocol.JsonFrames;
import io.postrider.protocol.MalformedFrameException;
import io.postrider.protocol.Protocol;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.ServerFrame;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;
import okio.ByteString;
import org.jspecify.annotations.Nullable;

/** Frames over a WebSocket, as protobuf or JSON; OkHttp's dispatcher gives it its one thread. */
final class WebSocketLink extends WebSocketListener implements Link {
    private static final int NORMAL_CLOSE = 1000;
    private static final long FIRST_BEAT_MILLIS = 2_500;
    private static final long FINISH_MILLIS = 2_000;

    private final Gateway gateway;
    private final Events events;
    private final boolean json;
    private final OkHttpClient http;
    private final ScheduledExecutorService timers;
    private volatile @Nullable WebSocket socket;
    private volatile @Nullable String closedBecause;
    private @Nullable ScheduledFuture<?> beats;
    private boolean told;

    WebSocketLink(
            Gateway gateway,
            Events events,
            boolean json,
            OkHttpClient http,
            ScheduledExecutorService timers) {
        this.gateway = gateway;
        this.events = events;
        this.json = json;
        this.http = http;
        this.timers = timers;
    }

    @Override
    public void open() {
        Request request =
                new Request.Builder()
                        .url(gateway.address())
                        .header(
                                "Sec-WebSocket-Protocol",
                                json ? Protocol.JSON_SUBPROTOCOL : Protocol.PROTOBUF_SUBPROTOCOL)
                        .build();
        socket = http.newWebSocket(request, this);
    }

    @Override
    public void onOpen(WebSocket webSocket, Response response) {
        socket = webSocket;
        if (closedBecause != null) {
            webSocket.cancel();
            return;
        }
        beatEvery(FIRST_BEAT_MILLIS);
        events.opened(this);
    }

    @Override
    public void onMessage(WebSocket webSocket, String text) {
        try {
            take(JsonFrames.readServer(text.getBytes(StandardCharsets.UTF_8)));
        } catch (MalformedFrameException e) {
            close("the gateway sent no frame");
        }
    }

    @Override
    public void onMessage(WebSocket webSocket, ByteString bytes) {
        try {
            take(ServerFrame.parseFrom(bytes.toByteArray()));
        } catch (InvalidProtocolBufferException e) {
            close("the gateway sent no frame");
        }
    }

    private void take(ServerFrame frame) {
        events.received(this, frame);
        events.idle(this);
    }

    @Override
    public void onClosing(WebSocket webSocket, int code, String reason) {
        webSocket.close(NORMAL_CLOSE, null);
        ended(code, reason);
    }

    @Override
    public void onClosed(WebSocket webSocket, int code, String reason) {
        ended(code, reason);
    }

    @Override
    public void onFailure(WebSocket webSocket, Throwable failure, @Nullable Response response) {
        ended(
                0,
                response == null
                        ? String.valueOf(failure.getMessage())
                        : "HTTP " + response.code());
    }

    private void ended(int code, String reason) {
        ScheduledFuture<?> beating;
        synchronized (this) {
            if (told) {
                return;
            }
            told = true;
            beating = beats;
        }
        if (beating != null) {
            beating.cancel(false);
        }
        String own = closedBecause;
        events.closed(this, code, own == null ? reason : own);
    }

    @Override
    public void send(ClientFrame frame) {
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
    public synchronized void beatEvery(long millis) {
        if (beats != null) {
            beats.cancel(false);
        }
        if (!told) {
            beats =
                    timers.scheduleWithFixedDelay(
                            () -> events.beat(this), millis, millis, TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public void finish() {
        closedBecause = "closed by the caller";
        WebSocket open = socket;
        if (open != null) {
            open.close(NORMAL_CLOSE, null);
            timers.schedule(open::cancel, FINISH_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public void close(String reason) {
        closedBecause = reason;
        WebSocket open = socket;
        if (open != null) {
            open.cancel();
        }
    }
}
