package io.postrider.server.store;

import io.postrider.server.ManualClock;
import io.postrider.server.delivery.Mailboxes;
import io.postrider.server.delivery.MessageStore;
import io.postrider.server.delivery.WakeUps;
import io.postrider.server.identity.AppStore;
import io.postrider.server.identity.AuditLog;
import io.postrider.server.identity.DeveloperStore;
import io.postrider.server.identity.DeviceStore;
import io.postrider.server.identity.GroupStore;
import io.postrider.server.identity.TillStore;
import io.postrider.server.publish.AudienceLog;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.Nested;

/** Everything that one node's stores must do, two nodes' on one PostgreSQL do call by call. */
class TwoNodesTest {
    /** Each call of any store goes to the other node than the one before it. */
    static Stores inTurns(Stores one, Stores other) {
        AtomicInteger turn = new AtomicInteger();
        return new Stores(
                inTurns(MessageStore.class, turn, one, other, Stores::messages),
                inTurns(Mailboxes.class, turn, one, other, Stores::mailboxes),
                inTurns(DeviceStore.class, turn, one, other, Stores::devices),
                inTurns(GroupStore.class, turn, one, other, Stores::groups),
                inTurns(TillStore.class, turn, one, other, Stores::tills),
                inTurns(AppStore.class, turn, one, other, Stores::apps),
                inTurns(
                        io.postrider.server.publish.Reports.class,
                        turn,
                        one,
                        other,
                        Stores::reports),
                inTurns(AudienceLog.class, turn, one, other, Stores::audience),
                inTurns(DeveloperStore.class, turn, one, other, Stores::developers),
                inTurns(AuditLog.class, turn, one, other, Stores::audit),
                one.database(),
                () -> {
                    one.close();
                    other.close();
                });
    }

    private static <T> T inTurns(
            Class<T> type,
            AtomicInteger turn,
            Stores one,
            Stores other,
            Function<Stores, T> store) {
        Object stores =
                Proxy.newProxyInstance(
                        type.getClassLoader(),
                        new Class<?>[] {type},
                        (proxy, method, args) -> {
                            try {
                                Stores next = turn.getAndIncrement() % 2 == 0 ? one : other;
                                return method.invoke(store.apply(next), args);
                            } catch (InvocationTargetException e) {
                                throw e.getTargetException();
                            }
                        });
        return type.cast(stores);
    }

    private static Stores open(Path folder, ManualClock clock, WakeUps wakeUps) {
        return inTurns(
                Postgres.stores(folder, clock, wakeUps), Postgres.stores(folder, clock, wakeUps));
    }

    @Nested
    class Store extends StoreContract {
        @Override
        Stores open(Path folder, ManualClock clock) {
            return TwoNodesTest.open(folder, clock, Stores.NOBODY);
        }

        /** Only of one node does its caller know in which order it commits. */
        @Override
        void g6IdsAreInCommitOrderHoweverManyCommitAtOnce() {}
    }

    @Nested
    class Directory extends DirectoryContract {
        @Override
        Stores open(Path folder, ManualClock clock) {
            return TwoNodesTest.open(folder, clock, Stores.NOBODY);
        }
    }

    @Nested
    class Reports extends ReportsContract {
        @Override
        Stores open(Path folder, ManualClock clock, WakeUps wakeUps) {
            return TwoNodesTest.open(folder, clock, wakeUps);
        }
    }

    @Nested
    class Groups extends GroupsContract {
        @Override
        Stores open(Path folder, ManualClock clock, WakeUps wakeUps) {
            return TwoNodesTest.open(folder, clock, wakeUps);
        }
    }
}
