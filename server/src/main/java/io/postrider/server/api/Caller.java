package io.postrider.server.api;

import io.postrider.server.identity.App;
import io.postrider.server.identity.Developer;

/** Who has called, proved. */
sealed interface Caller {
    /** Nobody said who. */
    record Anyone() implements Caller {}

    record ByDeveloper(Developer developer) implements Caller {}

    record ByApp(App app) implements Caller {}

    /** A device's token; whether the device still exists is not yet known. */
    record ByDevice(App app, int number, int tokenGeneration) implements Caller {}
}
