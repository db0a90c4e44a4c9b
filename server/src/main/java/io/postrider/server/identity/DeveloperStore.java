package io.postrider.server.identity;

import java.util.Optional;

/** Developers and their logins. Calls block until what they changed is flushed. */
public interface DeveloperStore {
    /** Adds a developer, or answers empty when the name is taken. */
    Optional<Developer> add(String name, String passwordHash);

    Optional<Developer> byName(String name);

    /** Keeps a login, by the SHA-256 of its token, until {@code expiresAt}. */
    void addLogin(byte[] tokenHash, long developerId, long expiresAt);

    /** The developer whose unexpired login this is. */
    Optional<Developer> byLogin(byte[] tokenHash);
}
