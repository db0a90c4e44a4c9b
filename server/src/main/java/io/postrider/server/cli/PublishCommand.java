package io.postrider.server.cli;

import io.postrider.client.PostriderException;
import io.postrider.client.PublishRequest;
import io.postrider.client.Published;
import io.postrider.client.Publisher;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** The verb {@code publish}. */
@Command(
        name = "publish",
        mixinStandardHelpOptions = true,
        description = {
            "Sends a notification to the devices of the app that `app create` made, and waits until"
                    + " those that are connected have said that they have it."
        })
public final class PublishCommand implements Callable<Integer> {
    private static final int PATIENCE_MILLIS = 3_000;
    private static final int LOOK_MILLIS = 5;

    private final PrintStream out;

    @Parameters(paramLabel = "TEXT", description = "What the notification says.")
    private String text = "";

    @Option(
            names = "--tag",
            paramLabel = "TAG",
            description = "Only to devices with one of these tags; repeatable.")
    private String[] tags = new String[0];

    public PublishCommand(PrintStream out) {
        this.out = out;
    }

    @Override
    public Integer call() throws InterruptedException {
        Credentials credentials = Credentials.load();
        PublishRequest request =
                tags.length == 0 ? PublishRequest.toAll() : PublishRequest.toTags(tags);
        Published published;
        try {
            published =
                    Publisher.of(credentials.server(), credentials.appKey(), credentials.secret())
                            .withAttempts(2)
                            .publish(request.body(text));
        } catch (IOException e) {
            boolean refused = e instanceof PostriderException refusal && refusal.status() != 401;
            throw new CliException(
                    refused
                            ? String.valueOf(e.getMessage())
                            : e.getMessage()
                                    + " Does the node run (./postrider serve), and was the app"
                                    + " made on it (./postrider app create NAME)?");
        }
        out.println(published.targeted() + " targeted, " + outcome(credentials, published));
        out.println("The same by curl:");
        out.println(
                "  curl -K "
                        + Credentials.curlFile()
                        + " -H 'Content-Type: application/json' -d '"
                        + body().replace("'", "'\\''")
                        + "' "
                        + credentials.server()
                        + "/v1/messages");
        return 0;
    }

    private String body() {
        Object audience = tags.length == 0 ? "all" : Map.of("tags", tags);
        return new ObjectMapper()
                .writeValueAsString(
                        new TreeMap<>(
                                Map.of(
                                        "audience",
                                        audience,
                                        "notification",
                                        Map.of("body", text))));
    }

    /** How many have it, once all do or the patience is at its end, and by when they did. */
    private static String outcome(Credentials credentials, Published published)
            throws InterruptedException {
        RestCalls rest = new RestCalls(credentials.server());
        String app = RestCalls.basic(credentials.appKey(), credentials.secret());
        String path = "/v1/messages/" + published.id();
        long deadline = System.nanoTime() + PATIENCE_MILLIS * 1_000_000L;
        JsonNode message = rest.call("GET", path, app, null);
        while (message.path("counts").path("pending").asInt() > 0 && System.nanoTime() < deadline) {
            Thread.sleep(LOOK_MILLIS);
            message = rest.call("GET", path, app, null);
        }
        int delivered = message.path("counts").path("delivered").asInt();
        if (delivered == 0) {
            return "0 delivered so far";
        }
        Instant accepted = Instant.parse(message.path("createdAt").asString());
        Instant last = accepted;
        for (JsonNode device :
                rest.call("GET", path + "/devices?state=delivered&limit=500", app, null)
                        .path("items")) {
            Instant at = Instant.parse(device.path("at").asString());
            last = at.isAfter(last) ? at : last;
        }
        return delivered + " delivered in " + Duration.between(accepted, last).toMillis() + " ms";
    }
}
