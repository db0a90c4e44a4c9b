package io.postrider.server.identity;

import io.postrider.server.identity.AuditLog.Action;
import io.postrider.server.identity.AuditLog.Actor;
import io.postrider.server.identity.AuditLog.Deed;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongConsumer;
import java.util.function.UnaryOperator;

/**
 * Apps and their credentials. All apps are kept in memory, since each request and each connect
 * needs one: look-ups never block, changes wait for the store. Thread-safe.
 */
public final class Apps {
    private static final int KEY_LETTERS = 24;

    private final AppStore store;
    private final Map<Long, App> byId = new ConcurrentHashMap<>();
    private final Map<String, App> byKey = new ConcurrentHashMap<>();

    /** Held from reading what an app is to storing what it is to be. */
    private final Object changes = new Object();

    private LongConsumer credentialsVoid = app -> {};

    public Apps(AppStore store) {
        this.store = store;
        store.all().forEach(this::keep);
    }

    /** Names who is told when an app's credentials have become void; once, before they can. */
    public void onCredentialsVoid(LongConsumer listener) {
        credentialsVoid = listener;
    }

    /** A new app and its master secret, which is shown this once. */
    public record Created(App app, String masterSecret) {}

    public Created create(Actor owner, String name) {
        String secret = Secrets.letters(KEY_LETTERS);
        App app =
                store.add(
                        owner,
                        name,
                        Secrets.letters(KEY_LETTERS),
                        Secrets.hash(secret),
                        Secrets.bytes(32));
        return new Created(keep(app), secret);
    }

    public Optional<App> byId(long id) {
        return Optional.ofNullable(byId.get(id));
    }

    /** The app of these credentials; empty for an unknown key and a wrong secret alike. */
    public Optional<App> byCredentials(String appKey, String masterSecret) {
        return byKey(appKey).filter(app -> Secrets.matches(masterSecret, app.secretHash()));
    }

    /** Whether the app of any developer lets pages of this origin be its devices. */
    public boolean anyAllowsOrigin(String origin) {
        return byId.values().stream().anyMatch(app -> app.settings().allowsOrigin(origin));
    }

    public Optional<App> byKey(String appKey) {
        return Optional.ofNullable(byKey.get(appKey));
    }

    public Optional<App> ofDeveloper(long developerId, long id) {
        return byId(id).filter(app -> app.developerId() == developerId);
    }

    /** A developer's apps with ids above {@code afterId}, in the order of their ids. */
    public List<App> ofDeveloper(long developerId, long afterId, int limit) {
        return byId.values().stream()
                .filter(app -> app.developerId() == developerId && app.id() > afterId)
                .sorted(Comparator.comparingLong(App::id))
                .limit(limit)
                .toList();
    }

    /** Changes an app as it is now; empty when it has been deleted. */
    public Optional<App> update(long id, Deed deed, UnaryOperator<App> change) {
        synchronized (changes) {
            App current = byId.get(id);
            if (current == null) {
                return Optional.empty();
            }
            App changed = change.apply(current);
            store.update(changed, deed.of(id));
            return Optional.of(keep(changed));
        }
    }

    /** A new master secret in place of the old one. */
    public Optional<Created> rotateSecret(long id, Actor actor) {
        String secret = Secrets.letters(KEY_LETTERS);
        return update(
                        id,
                        new Deed(actor, Action.SECRET_ROTATED),
                        app -> app.withSecretHash(Secrets.hash(secret)))
                .map(app -> {
                    credentialsVoid.accept(id);
                    return new Created(app, secret);
                });
    }

    /** Makes every device token of the app void. */
    public Optional<App> revokeDeviceTokens(long id, Actor actor) {
        return update(
                id,
                new Deed(actor, Action.DEVICE_TOKENS_REVOKED),
                app -> app.withTokenKey(app.tokenKeyId() + 1, Secrets.bytes(32)));
    }

    /** Deletes the app and all that is its own. */
    public void delete(App app, Actor actor) {
        synchronized (changes) {
            store.delete(app.id(), new Deed(actor, Action.APP_DELETED, app.id(), app.name()));
            byId.remove(app.id());
            byKey.remove(app.appKey());
        }
        credentialsVoid.accept(app.id());
    }

    private App keep(App app) {
        byId.put(app.id(), app);
        byKey.put(app.appKey(), app);
        return app;
    }
}
