package io.postrider.server.api;

import io.postrider.server.clock.Clock;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.server.ConnectionMetaData;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * How long a client may take in all, however it dribbles: 10 seconds from the first byte of a
 * request (or from connecting) to the end of its headers, 60 seconds from there to the last byte of
 * the answer. Whoever takes longer is cut off.
 */
final class Deadlines extends Handler.Wrapper implements Connection.Listener {
    private static final long HEAD_MILLIS = 10_000;
    private static final long EXCHANGE_MILLIS = 60_000;
    private static final long NOT_BEGUN = Long.MAX_VALUE;

    private final Clock clock;
    private final Map<Connection, Progress> open = new ConcurrentHashMap<>();

    Deadlines(Clock clock) {
        this.clock = clock;
    }

    private static final class Progress {
        volatile boolean inExchange;
        volatile long since;
        volatile long bytesBefore;

        Progress(long since) {
            this.since = since;
        }
    }

    @Override
    public void onOpened(Connection connection) {
        if (connection instanceof ConnectionMetaData) {
            open.put(connection, new Progress(clock.ticks()));
        }
    }

    @Override
    public void onClosed(Connection connection) {
        open.remove(connection);
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
        Connection connection = request.getConnectionMetaData().getConnection();
        Progress progress = open.get(connection);
        if (progress != null) {
            progress.inExchange = true;
            progress.since = clock.ticks();
            Request.addCompletionListener(
                    request,
                    failure -> {
                        progress.bytesBefore = connection.getBytesIn();
                        progress.since = NOT_BEGUN;
                        progress.inExchange = false;
                    });
        }
        return super.handle(request, response, callback);
    }

    /** To be called about once a second. */
    void cutOffLate() {
        long now = clock.ticks();
        open.forEach((connection, progress) -> {
            if (!progress.inExchange
                    && progress.since == NOT_BEGUN
                    && connection.getBytesIn() > progress.bytesBefore) {
                progress.since = now;
            }
            long most = progress.inExchange ? EXCHANGE_MILLIS : HEAD_MILLIS;
            if (progress.since != NOT_BEGUN && now - progress.since > most) {
                open.remove(connection);
                connection.getEndPoint().close();
            }
        });
    }
}
