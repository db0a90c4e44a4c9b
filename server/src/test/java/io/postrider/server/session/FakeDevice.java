package io.postrider.server.session;

import io.postrider.protocol.CloseCode;
import io.postrider.server.delivery.Message;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A device's end of the wire, in words: it has got what was flushed. */
final class FakeDevice implements Outbound {
    boolean writable = true;
    boolean paused;
    boolean failsToFlush;
    boolean failsToPush;
    boolean caughtUp;
    int flushes;

    /** After how many more pushes the socket is full. */
    int room = Integer.MAX_VALUE;

    @Nullable CloseCode closed;

    List<String> gateways = List.of();
    final List<Long> unanswered = new ArrayList<>();
    private final List<String> unflushed = new ArrayList<>();
    private final List<String> got = new ArrayList<>();

    /** What has come since the last call. */
    List<String> got() {
        List<String> now = List.copyOf(got);
        got.clear();
        return now;
    }

    @Override
    public boolean isWritable() {
        return writable && room > 0;
    }

    @Override
    public void push(Message message, int attempt) {
        if (failsToPush) {
            throw new AssertionError("an Error, on purpose");
        }
        room--;
        unflushed.add("push " + message.id() + (attempt == 1 ? "" : " attempt " + attempt));
    }

    @Override
    public void acked(List<Answer> answers) {
        answers.forEach(answer -> unflushed.add(answer.outcome() + " " + answer.messageId()));
    }

    @Override
    public void unanswered(long messageId) {
        unanswered.add(messageId);
    }

    @Override
    public void recall(long messageId) {
        unflushed.add("recall " + messageId);
    }

    @Override
    public void settled(long messageId) {
        unflushed.add("settled " + messageId);
    }

    @Override
    public void caughtUp() {
        caughtUp = true;
    }

    @Override
    public void goAway(
            String reason, int reconnectAfterMillis, int spreadMillis, List<String> gateways) {
        this.gateways = gateways;
        unflushed.add("goaway " + reason + " " + reconnectAfterMillis + " " + spreadMillis);
    }

    @Override
    public void flush() {
        if (failsToFlush) {
            throw new IllegalStateException("on purpose");
        }
        flushes++;
        got.addAll(unflushed);
        unflushed.clear();
    }

    @Override
    public void pauseReading(boolean pause) {
        paused = pause;
    }

    @Override
    public void close(CloseCode code) {
        closed = code;
    }
}
