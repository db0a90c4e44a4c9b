package io.postrider.client;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.Credentials;
import org.jspecify.annotations.Nullable;

/**
 * Publishes over REST. What fails without a clear answer is sent again under the same idempotency
 * key, at the next node if there are several, so it cannot be published twice. Thread-safe.
 */
public final class Publisher {
    private static final int DEFAULT_ATTEMPTS = 6;
    private static final long MOST_WAIT_SECONDS = 60;

    private final List<Rest> nodes;
    private final String authorization;
    private final int attempts;

    /** Which of the nodes answered last. */
    private final AtomicInteger at = new AtomicInteger();

    /**
     * @param server such as {@code http://127.0.0.1:8080}
     */
    public static Publisher of(String server, String appKey, String masterSecret) {
        return new Publisher(
                Collections.singletonList(new Rest(Threads.shared(), server)),
                Credentials.basic(appKey, masterSecret),
                DEFAULT_ATTEMPTS);
    }

    /** A publisher like this one that goes on at other nodes of the cluster when one is gone. */
    public Publisher orAt(String... servers) {
        List<Rest> all = new ArrayList<>(nodes);
        for (String server : servers) {
            all.add(nodes.get(0).at(server));
        }
        return new Publisher(all, authorization, attempts);
    }

    /** A publisher like this one with other threads, or another trust. */
    public Publisher using(Threads threads) {
        List<Rest> all = new ArrayList<>();
        nodes.forEach(node -> all.add(node.using(threads)));
        return new Publisher(all, authorization, attempts);
    }

    /** A publisher like this one that tries so often; waits double from about half a second. */
    public Publisher withAttempts(int most) {
        return new Publisher(nodes, authorization, most);
    }

    private Publisher(List<Rest> nodes, String authorization, int attempts) {
        this.nodes = nodes;
        this.authorization = authorization;
        this.attempts = attempts;
    }

    /**
     * Publishes, and blocks until the server has stored the message.
     *
     * @throws PostriderException if the server refused it for good, or gave no clear answer to any
     *     attempt; {@link PostriderException#certainlyRefused} tells which
     * @throws InterruptedException while waiting for the next attempt
     */
    public Published publish(PublishRequest request) throws IOException, InterruptedException {
        String body = request.json();
        Map<String, String> headers =
                Collections.singletonMap("Idempotency-Key", request.idempotencyKey());
        Backoff backoff = Backoff.random();
        IOException last = null;
        for (int attempt = 1; attempt <= attempts; attempt++) {
            long wait = backoff.nextMillis();
            int node = at.get();
            try {
                Rest.Answer answer =
                        nodes.get(node).post("/v1/messages", authorization, headers, body);
                if (answer.status == 202) {
                    return published(answer);
                }
                last = answer.refusal();
                if (answer.status != 429 && answer.status < 500) {
                    throw last;
                }
                wait = Math.max(wait, retryAfterMillis(answer));
            } catch (PostriderException e) {
                if (e.certainlyRefused() && e.status() != 429) {
                    throw e;
                }
                last = e;
            } catch (IOException e) {
                last = e;
            }
            if (!isBusy(last)) {
                at.compareAndSet(node, (node + 1) % nodes.size());
            }
            if (attempt < attempts) {
                Thread.sleep(wait);
            }
        }
        if (last instanceof PostriderException) {
            throw last;
        }
        throw new PostriderException(
                0, null, "no answer to " + attempts + " attempts: " + messageOf(last));
    }

    /** It answers, and asks for patience. */
    private static boolean isBusy(@Nullable IOException failure) {
        return failure instanceof PostriderException
                && ((PostriderException) failure).status() == 429;
    }

    private static String messageOf(@Nullable Throwable failure) {
        return failure == null ? "" : String.valueOf(failure.getMessage());
    }

    private static long retryAfterMillis(Rest.Answer answer) {
        String seconds = answer.retryAfter;
        if (seconds == null || !seconds.matches("\\d{1,9}")) {
            return 0;
        }
        return 1_000 * Math.min(MOST_WAIT_SECONDS, Long.parseLong(seconds));
    }

    private static Published published(Rest.Answer answer) throws PostriderException {
        return new Published(
                Long.parseLong(answer.field("id")),
                Integer.parseInt(answer.field("targeted")),
                Instant.parse(answer.field("expiresAt")),
                Boolean.parseBoolean(answer.field("replayed")));
    }
}
