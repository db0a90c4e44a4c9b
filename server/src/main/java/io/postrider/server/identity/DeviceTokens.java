package io.postrider.server.identity;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.postrider.server.clock.Clock;
import io.postrider.server.identity.DeviceStore.Revocation;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Device tokens: an HMAC-SHA-256 under the app's token key over app, device, key id, generation and
 * expiry. Verified in memory once the app is known; thread-safe.
 *
 * <p>{@code dt_} and base64url of: version (1 byte), key id (4), app (8), device number (4),
 * generation (4), expiry in seconds since 1970 (8), MAC (32).
 */
public final class DeviceTokens {
    private static final Duration LIFETIME = Duration.ofDays(30);
    private static final Duration RENEWED_WHEN_LEFT = Duration.ofDays(15);
    private static final String PREFIX = "dt_";
    private static final byte VERSION = 1;
    private static final int BODY = 1 + 4 + 8 + 4 + 4 + 8;
    private static final int MAC = 32;

    private final Apps apps;
    private final DeviceStore devices;
    private final Clock clock;

    /**
     * Devices some of whose unexpired tokens are void, and the generation of those that are not.
     */
    private final Cache<Long, Integer> generations;

    public DeviceTokens(Apps apps, DeviceStore devices, Clock clock) {
        this.apps = apps;
        this.devices = devices;
        this.clock = clock;
        this.generations =
                Caffeine.newBuilder()
                        .expireAfterWrite(LIFETIME)
                        .ticker(() -> TimeUnit.MILLISECONDS.toNanos(clock.millis()))
                        .build();
        reload();
    }

    /** Learns all revocations that matter. Blocks. */
    public void reload() {
        devices.revocationsSince(clock.millis() - LIFETIME.toMillis()).forEach(this::revoked);
    }

    /** From here on the device's tokens of older generations are refused. */
    public void revoked(Revocation revocation) {
        generations
                .asMap()
                .merge(
                        Device.key(revocation.appId(), revocation.number()),
                        revocation.generation(),
                        Math::max);
    }

    /**
     * What a valid token proves. That the device still exists, with this generation, is for the
     * store to say.
     *
     * @param ageing old enough that the device should be given a new one
     */
    public record Claim(App app, int number, int generation, boolean ageing) {}

    /** A token for the device, valid for 30 days. */
    public String issue(App app, int number, int generation) {
        ByteBuffer token = ByteBuffer.allocate(BODY + MAC);
        token.put(VERSION)
                .putInt(app.tokenKeyId())
                .putLong(app.id())
                .putInt(number)
                .putInt(generation)
                .putLong((clock.millis() + LIFETIME.toMillis()) / 1000);
        token.put(mac(app.tokenKey(), token.array()));
        return PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(token.array());
    }

    /** The claim of an authentic and unexpired token, whatever else it is given: empty. */
    public Optional<Claim> verify(String token) {
        if (!token.startsWith(PREFIX) || token.length() > 200) {
            return Optional.empty();
        }
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(token.substring(PREFIX.length()));
            return bytes.length == BODY + MAC ? verify(bytes) : Optional.empty();
        } catch (IllegalArgumentException | BufferUnderflowException e) {
            return Optional.empty();
        }
    }

    private Optional<Claim> verify(byte[] bytes) {
        ByteBuffer body = ByteBuffer.wrap(bytes, 0, BODY);
        byte version = body.get();
        int keyId = body.getInt();
        Optional<App> app = apps.byId(body.getLong());
        int number = body.getInt();
        int generation = body.getInt();
        long left = body.getLong() * 1000 - clock.millis();
        if (version != VERSION || app.isEmpty() || app.get().tokenKeyId() != keyId) {
            return Optional.empty();
        }
        Integer valid = generations.getIfPresent(Device.key(app.get().id(), number));
        if (valid != null && generation < valid) {
            return Optional.empty();
        }
        byte[] given = Arrays.copyOfRange(bytes, BODY, BODY + MAC);
        if (!MessageDigest.isEqual(mac(app.get().tokenKey(), bytes), given) || left <= 0) {
            return Optional.empty();
        }
        boolean ageing = left < RENEWED_WHEN_LEFT.toMillis();
        return Optional.of(new Claim(app.get(), number, generation, ageing));
    }

    private static byte[] mac(byte[] key, byte[] token) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            mac.update(token, 0, BODY);
            return mac.doFinal();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has HMAC-SHA-256", e);
        }
    }
}
