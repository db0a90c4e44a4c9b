package io.postrider.server.gateway;

import io.postrider.protocol.CloseCode;
import io.postrider.protocol.v1.Publish;
import io.postrider.protocol.v1.ServerFrame;
import io.postrider.server.identity.App;
import java.util.ArrayList;
import java.util.List;

/**
 * One connection of an app's server, which publishes. Its publishes are handed on in the order in
 * which they came, by one virtual thread at a time, and answered as they are flushed. Confined to
 * its event loop.
 */
final class AppServer {
    /** So many may be unanswered before no more is read from the app server. */
    static final int MOST_UNANSWERED = 1_024;

    private final App app;
    private final GatewayLoop loop;
    private final Connection connection;
    private final Publishing publishing;
    private List<Publish> waiting = new ArrayList<>();
    private boolean handingOn;
    private boolean flushing;
    private int unanswered;
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
        connection.pauseReading(unanswered >= MOST_UNANSWERED);
        if (!handingOn) {
            handingOn = true;
            handOn();
        }
    }

    private void handOn() {
        List<Publish> batch = waiting;
        waiting = new ArrayList<>();
        Thread.startVirtualThread(() -> {
            for (Publish frame : batch) {
                publishing
                        .publish(app, frame)
                        .thenAccept(answer -> loop.eventLoop.execute(() -> answered(answer)));
            }
            loop.eventLoop.execute(this::handedOn);
        });
    }

    private void handedOn() {
        if (waiting.isEmpty()) {
            handingOn = false;
        } else {
            handOn();
        }
    }

    private void answered(ServerFrame answer) {
        unanswered--;
        connection.pauseReading(unanswered >= MOST_UNANSWERED);
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
        if (now - heardAt > silenceMillis) {
            connection.close(CloseCode.HEARTBEAT_MISSED);
        }
    }

    void credentialsVoid() {
        connection.close(CloseCode.CREDENTIALS_REFUSED);
    }
}
