package io.postrider.server.identity;

import io.postrider.server.clock.Clock;
import java.time.Duration;
import java.util.Optional;

/** Developers: sign-up, logging in, and whose login a token is. */
public final class Accounts {
    private static final Duration LOGIN_LIFETIME = Duration.ofHours(12);
    private static final Duration FAILURE_WINDOW = Duration.ofMinutes(10);
    private static final int FAILURES_PER_NAME = 10;
    private static final int FAILURES_PER_ADDRESS = 50;

    private final DeveloperStore store;
    private final Clock clock;
    private final Passwords passwords = new Passwords();
    private final RateLimit failuresByName;
    private final RateLimit failuresByAddress;

    public Accounts(DeveloperStore store, Clock clock) {
        this.store = store;
        this.clock = clock;
        this.failuresByName = new RateLimit(FAILURES_PER_NAME, FAILURE_WINDOW, clock);
        this.failuresByAddress = new RateLimit(FAILURES_PER_ADDRESS, FAILURE_WINDOW, clock);
    }

    /** Adds a developer, or answers empty when the name is taken. */
    public Optional<Developer> signUp(String name, String password) {
        if (store.byName(name).isPresent()) {
            return Optional.empty();
        }
        return store.add(name, passwords.hash(password));
    }

    /** How a login ended. */
    public sealed interface LoggedIn {
        /** The token is shown this once. */
        record In(String token, long expiresAt) implements LoggedIn {}

        /** Wrong name or password; which of them is not told. */
        record Wrong() implements LoggedIn {}

        /** Too many have failed for this name or from this address. */
        record TooMany(long retryAfterSeconds) implements LoggedIn {}
    }

    /** Logs in; an unknown name takes as long as a wrong password. */
    public LoggedIn logIn(String name, String password, String address) {
        long wait =
                Math.max(
                        failuresByName.secondsUntilAllowed(name),
                        failuresByAddress.secondsUntilAllowed(address));
        if (wait > 0) {
            return new LoggedIn.TooMany(wait);
        }
        Optional<Developer> developer = store.byName(name);
        boolean right =
                developer
                        .map(known -> passwords.matches(password, known.passwordHash()))
                        .orElseGet(() -> passwords.refuse(password));
        if (!right) {
            failuresByName.secondsToWait(name);
            failuresByAddress.secondsToWait(address);
            return new LoggedIn.Wrong();
        }
        String token = "lt_" + Secrets.letters(40);
        long expiresAt = clock.millis() + LOGIN_LIFETIME.toMillis();
        store.addLogin(Secrets.hash(token), developer.orElseThrow().id(), expiresAt);
        return new LoggedIn.In(token, expiresAt);
    }

    /** The developer whose unexpired login this token is. */
    public Optional<Developer> byToken(String token) {
        return store.byLogin(Secrets.hash(token));
    }
}
