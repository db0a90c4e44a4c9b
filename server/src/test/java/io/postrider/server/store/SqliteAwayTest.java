package io.postrider.server.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.server.ManualClock;
import io.postrider.server.metrics.Metrics;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class SqliteAwayTest extends AwayContract {
    @Override
    Stores open(Path folder, ManualClock clock) {
        return SqliteStoreTest.stores(Database.open(folder, clock, new Metrics()), clock);
    }

    /** Each device that comes back asks. */
    @Test
    void whatWasRecalledIsFoundWithoutALookAtAllThatTheAppHas() {
        List<String> plan =
                stores.database()
                        .read(sql ->
                                sql.list(
                                        "EXPLAIN QUERY PLAN " + SqlMailboxes.RECALLED_SINCE,
                                        row -> row.getString(4),
                                        1,
                                        2,
                                        3,
                                        4,
                                        5,
                                        6,
                                        7));
        assertThat(plan.getFirst()).contains("messages_recalled (app_id=? AND recalled_at>?)");
    }
}
