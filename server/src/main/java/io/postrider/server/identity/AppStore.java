package io.postrider.server.identity;

import io.postrider.server.identity.AuditLog.Actor;
import io.postrider.server.identity.AuditLog.Deed;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** Apps. Calls block until what they changed, and its entry in the audit log, is flushed. */
public interface AppStore {
    /** Adds an app; the store allots its id. */
    App add(Actor owner, String name, String appKey, byte[] secretHash, byte[] tokenKey);

    List<App> all();

    Optional<App> byId(long id);

    /**
     * Changes an app as it is now: name, settings, secret and token key. Answers what it has
     * become, or empty when it does not exist.
     */
    Optional<App> update(long id, Deed deed, UnaryOperator<App> change);

    /** Deletes the app with its devices, messages and sessions. */
    void delete(long id, Deed deed);
}
