package io.postrider.server.store;

/** What is done by the hour, at once. */
public final class Chores {
    private Chores() {}

    public static void purge(Database database) {
        database.purge().run();
    }
}
