package io.postrider.server.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.server.ManualClock;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.DeliveryState;
import io.postrider.server.delivery.Mailboxes.Begun;
import io.postrider.server.delivery.Mailboxes.Ended;
import io.postrider.server.delivery.MessageStore.Recalled;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.identity.Device;
import io.postrider.server.identity.DeviceStore.Change;
import io.postrider.server.metrics.Metrics;
import io.postrider.server.publish.Reports.Counts;
import io.postrider.server.publish.Reports.DeviceStanding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import org.jspecify.annotations.Nullable;
import org.roaringbitmap.RoaringBitmap;

/**
 * Random histories of publishing, acking, opening, recalling, expiring, deleting devices, changing
 * users, takeovers and restarts, beside a model that keeps each delivery by itself: after every
 * step the counts are the model's, and targeted = pending + delivered + expired + recalled +
 * failed.
 */
class ConservationTest {
    private static final int STEPS = 60;

    @Property(tries = 25, shrinking = ShrinkingMode.OFF)
    void countsAreConservedAtEveryMoment(@ForAll long seed) throws IOException {
        Path folder = Files.createTempDirectory("conservation");
        try (History history = new History(folder, new Random(seed))) {
            for (int step = 0; step < STEPS; step++) {
                history.step();
                history.check();
            }
        } finally {
            delete(folder);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    /** A message as it should be. */
    private static final class Expected {
        final long id;
        final long expiresAt;
        final boolean namesUsers;
        final Map<Integer, DeliveryState> ends = new TreeMap<>();
        final List<Integer> opened = new ArrayList<>();
        boolean recalled;

        Expected(long id, long expiresAt, boolean namesUsers) {
            this.id = id;
            this.expiresAt = expiresAt;
            this.namesUsers = namesUsers;
        }

        DeliveryState state(int number, long now) {
            DeliveryState end = ends.get(number);
            if (end == DeliveryState.QUEUED && recalled) {
                return DeliveryState.RECALLED;
            }
            return end == DeliveryState.QUEUED && expiresAt <= now
                    ? DeliveryState.EXPIRED
                    : Objects.requireNonNull(end);
        }

        boolean isOpen(int number, long now) {
            return ends.containsKey(number) && state(number, now) == DeliveryState.QUEUED;
        }
    }

    private static final class History implements AutoCloseable {
        private final Path folder;
        private final Random random;
        private final FrozenClock clock = new FrozenClock();
        private final Map<Integer, Device> devices = new TreeMap<>();
        private final List<Expected> messages = new ArrayList<>();
        private Stores stores;
        private final long app;
        private int names;

        History(Path folder, Random random) {
            this.folder = folder;
            this.random = random;
            this.stores = open();
            this.app = stores.newApp();
            for (int i = 0; i < 30; i++) {
                register();
            }
        }

        private Stores open() {
            int inMemory = random.nextBoolean() ? 2 : PendingInMemory.MOST_IN_MEMORY;
            return SqliteStoreTest.stores(
                    Database.open(folder, clock, new Metrics(), UnaryOperator.identity(), inMemory),
                    clock);
        }

        void step() {
            switch (random.nextInt(20)) {
                case 0 -> register();
                case 1 -> deleteDevice();
                case 2 -> changeUser();
                case 3 -> recall();
                case 4 -> clock.advance(Duration.ofSeconds(random.nextInt(20)));
                case 5 -> takeOver();
                case 6 -> restart();
                case 7, 8, 9, 10 -> publish();
                default -> acknowledge();
            }
        }

        private void register() {
            Device device = stores.register(app, "d" + names++, "user" + random.nextInt(3));
            devices.put(device.number(), device);
        }

        private @Nullable Device anyDevice() {
            List<Device> all = new ArrayList<>(devices.values());
            return all.isEmpty() ? null : all.get(random.nextInt(all.size()));
        }

        private void deleteDevice() {
            Device device = anyDevice();
            if (device != null) {
                stores.devices().delete(app, device.deviceId());
                devices.remove(device.number());
                fail(device.number(), false);
            }
        }

        private void changeUser() {
            Device device = anyDevice();
            if (device != null) {
                String user = "user" + (3 + random.nextInt(100_000));
                stores.devices()
                        .change(app, device.deviceId(), new Change(null, user, null, null, null));
                fail(device.number(), true);
            }
        }

        private void fail(int number, boolean onlyNamed) {
            for (Expected message : messages) {
                if (message.isOpen(number, clock.millis()) && (message.namesUsers || !onlyNamed)) {
                    message.ends.put(number, DeliveryState.FAILED);
                }
            }
        }

        private void publish() {
            RoaringBitmap numbers = new RoaringBitmap();
            int[] sizes = {0, 1, 1, 3, 17, 100};
            int size = sizes[random.nextInt(sizes.length)];
            for (int i = 0; i < size; i++) {
                Device device = anyDevice();
                if (device != null) {
                    numbers.add(device.number());
                }
            }
            boolean namesUsers = random.nextBoolean();
            var stored =
                    stores.accept(
                            Stores.message(
                                    app,
                                    Recipients.of(numbers),
                                    namesUsers,
                                    null,
                                    1_000L * (1 + random.nextInt(60)),
                                    Long.MAX_VALUE));
            Expected message = new Expected(stored.id(), stored.expiresAt(), namesUsers);
            for (int number : numbers.toArray()) {
                message.ends.put(number, DeliveryState.QUEUED);
            }
            messages.add(message);
        }

        private void acknowledge() {
            if (messages.isEmpty()) {
                return;
            }
            Expected message = messages.get(random.nextInt(messages.size()));
            int number = random.nextInt(devices.size() + 10);
            boolean opened = random.nextInt(4) == 0;
            AckOutcome outcome = stores.ack(app, number, message.id, opened);
            assertThat(outcome).isEqualTo(expected(message, number));
            if (outcome == AckOutcome.RECORDED) {
                message.ends.put(number, DeliveryState.DELIVERED);
                if (opened && !message.opened.contains(number)) {
                    message.opened.add(number);
                }
            }
        }

        private AckOutcome expected(Expected message, int number) {
            if (!message.ends.containsKey(number)) {
                return AckOutcome.UNKNOWN;
            }
            return switch (message.state(number, clock.millis())) {
                case QUEUED, SENT, DELIVERED -> AckOutcome.RECORDED;
                case EXPIRED -> AckOutcome.EXPIRED;
                case RECALLED -> AckOutcome.RECALLED;
                case SETTLED_ELSEWHERE -> AckOutcome.ALREADY_SETTLED;
                case FAILED -> AckOutcome.UNKNOWN;
            };
        }

        private void recall() {
            if (messages.isEmpty()) {
                return;
            }
            Expected message = messages.get(random.nextInt(messages.size()));
            if (stores.messages().recall(app, message.id).join() instanceof Recalled.Now) {
                assertThat(message.recalled || message.expiresAt <= clock.millis()).isFalse();
                message.recalled = true;
            }
        }

        private void takeOver() {
            Device device = anyDevice();
            if (device == null) {
                return;
            }
            Begun older = stores.begin(app, device.number());
            if (random.nextBoolean()) {
                long position = stores.messages().lastId();
                stores.mailboxes()
                        .end(
                                app,
                                device.number(),
                                older.generation(),
                                new Ended(position, older.drainedTo(), true, "taken_over"))
                        .join();
            }
            Begun newer = stores.begin(app, device.number());
            assertThat(newer.generation()).isGreaterThan(older.generation());
        }

        private void restart() {
            stores.close();
            stores = open();
        }

        void check() {
            for (Expected message : messages) {
                Counts counts = stores.counts(app, message.id);
                assertThat(counts).isEqualTo(countsOf(message));
                assertThat(counts.targeted())
                        .isEqualTo(
                                counts.pending()
                                        + counts.delivered()
                                        + counts.expired()
                                        + counts.recalled()
                                        + counts.failed());
                assertThat(counts.opened()).isLessThanOrEqualTo(counts.delivered());
            }
            checkOneInDetail();
        }

        private Counts countsOf(Expected message) {
            int[] count = new int[DeliveryState.values().length];
            message.ends
                    .keySet()
                    .forEach(number -> count[message.state(number, clock.millis()).ordinal()]++);
            return new Counts(
                    message.ends.size(),
                    count[DeliveryState.QUEUED.ordinal()],
                    count[DeliveryState.DELIVERED.ordinal()],
                    message.opened.size(),
                    count[DeliveryState.EXPIRED.ordinal()],
                    count[DeliveryState.RECALLED.ordinal()],
                    count[DeliveryState.FAILED.ordinal()],
                    0);
        }

        private void checkOneInDetail() {
            if (messages.isEmpty()) {
                return;
            }
            Expected message = messages.get(random.nextInt(messages.size()));
            Map<Integer, DeliveryState> states = new TreeMap<>();
            for (DeviceStanding device : stores.reports().devices(app, message.id, -1, 1_000)) {
                states.put(device.number(), device.state());
            }
            Map<Integer, DeliveryState> expected = new TreeMap<>();
            message.ends
                    .keySet()
                    .forEach(number -> expected.put(number, message.state(number, clock.millis())));
            assertThat(states).isEqualTo(expected);
            Device device = anyDevice();
            if (device != null) {
                assertThat(openInStore(device.number())).isEqualTo(openInModel(device.number()));
            }
        }

        private List<Long> openInStore(int number) {
            return stores.drain(app, number, 0, 1_000).messages().stream()
                    .filter(message -> message.expiresAt() > clock.millis())
                    .map(message -> message.id())
                    .toList();
        }

        private List<Long> openInModel(int number) {
            return messages.stream()
                    .filter(message -> message.isOpen(number, clock.millis()))
                    .map(message -> message.id)
                    .toList();
        }

        @Override
        public void close() {
            stores.close();
        }
    }

    /** Moves only when it is told, so that the model and the store see the same time. */
    private static final class FrozenClock extends ManualClock {
        private long now = super.millis();

        @Override
        public long millis() {
            return now;
        }

        @Override
        public void advance(Duration time) {
            now += time.toMillis();
        }
    }
}
