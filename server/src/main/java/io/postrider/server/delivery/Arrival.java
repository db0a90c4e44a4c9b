package io.postrider.server.delivery;

/** A message that has just been committed, and whom it is for. */
public record Arrival(Message message, Recipients recipients) {}
