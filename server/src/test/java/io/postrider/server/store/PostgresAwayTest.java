package io.postrider.server.store;

import io.postrider.server.ManualClock;
import java.nio.file.Path;

class PostgresAwayTest extends AwayContract {
    @Override
    Stores open(Path folder, ManualClock clock) {
        return Postgres.stores(folder, clock, Stores.NOBODY);
    }
}
