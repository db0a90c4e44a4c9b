package io.postrider.server.store;

import io.postrider.server.ManualClock;
import io.postrider.server.delivery.WakeUps;
import java.nio.file.Path;

class PostgresGroupsTest extends GroupsContract {
    @Override
    Stores open(Path folder, ManualClock clock, WakeUps wakeUps) {
        return Postgres.stores(folder, clock, wakeUps);
    }
}
