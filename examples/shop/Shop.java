import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A shop's app server: lets tills in, and publishes a lunch hour of orders, of which any till's ack
 * settles each for the shop.
 *
 * <pre>
 * ./postrider serve
 * java examples/shop/Shop.java            # then open the two addresses that it prints
 * </pre>
 */
final class Shop {
    private static final String[] DISHES = {
        "2 beef noodles", "Dumplings, no chives", "Mapo tofu, extra hot", "Fried rice and a cola",
        "Hot and sour soup", "3 steamed buns", "Kung pao chicken", "Cold noodles, sesame"
    };

    private final HttpClient http = HttpClient.newHttpClient();
    private final String postrider;
    private String appKey = "";
    private String credentials = "";

    private Shop(String postrider) {
        this.postrider = postrider;
    }

    public static void main(String[] args) throws Exception {
        if (args.length > 1 || (args.length == 1 && !args[0].startsWith("http"))) {
            System.err.println("Usage: java Shop.java [http://127.0.0.1:8080]");
            System.exit(2);
        }
        Shop shop = new Shop(args.length == 1 ? args[0] : "http://127.0.0.1:8080");
        try {
            shop.open();
        } catch (IOException e) {
            System.err.println("No Postrider at " + shop.postrider + "; start it with ./postrider serve");
            System.exit(1);
        }
    }

    private void open() throws IOException, InterruptedException {
        HttpServer pages = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        String here = "http://127.0.0.1:" + pages.getAddress().getPort();
        createApp(here);
        Path page = Path.of(System.getProperty("shop.page", "examples/shop/till.html"));
        CountDownLatch firstTill = new CountDownLatch(1);
        pages.createContext("/", exchange -> answer(exchange, "text/html", Files.readAllBytes(page)));
        pages.createContext("/register", exchange -> {
            answer(exchange, "application/json", register(exchange.getRequestURI().getQuery()));
            firstTill.countDown();
        });
        pages.start();
        System.out.println("Till 1: " + here + "/?till=till-1");
        System.out.println("Till 2: " + here + "/?till=till-2");
        System.out.println("The lunch hour begins when a till is there.");
        firstTill.await();
        Random random = new Random();
        for (int order = 1; order <= 60; order++) {
            String dish = DISHES[random.nextInt(DISHES.length)];
            while (!publish(order, dish)) {
                TimeUnit.SECONDS.sleep(1);
            }
            TimeUnit.MILLISECONDS.sleep(1_000 + random.nextInt(4_000));
        }
        pages.stop(0);
    }

    private static void answer(HttpExchange exchange, String type, byte[] body) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", type + "; charset=utf-8");
        exchange.sendResponseHeaders(200, body.length);
        try (exchange) {
            exchange.getResponseBody().write(body);
        }
    }

    /** A developer and an app of our own; pages from here may be devices of it. */
    private void createApp(String here) throws IOException, InterruptedException {
        String developer =
                "{\"name\":\"shop-" + System.nanoTime() + "\",\"password\":\"noodles at noon\"}";
        call("POST", "/v1/developers", "", developer);
        String bearer = "Bearer " + text(call("POST", "/v1/logins", "", developer), "token");
        String app = call("POST", "/v1/apps", bearer, "{\"name\":\"shop\"}");
        appKey = text(app, "appKey");
        credentials =
                "Basic "
                        + Base64.getEncoder()
                                .encodeToString(
                                        (appKey + ":" + text(app, "masterSecret"))
                                                .getBytes(StandardCharsets.UTF_8));
        call("PATCH", "/v1/apps/" + text(app, "id"), bearer, "{\"allowedOrigins\":[\"" + here + "\"]}");
    }

    /** The app server says which devices are tills of the shop; the page gets a device token. */
    private byte[] register(String query) throws IOException {
        String till = query == null ? "" : query.replaceAll("[^a-z0-9=-]", "").replace("till=", "");
        till = till.isEmpty() ? "till-1" : till;
        try {
            String registered =
                    call(
                            "POST",
                            "/v1/devices",
                            credentials,
                            "{\"appKey\":\"" + appKey + "\",\"platform\":\"web\",\"deviceId\":\""
                                    + till + "\"}");
            String member = URLEncoder.encode(till, StandardCharsets.UTF_8);
            call("PUT", "/v1/groups/noodle-house/members/" + member, credentials, "");
            return registered.getBytes(StandardCharsets.UTF_8);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    /** False if Postrider cannot take it now; its idempotency key makes it safe to try again. */
    private boolean publish(int order, String dish) throws InterruptedException {
        String body =
                "{\"audience\":{\"groups\":[\"noodle-house\"]},"
                        + "\"notification\":{\"title\":\"Order " + order
                        + "\",\"body\":\"" + dish + "\"},"
                        + "\"options\":{\"delivery\":\"any\",\"ttlSeconds\":300}}";
        try {
            String id =
                    text(
                            call(
                                    "POST",
                                    "/v1/messages",
                                    credentials,
                                    body,
                                    "Idempotency-Key",
                                    "order-" + order),
                            "id");
            System.out.println("Order " + order + ": " + dish + " (message " + id + ")");
            return true;
        } catch (IOException e) {
            System.out.println("Order " + order + " waits: " + e);
            return false;
        }
    }

    private String call(
            String method, String path, String authorization, String body, String... headers)
            throws IOException, InterruptedException {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(postrider + path))
                        .header("Content-Type", "application/json")
                        .method(method, BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        if (!authorization.isEmpty()) {
            request.header("Authorization", authorization);
        }
        var answer = http.send(request.build(), BodyHandlers.ofString());
        if (answer.statusCode() == 429 || answer.statusCode() >= 500) {
            throw new IOException(path + " answered " + answer.statusCode());
        }
        if (answer.statusCode() >= 400) {
            throw new IllegalStateException(path + " answered " + answer.body());
        }
        return answer.body();
    }

    /** A string in flat JSON; an app server of yours has a library for it. */
    private static String text(String json, String field) {
        Matcher found = Pattern.compile("\"" + field + "\":\"([^\"]*)\"").matcher(json);
        if (!found.find()) {
            throw new IllegalStateException("no " + field + " in " + json);
        }
        return found.group(1);
    }
}
