package io.postrider.protocol;

import java.io.IOException;

/** The peer sent what is no frame of this protocol. The message is safe to show to that peer. */
public final class MalformedFrameException extends IOException {
    private static final long serialVersionUID = 1L;

    public MalformedFrameException(String message) {
        super(message);
    }
}
