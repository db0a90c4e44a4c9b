package io.postrider.server.cli;

/** A verb could not do what it was asked; the message says why, and what to do. */
public final class CliException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int status;

    public CliException(String message) {
        this(message, 0);
    }

    public CliException(String message, int status) {
        super(message);
        this.status = status;
    }

    /** The HTTP status of the server's refusal, 0 where it did not answer. */
    int status() {
        return status;
    }
}
