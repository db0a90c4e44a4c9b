package io.postrider.server.identity;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Who may sign up: anyone; or only the first, who proves by a code that the server is his.
 * Thread-safe.
 */
public final class SignUps {
    private final boolean open;
    private final AtomicReference<byte @Nullable []> codeHash;
    private final Runnable onUsed;

    private SignUps(boolean open, byte @Nullable [] codeHash, Runnable onUsed) {
        this.open = open;
        this.codeHash = new AtomicReference<>(codeHash);
        this.onUsed = onUsed;
    }

    /** Anyone may. */
    public static SignUps open() {
        return new SignUps(true, null, () -> {});
    }

    /** Nobody may any more. */
    public static SignUps closed() {
        return new SignUps(false, null, () -> {});
    }

    /** The first may who knows the code, which is void from then on. */
    public static SignUps firstBy(String code, Runnable onUsed) {
        return new SignUps(false, Secrets.hash(code), onUsed);
    }

    boolean areOpen() {
        return open;
    }

    boolean areClosed() {
        return !open && codeHash.get() == null;
    }

    boolean isCode(@Nullable String code) {
        byte[] hash = codeHash.get();
        return hash != null && code != null && Secrets.matches(code, hash);
    }

    void used() {
        if (codeHash.getAndSet(null) != null) {
            onUsed.run();
        }
    }
}
