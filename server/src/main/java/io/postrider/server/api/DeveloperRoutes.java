package io.postrider.server.api;

import io.postrider.server.identity.Accounts;
import io.postrider.server.identity.Accounts.LoggedIn;
import io.postrider.server.identity.Developer;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Developers and logins. */
final class DeveloperRoutes {
    private static final int LEAST_PASSWORD = 10;
    private static final int MOST_PASSWORD = 256;

    private final Accounts accounts;

    DeveloperRoutes(Accounts accounts) {
        this.accounts = accounts;
    }

    List<Route> routes() {
        return List.of(
                Route.post("/v1/developers", Access.PUBLIC, this::signUp),
                Route.post("/v1/logins", Access.PUBLIC, this::logIn));
    }

    record Credentials(@Nullable String name, @Nullable String password) {}

    record DeveloperView(String id, String name) {}

    record LoginView(String token, String expiresAt) {}

    private Answer signUp(Request request) {
        Credentials given = request.body(Credentials.class);
        String name = Checks.name(Checks.present(given.name(), "name"), "name", Checks.MOST_NAME);
        String password = checkPassword(Checks.present(given.password(), "password"), name);
        Developer developer =
                accounts.signUp(name, password)
                        .orElseThrow(() ->
                                Problem.field(
                                        ErrorCode.NAME_TAKEN,
                                        "name",
                                        "Choose another name, or log in."));
        return Answer.json(201, new DeveloperView(Long.toString(developer.id()), developer.name()));
    }

    private static String checkPassword(String password, String name) {
        boolean monotonous = password.chars().distinct().count() < 4;
        if (password.length() < LEAST_PASSWORD
                || password.length() > MOST_PASSWORD
                || monotonous
                || password.equalsIgnoreCase(name)) {
            throw Problem.limit(
                    ErrorCode.PASSWORD_WEAK,
                    "password",
                    LEAST_PASSWORD,
                    "A password has 10 to 256 characters, four different ones at least, and is"
                            + " not the name.");
        }
        return password;
    }

    private Answer logIn(Request request) {
        Credentials given = request.body(Credentials.class);
        String name = Checks.present(given.name(), "name");
        String password = Checks.present(given.password(), "password");
        if (name.length() > Checks.MOST_NAME || password.length() > MOST_PASSWORD) {
            throw wrong();
        }
        return switch (accounts.logIn(name, password, request.address())) {
            case LoggedIn.In in -> loggedIn(in);
            case LoggedIn.Wrong wrong -> throw wrong();
            case LoggedIn.TooMany tooMany ->
                    throw Problem.retryAfter(
                            ErrorCode.LOGIN_LIMITED,
                            tooMany.retryAfterSeconds(),
                            "Wait before you try again.");
        };
    }

    private static Answer loggedIn(LoggedIn.In in) {
        String expires = Instant.ofEpochMilli(in.expiresAt()).toString();
        return Answer.json(201, new LoginView(in.token(), expires))
                .withHeader(
                        "Set-Cookie",
                        Authenticator.COOKIE
                                + "="
                                + in.token()
                                + "; Path=/; HttpOnly; SameSite=Strict");
    }

    private static Problem wrong() {
        return Problem.of(ErrorCode.LOGIN_WRONG, "Check name and password.");
    }
}
