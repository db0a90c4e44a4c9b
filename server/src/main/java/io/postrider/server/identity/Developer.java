package io.postrider.server.identity;

/** An account that owns apps. */
public record Developer(long id, String name, String passwordHash, long createdAt) {}
