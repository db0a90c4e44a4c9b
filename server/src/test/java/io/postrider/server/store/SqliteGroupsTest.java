package io.postrider.server.store;

import static io.postrider.server.store.SqliteStoreTest.rows;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.postrider.server.ManualClock;
import io.postrider.server.delivery.AckBatch;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.MessageStore.Presentation;
import io.postrider.server.delivery.WakeUps;
import io.postrider.server.metrics.Metrics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class SqliteGroupsTest extends GroupsContract {
    private @Nullable Database database;

    @Override
    Stores open(Path folder, ManualClock clock, WakeUps wakeUps) {
        Database opened = Database.open(folder, clock, new Metrics());
        database = opened;
        return SqliteStoreTest.stores(opened, clock, wakeUps);
    }

    private long rowsOf(String table) {
        return rows(Objects.requireNonNull(database), table);
    }

    private void purge() {
        Objects.requireNonNull(database).purge().run();
    }

    @Test
    void mailboxesHoldWhatIsOpenAndWhatWasSettledToday() {
        shop("a", 1);
        for (int i = 0; i < 450; i++) {
            publish("a");
        }
        clock.advance(Duration.ofMinutes(2));
        long open = publish("a");
        purge();
        assertThat(rowsOf("group_mailboxes")).isEqualTo(1);
        assertThat(rowsOf("settlements")).isEqualTo(451);
        stores.ack(app, 0, open);
        purge();
        assertThat(rowsOf("group_mailboxes")).isEqualTo(1);
    }

    @Test
    void whatWasRolledBackSettledNothing() {
        shop("a", 2);
        long id = publish("a");
        Database opened = Objects.requireNonNull(database);
        assertThatThrownBy(() ->
                        opened.writer()
                                .await(tx -> {
                                    opened.settlements()
                                            .acknowledge(tx, new AckBatch.Ack(app, 0, id, false));
                                    throw new IllegalStateException("broken on purpose");
                                }))
                .hasMessageContaining("broken on purpose");
        assertThat(stores.ack(app, 1, id)).isEqualTo(AckOutcome.WON);
        assertThat(stores.ack(app, 0, id)).isEqualTo(AckOutcome.ALREADY_SETTLED);
    }

    @Test
    void everythingOfAMessageGoesWithThePurge() {
        shop("a", 1);
        long id = publish("a");
        stores.messages().addPresented(List.of(new Presentation(app, 0, id))).join();
        assertThat(rowsOf("presentations")).isEqualTo(1);
        clock.advance(Duration.ofDays(40));
        purge();
        for (String table :
                List.of("group_mailboxes", "settlements", "presentations", "messages")) {
            assertThat(rowsOf(table)).as(table).isZero();
        }
        stores.messages().addPresented(List.of(new Presentation(app, 0, id))).join();
        assertThat(rowsOf("presentations")).isZero();
    }

    @Test
    void everythingOfAnAppGoesWithIt() {
        shop("a", 2);
        stores.groups().replace(app, "b", List.of("a0"), List.of("ann"));
        long id = publish("a", "b");
        stores.messages().addPresented(List.of(new Presentation(app, 0, id))).join();
        stores.ack(app, 0, id);
        stores.apps().delete(app, Stores.DEED.of(app));
        for (String table :
                List.of(
                        "groups",
                        "group_devices",
                        "group_users",
                        "group_mailboxes",
                        "settlements",
                        "presentations",
                        "messages")) {
            await(table).until(() -> rowsOf(table) == 0);
        }
    }
}
