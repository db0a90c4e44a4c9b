package io.postrider.server.identity;

import io.postrider.server.clock.Clock;
import io.postrider.server.identity.AuditLog.Action;
import io.postrider.server.identity.AuditLog.Actor;
import io.postrider.server.identity.AuditLog.Deed;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Developers: sign-up, logging in, and whose login a token is. */
public final class Accounts {
    private static final Duration LOGIN_LIFETIME = Duration.ofHours(12);
    private static final Duration FAILURE_WINDOW = Duration.ofMinutes(10);
    private static final int FAILURES_PER_NAME = 10;
    private static final int FAILURES_PER_ADDRESS = 50;
    private static final int SIGN_UPS_PER_ADDRESS = 200;

    private final DeveloperStore store;
    private final AuditLog audit;
    private final SignUps signUps;
    private final Clock clock;
    private final Passwords passwords = new Passwords();
    private final RateLimit failuresByName;
    private final RateLimit failuresByAddress;
    private final RateLimit signUpsByAddress;

    public Accounts(DeveloperStore store, AuditLog audit, SignUps signUps, Clock clock) {
        this.store = store;
        this.audit = audit;
        this.signUps = signUps;
        this.clock = clock;
        this.failuresByName = new RateLimit(FAILURES_PER_NAME, FAILURE_WINDOW, clock);
        this.signUpsByAddress = new RateLimit(SIGN_UPS_PER_ADDRESS, FAILURE_WINDOW, clock);
        this.failuresByAddress = new RateLimit(FAILURES_PER_ADDRESS, FAILURE_WINDOW, clock);
    }

    /** How a sign-up ended. */
    public sealed interface SignedUp {
        record In(Developer developer) implements SignedUp {}

        record NameTaken() implements SignedUp {}

        /** The first developer needs the code, and this was none or another. */
        record WrongCode() implements SignedUp {}

        /** Nobody may sign up here any more. */
        record Closed() implements SignedUp {}

        /** Too many from this address have signed up, or tried a wrong code. */
        record TooMany(long retryAfterSeconds) implements SignedUp {}
    }

    /**
     * Adds a developer, if he may sign up.
     *
     * @param from where it comes from; the developer's id in it is not known yet and is ignored
     */
    public SignedUp signUp(String name, String password, @Nullable String code, Actor from) {
        if (signUps.areOpen()) {
            long wait = signUpsByAddress.secondsToWait(from.address());
            return wait > 0 ? new SignedUp.TooMany(wait) : add(name, password, false, from);
        }
        if (signUps.areClosed()) {
            return new SignedUp.Closed();
        }
        long wait = failuresByAddress.secondsToWait(from.address());
        if (wait > 0) {
            return new SignedUp.TooMany(wait);
        }
        if (!signUps.isCode(code)) {
            return new SignedUp.WrongCode();
        }
        failuresByAddress.giveBack(from.address());
        SignedUp first = add(name, password, true, from);
        signUps.used();
        return first instanceof SignedUp.In ? first : new SignedUp.Closed();
    }

    private SignedUp add(String name, String password, boolean onlyTheFirst, Actor from) {
        if (store.byName(name).isPresent()) {
            return new SignedUp.NameTaken();
        }
        return store.add(name, passwords.hash(password), onlyTheFirst, from)
                .<SignedUp>map(SignedUp.In::new)
                .orElseGet(SignedUp.NameTaken::new);
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

    /**
     * Logs in; an unknown name takes as long as a wrong password. A hash that was made with other
     * parameters than those in force is made anew.
     *
     * @param from as in {@link #signUp}
     */
    public LoggedIn logIn(String name, String password, Actor from) {
        // Taken before the hash is made and given back where the password is right: whoever tries
        // many at once has no more tries than one after another.
        long wait =
                Math.max(
                        failuresByName.secondsToWait(name),
                        failuresByAddress.secondsToWait(from.address()));
        if (wait > 0) {
            return new LoggedIn.TooMany(wait);
        }
        Optional<Developer> developer = store.byName(name);
        boolean right =
                developer
                        .map(known -> passwords.matches(password, known.passwordHash()))
                        .orElseGet(() -> passwords.refuse(password));
        if (!right) {
            developer.ifPresent(
                    known -> audit.writeSoon(new Deed(actor(known, from), Action.LOGIN_FAILED)));
            return new LoggedIn.Wrong();
        }
        failuresByName.giveBack(name);
        failuresByAddress.giveBack(from.address());
        return logIn(developer.orElseThrow(), password, from);
    }

    private LoggedIn logIn(Developer developer, String password, Actor from) {
        String token = "lt_" + Secrets.letters(40);
        long expiresAt = clock.millis() + LOGIN_LIFETIME.toMillis();
        String better =
                passwords.isCurrent(developer.passwordHash()) ? null : passwords.hash(password);
        store.addLogin(Secrets.hash(token), actor(developer, from), expiresAt, better);
        return new LoggedIn.In(token, expiresAt);
    }

    private static Actor actor(Developer developer, Actor from) {
        return new Actor(developer.id(), from.address(), from.requestId());
    }

    /** The developer whose unexpired login this token is. */
    public Optional<Developer> byToken(String token) {
        return store.byLogin(Secrets.hash(token));
    }
}
