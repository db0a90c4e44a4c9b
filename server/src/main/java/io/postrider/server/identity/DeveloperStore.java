package io.postrider.server.identity;

import io.postrider.server.identity.AuditLog.Actor;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Developers and their logins. Calls block until what they changed is flushed. */
public interface DeveloperStore {
    /**
     * Adds a developer, or answers empty when the name is taken.
     *
     * @param onlyTheFirst answers empty as well when there is any developer
     * @param from for the audit log; its developer is the one added
     */
    Optional<Developer> add(String name, String passwordHash, boolean onlyTheFirst, Actor from);

    /** Whether nobody has signed up yet. */
    boolean isEmpty();

    Optional<Developer> byName(String name);

    /**
     * Keeps a login of the actor, by the SHA-256 of its token, until {@code expiresAt}.
     *
     * @param betterHash of his password, in place of the one that is kept; null leaves that
     */
    void addLogin(byte[] tokenHash, Actor actor, long expiresAt, @Nullable String betterHash);

    /** The developer whose unexpired login this is. */
    Optional<Developer> byLogin(byte[] tokenHash);
}
