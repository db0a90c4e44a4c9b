package io.postrider.server.legacy;

import io.postrider.protocol.CloseCode;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.Message;
import io.postrider.server.gateway.Socket;
import io.postrider.server.gateway.WebSocketPath.Speaker;
import io.postrider.server.identity.TillStore.Till;
import io.postrider.server.legacy.TillFrames.Request;
import io.postrider.server.session.Outbound;
import io.postrider.server.session.Session;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A till of twebsocketpush: its frames in the words of a session, and the other way round. Confined
 * to its event loop.
 */
final class TillConnection implements Speaker, Outbound {
    private static final String AUTH_EXCEPTION = "authException";
    private static final String PARAM_EXCEPTION = "paramException";

    /** RFC 6455, 7.4.1. */
    private static final int POLICY_VIOLATION = 1008;

    private static final int MOST_DEVICE_ID = 128;
    private static final int MOST_UNANSWERED = 4_096;

    private final TillSockets tills;
    private final Socket socket;
    private final String token;
    private final String deviceId;
    private @Nullable Session session;
    private long until;

    /** What was pending when it connected goes in one frame; null when that has been sent. */
    private @Nullable List<Message> offline = new ArrayList<>();

    private final ArrayDeque<Unanswered> unanswered = new ArrayDeque<>();

    private record Unanswered(long messageId, Request request) {}

    TillConnection(TillSockets tills, Socket socket, String token, String deviceId) {
        this.tills = tills;
        this.socket = socket;
        this.token = token;
        this.deviceId = deviceId;
    }

    @Override
    public void opened() {
        if (token.isEmpty() || !isName(deviceId)) {
            refuse(PARAM_EXCEPTION, "token and device_id are required");
        } else {
            // What a till says is heard when it has been sent what it missed.
            socket.pauseReading(true);
            tills.admit(
                    socket, token, deviceId, this::admitted, () -> close(CloseCode.INTERNAL_ERROR));
        }
    }

    private static boolean isName(String text) {
        return !text.isBlank()
                && text.length() <= MOST_DEVICE_ID
                && text.chars().noneMatch(Character::isISOControl);
    }

    private void admitted(Optional<Till> admitted) {
        if (socket.isClosing()) {
            return;
        }
        if (admitted.isEmpty()) {
            refuse(AUTH_EXCEPTION, "the token is not valid for this device_id");
            return;
        }
        Till till = admitted.get();
        until = till.until();
        session = socket.open(till.appId(), till.number(), till.tokenGeneration(), this);
        if (session == null) {
            close(CloseCode.QUOTA_EXCEEDED);
        }
    }

    @Override
    public void alive() {
        if (session != null) {
            session.heard();
            refuseIfExpired();
        }
    }

    @Override
    public void heard(String text) {
        Optional<Request> request = TillFrames.read(text);
        if (request.isEmpty()) {
            refuse(PARAM_EXCEPTION, "not a frame: JSON with an action");
        } else if (session != null && !refuseIfExpired()) {
            handle(session, request.get());
        }
    }

    private boolean refuseIfExpired() {
        boolean expired = tills.now() >= until;
        if (expired) {
            refuse(AUTH_EXCEPTION, "the token has expired");
        }
        return expired;
    }

    private void handle(Session open, Request request) {
        switch (request.action()) {
            case "login", "heartbeat", "sync" -> answer(request, true, "success");
            case "gotMessage" -> got(open, request);
            default -> answer(request, false, "unknown action");
        }
    }

    private void got(Session open, Request request) {
        long id = TillFrames.messageId(request.body());
        if (id == 0) {
            answer(request, false, "message_id is none");
            return;
        }
        if (unanswered.size() == MOST_UNANSWERED) {
            unanswered.remove();
        }
        unanswered.add(new Unanswered(id, request));
        open.acknowledge(List.of(id), false);
    }

    private void answer(Request request, boolean done, String msg) {
        write(TillFrames.answer(request.action(), request.seqId(), done, msg));
        socket.flush();
    }

    private void refuse(String action, String msg) {
        if (!socket.isClosing()) {
            write(TillFrames.refusal(action, msg));
            socket.close(POLICY_VIOLATION, action);
        }
    }

    private void write(String json) {
        socket.writeText(json);
    }

    @Override
    public void writabilityChanged() {
        if (session != null) {
            session.writabilityChanged();
        }
    }

    @Override
    public void closed() {
        if (session != null) {
            session.disconnected();
        }
    }

    @Override
    public boolean isWritable() {
        return socket.isWritable();
    }

    @Override
    public void push(Message message, int attempt) {
        if (offline == null) {
            write(TillFrames.newMessage(message));
        } else {
            offline.add(message);
        }
    }

    @Override
    public void caughtUp() {
        sendOffline();
        offline = null;
        socket.pauseReading(false);
    }

    private void sendOffline() {
        if (offline != null && !offline.isEmpty()) {
            write(TillFrames.offLineMessage(offline));
            offline = new ArrayList<>();
            socket.pauseReading(false);
        }
    }

    @Override
    public void acked(List<Answer> answers) {
        for (Answer answer : answers) {
            String msg = answer.outcome().name().toLowerCase(Locale.ROOT);
            answerAck(answer.messageId(), answer.outcome() != AckOutcome.UNKNOWN, msg);
        }
    }

    @Override
    public void unanswered(long messageId) {
        answerAck(messageId, false, "the store cannot take it now, send it again");
        socket.flush();
    }

    private void answerAck(long messageId, boolean done, String msg) {
        for (Iterator<Unanswered> i = unanswered.iterator(); i.hasNext(); ) {
            Unanswered waiting = i.next();
            if (waiting.messageId == messageId) {
                i.remove();
                write(
                        TillFrames.answer(
                                waiting.request.action(), waiting.request.seqId(), done, msg));
                return;
            }
        }
    }

    /** A till has no word for it: what it shows it goes on showing. */
    @Override
    public void recall(long messageId) {}

    /** As {@link #recall}. */
    @Override
    public void settled(long messageId) {}

    /** A till has no word for it: it comes back when it is closed. */
    @Override
    public void goAway(
            String reason, int reconnectAfterMillis, int spreadMillis, List<String> gateways) {}

    /** A page of what was pending that filled the window goes by itself. */
    @Override
    public void flush() {
        sendOffline();
        socket.flush();
    }

    @Override
    public void pauseReading(boolean paused) {
        socket.pauseReading(paused);
    }

    @Override
    public void close(CloseCode code) {
        if (code == CloseCode.TOKEN_REFUSED) {
            refuse(AUTH_EXCEPTION, "the token is not valid any more");
        } else {
            socket.close(code.number(), code.reason());
        }
    }
}
