package io.postrider.server.identity;

import java.util.Arrays;

/**
 * A tenant.
 *
 * @param secretHash SHA-256 of the master secret, which is kept nowhere
 * @param tokenKey the key under which this app's device tokens are signed
 * @param tokenKeyId rises when the token key changes, so that old tokens are told apart
 */
public record App(
        long id,
        long developerId,
        String name,
        String appKey,
        byte[] secretHash,
        int tokenKeyId,
        byte[] tokenKey,
        AppSettings settings,
        long createdAt) {

    public App withSettings(AppSettings changed) {
        return new App(
                id,
                developerId,
                name,
                appKey,
                secretHash,
                tokenKeyId,
                tokenKey,
                changed,
                createdAt);
    }

    public App withName(String changed) {
        return new App(
                id,
                developerId,
                changed,
                appKey,
                secretHash,
                tokenKeyId,
                tokenKey,
                settings,
                createdAt);
    }

    public App withSecretHash(byte[] changed) {
        return new App(
                id, developerId, name, appKey, changed, tokenKeyId, tokenKey, settings, createdAt);
    }

    public App withTokenKey(int changedId, byte[] changed) {
        return new App(
                id, developerId, name, appKey, secretHash, changedId, changed, settings, createdAt);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof App app
                && id == app.id
                && name.equals(app.name)
                && settings.equals(app.settings)
                && tokenKeyId == app.tokenKeyId
                && Arrays.equals(secretHash, app.secretHash);
    }

    @Override
    public int hashCode() {
        return Long.hashCode(id);
    }

    @Override
    public String toString() {
        return "App[" + id + " " + name + "]";
    }
}
