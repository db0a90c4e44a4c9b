package io.postrider.server.store;

import io.postrider.server.ManualClock;
import io.postrider.server.delivery.WakeUps;
import io.postrider.server.metrics.Metrics;
import java.nio.file.Path;

class SqliteReportsTest extends ReportsContract {
    @Override
    Stores open(Path folder, ManualClock clock, WakeUps wakeUps) {
        return SqliteStoreTest.stores(Database.open(folder, clock, new Metrics()), clock, wakeUps);
    }
}
