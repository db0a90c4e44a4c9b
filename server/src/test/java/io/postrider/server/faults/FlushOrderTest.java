package io.postrider.server.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.neovisionaries.ws.client.WebSocket;
import com.neovisionaries.ws.client.WebSocketAdapter;
import com.neovisionaries.ws.client.WebSocketFactory;
import io.postrider.protocol.Protocol;
import io.postrider.server.CrashingNode;
import io.postrider.server.TestApi;
import io.postrider.server.TestApi.AppHandle;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the system sees: between what is asked and its answer there is a flush that has ended (G1).
 * One thing is asked at a time, so that each answer has a flush of its own.
 */
class FlushOrderTest {
    private static final int MESSAGES = 10;

    @TempDir Path folder;

    private final LinkedBlockingQueue<String> texts = new LinkedBlockingQueue<>();

    private Path run(String point) throws Exception {
        Tools.need("strace");
        Path log = folder.resolve("strace-" + point);
        List<String> strace =
                List.of(
                        "strace",
                        "-f",
                        "-qq",
                        "-y",
                        "-s",
                        "64",
                        "-e",
                        "trace=fsync,fdatasync,write,writev,sendto,sendmsg",
                        "-o",
                        log.toString());
        try (CrashingNode node = new CrashingNode(folder.resolve(point), Map.of(), strace)) {
            node.start(point, 1);
            AppHandle app = new TestApi(node.http()).newApp();
            String token = app.register("d");
            WebSocket device =
                    new WebSocketFactory()
                            .createSocket("ws" + node.tcp().substring(3) + Protocol.WEBSOCKET_PATH)
                            .addProtocol(Protocol.JSON_SUBPROTOCOL)
                            .addListener(
                                    new WebSocketAdapter() {
                                        @Override
                                        public void onTextMessage(WebSocket from, String text) {
                                            texts.add(text);
                                        }
                                    })
                            .connect();
            device.sendText("{\"connect\":{\"token\":\"" + token + "\"}}");
            awaitText("{\"ready\"");
            for (int i = 0; i < MESSAGES; i++) {
                String id = app.publish("{\"devices\":[\"d\"]}");
                awaitText("{\"push\"");
                device.sendText("{\"ack\":{\"ids\":[\"" + id + "\"]}}");
                awaitText("{\"acked\"");
            }
            device.disconnect();
        }
        return log;
    }

    private void awaitText(String beginning) throws InterruptedException {
        String text = texts.poll(30, TimeUnit.SECONDS);
        assertThat(text).startsWith(beginning);
    }

    /** How many answers came without a flush of the log that had ended since the one before. */
    private static int unflushedAnswers(Path strace) throws IOException {
        int unflushed = 0;
        int answers = 0;
        boolean flushed = false;
        for (String line : Files.readAllLines(strace, StandardCharsets.ISO_8859_1)) {
            boolean flush = line.contains("fsync") || line.contains("fdatasync");
            if (flush
                    && line.contains("= 0")
                    && (line.contains(".db-wal") || line.contains("resumed"))) {
                flushed = true;
            }
            boolean accepted = line.contains("HTTP/1.1 202");
            boolean acked = line.contains("{\\\"acked\\\"");
            if (accepted || acked) {
                answers++;
                unflushed += flushed ? 0 : 1;
                flushed = false;
            }
        }
        assertThat(answers).isEqualTo(2 * MESSAGES);
        return unflushed;
    }

    @Test
    void g1NoAnswerIsWrittenBeforeTheFlushThatCoversIt() throws Exception {
        assertThat(unflushedAnswers(run("never"))).isZero();
    }

    /** Without this, the test above would prove nothing. */
    @Test
    void g1TheOrderIsSeenToBeBrokenWhereCommitsAreNotFlushed() throws Exception {
        assertThat(unflushedAnswers(run("unflushed"))).isPositive();
    }
}
