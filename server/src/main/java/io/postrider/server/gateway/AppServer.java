package io.postrider.server.gateway;

import io.postrider.protocol.CloseCode;
import io.postrider.protocol.v1.Publish;
import io.postrider.protocol.v1.ServerFrame;
import io.postrider.server.identity.App;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One connection of an app's server, which publishes. Its publishes are handed on in the order in
 * which they came, by one virtual thread at a time, and answered as they are flushed. Confined to
 * its event loop.
 */
final class AppServer {
    /** So many may be unanswered before no more is read from the app server. */
    static final int MOST_UNANSWERED = 1_024;

    /** So much may be, which is all that one connection makes the server hold. */
    private static final int MOST_BYTES = 1 << 20;

    private final App app;
    private final GatewayLoop loop;
    private final Connection connection;
    private final Publishing publishing;
    private List<Publish> waiting = new ArrayList<>();
    private @Nullable Runnable leaving;

    /** Nothing more is read from it. */
    private boolean left;

    private boolean handingOn;
    private boolean flushing;
    private int unanswered;
    private int unansweredBytes;
    private volatile boolean ended;
    private long heardAt;

    AppServer(App app, GatewayLoop loop, Connection connection, Publishing publishing, long now) {
        this.app = app;
        this.loop = loop;
        this.connection = connection;
        this.publishing = publishing;
        this.heardAt = now;
    }

    long appId() {
        return app.id();
    }

    void heard(long now) {
        heardAt = now;
    }

    void publish(Publish frame) {
        waiting.add(frame);
        unanswered++;
        unansweredBytes += frame.getSerializedSize();
        connection.pauseReading(left || isFull());
        if (!handingOn) {
            handingOn = true;
            handOn();
        }
    }

    private boolean isFull() {
        return unanswered >= MOST_UNANSWERED || unansweredBytes >= MOST_BYTES;
    }

    private void handOn() {
        List<Publish> batch = waiting;
        waiting = new ArrayList<>();
        Thread.startVirtualThread(() -> {
            for (Publish frame : batch) {
                if (ended) {
                    break;
                }
                publishing
                        .publish(app, frame)
                        .thenAccept(
                                answer -> loop.eventLoop.execute(() -> answered(frame, answer)));
            }
            loop.eventLoop.execute(this::handedOn);
        });
    }

    private void handedOn() {
        if (waiting.isEmpty() || ended) {
            handingOn = false;
        } else {
            handOn();
        }
    }

    private void answered(Publish frame, ServerFrame answer) {
        boolean wasFull = isFull();
        unanswered--;
        unansweredBytes -= frame.getSerializedSize();
        connection.pauseReading(left || isFull());
        if (wasFull && !isFull()) {
            // It could not be heard while it was not read.
            heardAt = loop.now();
        }
        if (leaving != null && unanswered == 0) {
            leaving.run();
            leaving = null;
        }
        connection.write(answer);
        if (!flushing) {
            flushing = true;
            loop.eventLoop.execute(() -> {
                flushing = false;
                connection.flush();
            });
        }
    }

    /** Closes the connection where its time is up. */
    void tick(long now, long silenceMillis) {
        if (!isFull() && now - heardAt > silenceMillis) {
            connection.close(CloseCode.HEARTBEAT_MISSED);
        }
    }

    /** Its credentials are void: what has not been handed on by now is not published. */
    void credentialsVoid() {
        ended();
        connection.close(CloseCode.CREDENTIALS_REFUSED);
    }

    /** The connection is gone. */
    void ended() {
        ended = true;
        waiting.clear();
        if (leaving != null) {
            leaving.run();
            leaving = null;
        }
    }

    /** Asks it to come back later; runs the signal once nothing of it is unanswered. */
    void leave(
            int reconnectAfterMillis, int spreadMillis, List<String> gateways, Runnable whenIdle) {
        connection.goAway("shutdown", reconnectAfterMillis, spreadMillis, gateways);
        connection.flush();
        left = true;
        connection.pauseReading(true);
        if (unanswered == 0) {
            whenIdle.run();
        } else {
            leaving = whenIdle;
        }
    }

    void close(CloseCode code) {
        connection.close(code);
    }
}
