package io.postrider.server.cli;

import java.io.PrintStream;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** The verb {@code app}. */
@Command(
        name = "app",
        mixinStandardHelpOptions = true,
        description = "Makes apps on a running node.",
        synopsisSubcommandLabel = "create NAME")
public final class AppCommand {
    private static final String DEFAULT_SERVER = "http://127.0.0.1:8080";

    private final PrintStream out;

    public AppCommand(PrintStream out) {
        this.out = out;
    }

    @Command(
            name = "create",
            mixinStandardHelpOptions = true,
            description = {
                "Makes an app, and a developer for it the first time. What listen and publish need is"
                        + " kept in a file for you only."
            })
    int create(
            @Parameters(paramLabel = "NAME", description = "The app's name.") String name,
            @Option(
                            names = "--server",
                            paramLabel = "URL",
                            description =
                                    "The node's REST address; " + DEFAULT_SERVER + " at first.")
                    @Nullable String server,
            @Option(
                            names = "--code",
                            paramLabel = "CODE",
                            description =
                                    "The code that a node which others reach printed when it"
                                            + " started; its first developer needs it.")
                    @Nullable String code) {
        Credentials known = Credentials.exist() ? Credentials.load() : null;
        String address = server != null ? server : known != null ? known.server() : DEFAULT_SERVER;
        RestCalls rest = new RestCalls(address);
        Credentials developer =
                known != null && known.server().equals(address) && canLogIn(rest, known)
                        ? known
                        : signUp(rest, address, code);
        if (known != null && !developer.equals(known)) {
            out.println("what was kept before is in " + Credentials.keepOld());
        }
        JsonNode app = rest.call("POST", "/v1/apps", logIn(rest, developer), Map.of("name", name));
        new Credentials(
                        address,
                        developer.developer(),
                        developer.password(),
                        name,
                        app.path("appKey").asString(),
                        app.path("masterSecret").asString())
                .save();
        out.println("app " + name + " created; listen and publish use it from now on");
        return 0;
    }

    private static Credentials signUp(RestCalls rest, String address, @Nullable String code) {
        String name = "local-" + random(4);
        String password = random(16);
        Map<String, Object> body = new LinkedHashMap<>(Map.of("name", name, "password", password));
        if (code != null) {
            body.put("code", code);
        }
        rest.call("POST", "/v1/developers", null, body);
        return new Credentials(address, name, password, "", "", "");
    }

    private static boolean canLogIn(RestCalls rest, Credentials known) {
        try {
            logIn(rest, known);
            return true;
        } catch (CliException e) {
            if (e.status() != 401) {
                throw e;
            }
            return false;
        }
    }

    private static String logIn(RestCalls rest, Credentials developer) {
        JsonNode login =
                rest.call(
                        "POST",
                        "/v1/logins",
                        null,
                        Map.of("name", developer.developer(), "password", developer.password()));
        return "Bearer " + login.path("token").asString();
    }

    private static String random(int bytes) {
        byte[] random = new byte[bytes];
        new SecureRandom().nextBytes(random);
        return HexFormat.of().formatHex(random);
    }
}
