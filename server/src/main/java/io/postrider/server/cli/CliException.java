package io.postrider.server.cli;

/** A verb could not do what it was asked; the message says why, and what to do. */
public final class CliException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public CliException(String message) {
        super(message);
    }
}
