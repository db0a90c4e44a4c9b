package io.postrider.server.identity;

import java.util.List;

/** Apps. Calls block until what they changed is flushed. */
public interface AppStore {
    /** Adds an app; the store allots its id. */
    App add(long developerId, String name, String appKey, byte[] secretHash, byte[] tokenKey);

    List<App> all();

    /** Replaces name, settings, secret and token key. */
    void update(App app);

    /** Deletes the app with its devices, messages and sessions. */
    void delete(long id);
}
