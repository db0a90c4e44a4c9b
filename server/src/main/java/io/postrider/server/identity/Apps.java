package io.postrider.server.identity;

import io.postrider.server.identity.AuditLog.Action;
import io.postrider.server.identity.AuditLog.Actor;
import io.postrider.server.identity.AuditLog.Deed;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Apps and their credentials. All apps are kept in memory, since each request and each connect
 * needs one: look-ups never block, changes wait for the store. Thread-safe.
 */
public final class Apps {
    private static final int KEY_LETTERS = 24;

    private static final Logger LOG = LoggerFactory.getLogger(Apps.class);

    private final AppStore store;
    private final Map<Long, App> byId = new ConcurrentHashMap<>();
    private final Map<String, App> byKey = new ConcurrentHashMap<>();

    private final Object changes = new Object();

    /** What is known of these may be out of date, since the store failed. */
    private final Set<Long> unread = ConcurrentHashMap.newKeySet();

    private LongConsumer credentialsVoid = app -> {};
    private LongConsumer tokensVoid = app -> {};
    private LongConsumer deleted = app -> {};
    private @Nullable Supplier<CompletableFuture<Void>> others;

    public Apps(AppStore store) {
        this.store = store;
        store.all().forEach(app -> keep(null, app));
    }

    /** Names who is told when an app's credentials have become void; once, before they can. */
    public void onCredentialsVoid(LongConsumer listener) {
        credentialsVoid = listener;
    }

    /** Names who is told when all of an app's device tokens have; once, before they can. */
    public void onTokensVoid(LongConsumer listener) {
        tokensVoid = listener;
    }

    /** Names who is told when an app was deleted; once, before one can be. */
    public void onDeleted(LongConsumer listener) {
        deleted = listener;
    }

    /**
     * There are other nodes that change apps.
     *
     * @param heard completes when all that they had changed at the call was told to {@link
     *     #changed}
     */
    public void changeElsewhere(Supplier<CompletableFuture<Void>> heard) {
        others = heard;
    }

    /** Whether other nodes change apps, and tokens, too. */
    public boolean isShared() {
        return others != null;
    }

    /** Completes when all is known here that other nodes had changed at the call. */
    public CompletableFuture<Void> caughtUp() {
        return others == null ? CompletableFuture.completedFuture(null) : others.get();
    }

    /** What is found here, if need be after having heard what other nodes have changed. Blocks. */
    public <T> Optional<T> find(Supplier<Optional<T>> look) {
        Optional<T> found = look.get();
        if (found.isPresent() || others == null) {
            return found;
        }
        caughtUp().join();
        return look.get();
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
        changed(app.id());
        return new Created(app, secret);
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
        Optional<App> changed = store.update(id, deed.of(id), change);
        changed(id);
        return changed;
    }

    /** A new master secret in place of the old one. */
    public Optional<Created> rotateSecret(long id, Actor actor) {
        String secret = Secrets.letters(KEY_LETTERS);
        return update(
                        id,
                        new Deed(actor, Action.SECRET_ROTATED),
                        app -> app.withSecretHash(Secrets.hash(secret)))
                .map(app -> new Created(app, secret));
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
        store.delete(app.id(), new Deed(actor, Action.APP_DELETED, app.id(), app.name()));
        changed(app.id());
    }

    /** Takes all apps as they are now, as if each had changed. Blocks. */
    public void reload() {
        Set<Long> all = new HashSet<>(byId.keySet());
        store.all().forEach(app -> all.add(app.id()));
        all.forEach(this::changed);
    }

    /**
     * Takes those apps as they are now that could not be read when they had changed. To be called
     * every few seconds; blocks.
     */
    public void readAgain() {
        try {
            unread.forEach(this::changed);
        } catch (RuntimeException e) {
            LOG.warn("an app that has changed is read later: {}", e.getMessage());
        }
    }

    /**
     * An app was made, changed or deleted, maybe by another node: takes it as it is now. Blocks.
     */
    public void changed(long id) {
        App before;
        App now;
        synchronized (changes) {
            // Read and kept by one at a time, or the older of two could stay.
            unread.add(id);
            before = byId.get(id);
            now = store.byId(id).orElse(null);
            keep(before, now);
            unread.remove(id);
        }
        if (before == null) {
            return;
        }
        if (now == null || !Arrays.equals(before.secretHash(), now.secretHash())) {
            credentialsVoid.accept(id);
        }
        if (now == null || before.tokenKeyId() != now.tokenKeyId()) {
            tokensVoid.accept(id);
        }
        if (now == null) {
            deleted.accept(id);
        }
    }

    private void keep(@Nullable App before, @Nullable App now) {
        if (now != null) {
            byId.put(now.id(), now);
            byKey.put(now.appKey(), now);
        } else if (before != null) {
            byId.remove(before.id());
            byKey.remove(before.appKey());
        }
    }
}
