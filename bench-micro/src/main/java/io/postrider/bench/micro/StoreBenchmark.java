package io.postrider.bench.micro;

import io.postrider.server.clock.Clock;
import io.postrider.server.delivery.Accepted;
import io.postrider.server.delivery.AckBatch;
import io.postrider.server.delivery.AckOutcome;
import io.postrider.server.delivery.Mailboxes.Drained;
import io.postrider.server.delivery.NewMessage;
import io.postrider.server.delivery.NewMessage.Target;
import io.postrider.server.delivery.Recipients;
import io.postrider.server.identity.AuditLog.Actor;
import io.postrider.server.identity.Secrets;
import io.postrider.server.metrics.Metrics;
import io.postrider.server.store.Database;
import io.postrider.server.store.SqlApps;
import io.postrider.server.store.SqlMailboxes;
import io.postrider.server.store.SqlMessages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What the store takes for one message of many, on SQLite, flushed. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class StoreBenchmark {
    private static final int MANY = 1_000;
    private static final int IN_MAILBOX = 100;

    /** A store with one app. */
    @State(Scope.Benchmark)
    public static class Store {
        Path folder;
        Database database;
        SqlMessages messages;
        SqlMailboxes mailboxes;
        long app;

        @Setup
        public void open() throws IOException {
            folder = Files.createTempDirectory("postrider-micro");
            database = Database.open(folder.resolve("data"), Clock.system(), new Metrics());
            messages = new SqlMessages(database, Clock.system(), 0);
            mailboxes = new SqlMailboxes(database, Clock.system());
            app =
                    new SqlApps(database)
                            .add(
                                    new Actor(1, "micro", "micro"),
                                    "micro",
                                    Secrets.letters(24),
                                    Secrets.bytes(32),
                                    Secrets.bytes(32))
                            .id();
        }

        CompletableFuture<Accepted> publish(Recipients recipients) {
            return messages.accept(
                    new NewMessage(
                            app,
                            resolved(recipients),
                            "\"all\"",
                            "{}",
                            3_600_000,
                            true,
                            false,
                            new byte[256],
                            null,
                            "micro"));
        }

        /** Nothing is ever logged after it. */
        private static Target.Devices resolved(Recipients recipients) {
            return new Target.Devices(
                    recipients, Long.MAX_VALUE, false, end -> resolved(recipients));
        }

        static long id(CompletableFuture<Accepted> answer) {
            return ((Accepted.Stored) answer.join()).id();
        }

        /** Acks wait for company; this is it. */
        List<AckOutcome> acknowledge(AckBatch acks) {
            CompletableFuture<List<AckOutcome>> answer = messages.acknowledge(acks);
            messages.addWritten(acks.get(0).messageId(), 0);
            return answer.join();
        }

        @TearDown
        public void close() throws IOException {
            database.close();
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    /** A thousand messages to a device each, which all of them acknowledge at once. */
    @State(Scope.Benchmark)
    public static class ToOne {
        AckBatch acks;

        @Setup(Level.Invocation)
        public void publish(Store store) {
            List<CompletableFuture<Accepted>> answers = new ArrayList<>();
            for (int number = 0; number < MANY; number++) {
                answers.add(store.publish(Recipients.of(number)));
            }
            acks = new AckBatch();
            for (int number = 0; number < MANY; number++) {
                acks.add(store.app, number, Store.id(answers.get(number)), false);
            }
        }
    }

    /** One message to a thousand devices, which all of them acknowledge at once. */
    @State(Scope.Benchmark)
    public static class ToMany {
        AckBatch acks;

        @Setup(Level.Invocation)
        public void publish(Store store) {
            int[] numbers = IntStream.range(0, MANY).toArray();
            long id = Store.id(store.publish(Recipients.of(numbers)));
            acks = new AckBatch();
            for (int number : numbers) {
                acks.add(store.app, number, id, false);
            }
        }
    }

    /** A device with a hundred messages that wait, among a thousand with as many. */
    @State(Scope.Benchmark)
    public static class Mailbox {
        @Setup
        public void fill(Store store) {
            for (int i = 0; i < IN_MAILBOX; i++) {
                CompletableFuture<Accepted> last = store.publish(Recipients.of(0));
                for (int number = 1; number < MANY; number++) {
                    last = store.publish(Recipients.of(number));
                }
                last.join();
            }
        }
    }

    @Benchmark
    @OperationsPerInvocation(MANY)
    public List<AckOutcome> acknowledgeMessagesToOne(Store store, ToOne sent) {
        return store.acknowledge(sent.acks);
    }

    @Benchmark
    @OperationsPerInvocation(MANY)
    public List<AckOutcome> acknowledgeAMessageToMany(Store store, ToMany sent) {
        return store.acknowledge(sent.acks);
    }

    @Benchmark
    @OperationsPerInvocation(IN_MAILBOX)
    public Drained drainAMailbox(Store store, Mailbox mailbox) {
        return store.mailboxes.drain(store.app, 1, 1, 0, IN_MAILBOX).orElseThrow();
    }
}
