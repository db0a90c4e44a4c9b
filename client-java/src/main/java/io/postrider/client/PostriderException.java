package io.postrider.client;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The server refused, or could not be asked. */
public final class PostriderException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int status;
    private final @Nullable String code;

    PostriderException(int status, @Nullable String code, String message) {
        super(message);
        this.status = status;
        this.code = code;
    }

    /** The HTTP status; 0 if there was no answer. */
    public int status() {
        return status;
    }

    /** The stable code of the refusal, such as {@code audience.empty}, where there was one. */
    public @Nullable String code() {
        return code;
    }

    /** Whether the request certainly had no effect; else it is unknown whether it had. */
    public boolean certainlyRefused() {
        return status >= 400 && status < 500;
    }
}
