package io.postrider.server.store;

import io.postrider.server.ManualClock;
import io.postrider.server.metrics.Metrics;
import java.nio.file.Path;

class SqliteAwayTest extends AwayContract {
    @Override
    Stores open(Path folder, ManualClock clock) {
        return SqliteStoreTest.stores(Database.open(folder, clock, new Metrics()), clock);
    }
}
