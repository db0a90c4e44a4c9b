package io.postrider.server.identity;

import io.postrider.server.identity.AuditLog.Actor;
import io.postrider.server.identity.AuditLog.Deed;
import java.util.List;

/** Apps. Calls block until what they changed, and its entry in the audit log, is flushed. */
public interface AppStore {
    /** Adds an app; the store allots its id. */
    App add(Actor owner, String name, String appKey, byte[] secretHash, byte[] tokenKey);

    List<App> all();

    /** Replaces name, settings, secret and token key. */
    void update(App app, Deed deed);

    /** Deletes the app with its devices, messages and sessions. */
    void delete(long id, Deed deed);
}
