package io.postrider.server.api;

import io.postrider.server.identity.Accounts;
import io.postrider.server.identity.Accounts.LoggedIn;
import io.postrider.server.identity.Accounts.SignedUp;
import java.time.Instant;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Developers and logins. */
final class DeveloperRoutes {
    private static final int LEAST_PASSWORD = 10;
    private static final int MOST_PASSWORD = 256;

    /** What a browser on this machine calls this machine. */
    private static final Pattern THIS_MACHINE =
            Pattern.compile("https?://(localhost|127\\.0\\.0\\.1|\\[::1])(:\\d+)?");

    private final Accounts accounts;
    private final NodeInfo node;

    DeveloperRoutes(Accounts accounts, NodeInfo node) {
        this.accounts = accounts;
        this.node = node;
    }

    List<Route> routes() {
        return List.of(
                Route.post("/v1/developers", Access.PUBLIC, this::signUp),
                Route.post("/v1/logins", Access.PUBLIC, this::logIn));
    }

    record Credentials(@Nullable String name, @Nullable String password) {}

    record SignUp(@Nullable String name, @Nullable String password, @Nullable String code) {}

    record DeveloperView(String id, String name) {}

    record LoginView(String token, String expiresAt) {}

    private Answer signUp(Request request) {
        refuseForeignPages(request.header("Origin"));
        SignUp given = request.body(SignUp.class);
        String name = Checks.name(Checks.present(given.name(), "name"), "name", Checks.MOST_NAME);
        String password = checkPassword(Checks.present(given.password(), "password"), name);
        return switch (accounts.signUp(name, password, given.code(), request.actor())) {
            case SignedUp.In in ->
                    Answer.json(
                            201,
                            new DeveloperView(
                                    Long.toString(in.developer().id()), in.developer().name()));
            case SignedUp.NameTaken taken ->
                    throw Problem.field(
                            ErrorCode.NAME_TAKEN, "name", "Choose another name, or log in.");
            case SignedUp.WrongCode wrong ->
                    throw Problem.field(
                            ErrorCode.SIGN_UP_CODE_WRONG,
                            "code",
                            "The server printed the code when it started; it is also in the file"
                                    + " first-run-code of its data folder.");
            case SignedUp.Closed closed ->
                    throw Problem.of(
                            ErrorCode.SIGN_UP_CLOSED,
                            "The server's operator can set registration to open.");
            case SignedUp.TooMany tooMany ->
                    throw Problem.retryAfter(
                            ErrorCode.LOGIN_LIMITED,
                            tooMany.retryAfterSeconds(),
                            "Wait before you try again.");
        };
    }

    /**
     * Where sign-up is open because only this machine reaches us, a page that a browser here has
     * loaded from elsewhere could sign up, whatever name it gives our address.
     */
    private void refuseForeignPages(@Nullable String origin) {
        if (origin != null && !node.isExposed() && !THIS_MACHINE.matcher(origin).matches()) {
            throw Problem.of(
                    ErrorCode.ORIGIN_REFUSED,
                    "Pages from elsewhere sign nobody up on this machine.");
        }
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
        return switch (accounts.logIn(name, password, request.actor())) {
            case LoggedIn.In in -> loggedIn(in, request.isEncrypted());
            case LoggedIn.Wrong wrong -> throw wrong();
            case LoggedIn.TooMany tooMany ->
                    throw Problem.retryAfter(
                            ErrorCode.LOGIN_LIMITED,
                            tooMany.retryAfterSeconds(),
                            "Wait before you try again.");
        };
    }

    private static Answer loggedIn(LoggedIn.In in, boolean encrypted) {
        String expires = Instant.ofEpochMilli(in.expiresAt()).toString();
        return Answer.json(201, new LoginView(in.token(), expires))
                .withHeader(
                        "Set-Cookie",
                        Authenticator.COOKIE
                                + "="
                                + in.token()
                                + "; Path=/; HttpOnly; SameSite=Strict"
                                + (encrypted ? "; Secure" : ""));
    }

    private static Problem wrong() {
        return Problem.of(ErrorCode.LOGIN_WRONG, "Check name and password.");
    }
}
