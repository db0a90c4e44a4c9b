package io.postrider.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.postrider.server.ManualClock;
import io.postrider.server.delivery.MessageStore.Intake;
import io.postrider.server.delivery.StoreUnavailable;
import io.postrider.server.metrics.Metrics;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WriterTest {
    @TempDir private Path folder;
    private final Metrics metrics = new Metrics();
    private Database database;
    private Writer writer;

    @BeforeEach
    void open() {
        database = Database.open(folder, new ManualClock(), metrics);
        writer = database.writer();
    }

    @AfterEach
    void close() {
        database.close();
    }

    static int put(Tx tx, String name) {
        return tx.sql.update("INSERT INTO meta (name, value) VALUES (?, 'x')", name);
    }

    private long count(String name) {
        return database.read(sql -> sql.number("SELECT count(*) FROM meta WHERE name = ?", name));
    }

    /** Keeps the writer busy until the latch is counted down; returns once it is. */
    private void hold(CountDownLatch until) throws InterruptedException {
        hold(writer, until);
    }

    static void hold(Writer writer, CountDownLatch until) throws InterruptedException {
        CountDownLatch busy = new CountDownLatch(1);
        writer.submit(tx -> {
            busy.countDown();
            try {
                return until.await(1, TimeUnit.MINUTES);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        busy.await();
    }

    @Test
    void whatWaitsIsCommittedTogetherInItsOrder() throws Exception {
        CountDownLatch free = new CountDownLatch(1);
        hold(free);
        List<String> ran = new ArrayList<>();
        List<CompletableFuture<?>> answers = new ArrayList<>();
        for (String name : List.of("a", "b", "c")) {
            answers.add(
                    writer.submit(tx -> {
                        ran.add(name);
                        // Those before it in the transaction are seen; they are not committed yet.
                        assertThat(count("a")).isZero();
                        return put(tx, name);
                    }));
        }
        answers.add(
                writer.submitLazily(tx -> {
                    ran.add("lazy");
                    return put(tx, "lazy");
                }));
        double commits = commits();
        free.countDown();
        CompletableFuture.allOf(answers.toArray(new CompletableFuture<?>[0])).join();
        assertThat(ran).containsExactly("a", "b", "c", "lazy");
        assertThat(count("a") + count("b") + count("c") + count("lazy")).isEqualTo(4);
        assertThat(commits() - commits).isEqualTo(2);
    }

    private double commits() {
        return commits(metrics);
    }

    static double commits(Metrics metrics) {
        return metrics.scrape()
                .lines()
                .filter(line -> line.startsWith("postrider_store_commits_total "))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.indexOf(' '))))
                .sum();
    }

    @Test
    void whatIsLazyIsCommittedWithoutCompanyAfterAWhile() {
        long from = System.nanoTime();
        assertThat(writer.submitLazily(tx -> put(tx, "lazy")).join()).isEqualTo(1);
        assertThat(System.nanoTime() - from).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(40));
        assertThat(count("lazy")).isEqualTo(1);
    }

    /** Or acks would wait for as long as publishes come faster than they are written. */
    @Test
    void whatIsLazyGoesFirstOnceItIsDueHoweverMuchWaits() throws Exception {
        CountDownLatch free = new CountDownLatch(1);
        hold(free);
        CompletableFuture<Integer> lazy = writer.submitLazily(tx -> put(tx, "lazy"));
        AtomicInteger before = new AtomicInteger();
        for (int i = 0; i < 3_000; i++) {
            writer.submit(tx -> lazy.isDone() ? 0 : before.incrementAndGet());
        }
        CompletableFuture<Integer> last = writer.submit(tx -> 0);
        TimeUnit.MILLISECONDS.sleep(60); // It is due after 50, by the machine's clock.
        free.countDown();
        last.join();
        assertThat(before.get()).isLessThanOrEqualTo(1_000);
    }

    @Test
    void aMistakeInOneLeavesTheOthersAndNothingOfItself() throws Exception {
        CountDownLatch free = new CountDownLatch(1);
        hold(free);
        CompletableFuture<Integer> good = writer.submit(tx -> put(tx, "good"));
        CompletableFuture<Integer> bad =
                writer.submit(tx -> {
                    put(tx, "bad");
                    throw new IllegalStateException("on purpose");
                });
        CompletableFuture<Integer> after = writer.submit(tx -> put(tx, "after"));
        free.countDown();
        assertThat(good.join()).isEqualTo(1);
        assertThat(after.join()).isEqualTo(1);
        assertThatThrownBy(bad::join).hasRootCauseMessage("on purpose");
        assertThat(count("bad")).isZero();
        assertThat(count("good")).isEqualTo(1);
        assertThatThrownBy(() -> writer.await(tx -> put(tx, "good")))
                .isInstanceOf(StoreException.class);
        assertThat(writer.intake()).isEqualTo(Intake.OPEN);
    }

    @Test
    void effectsComeAfterTheCommitAndBeforeTheAnswerAndMayFail() {
        List<String> order = new ArrayList<>();
        CompletableFuture<Integer> answer =
                writer.submit(tx -> {
                    tx.beforeCommit(() -> order.add("prepared"));
                    tx.afterCommit(() -> {
                        order.add("seen " + count("x"));
                        throw new IllegalStateException("on purpose");
                    });
                    tx.afterCommit(() -> order.add("next"));
                    return put(tx, "x");
                });
        answer.thenRun(() -> order.add("answered")).join();
        assertThat(order).containsExactly("prepared", "seen 1", "next", "answered");
    }

    @Test
    void g10AWriterThatIsBehindSaysSo() throws Exception {
        CountDownLatch free = new CountDownLatch(1);
        hold(free);
        assertThat(writer.intake()).isEqualTo(Intake.OPEN);
        CompletableFuture<Integer> waits = writer.submit(tx -> 1);
        // By its age at first, and then by how many there are.
        await().until(() -> writer.intake() == Intake.CONGESTED);
        for (int i = 0; i < 6_000; i++) {
            waits = writer.submit(tx -> 1);
        }
        assertThat(writer.intake()).isEqualTo(Intake.CONGESTED);
        free.countDown();
        waits.get();
        assertThat(writer.intake()).isEqualTo(Intake.OPEN);
    }

    @Test
    void g12AfterFilesHaveFailedElsewhereNothingIsTakenBeforeTheyAreOpenedAnew() {
        writer.distrust();
        assertThat(writer.intake()).isEqualTo(Intake.BROKEN);
        await().until(() -> writer.intake() == Intake.OPEN);
        int changed = writer.await(tx -> put(tx, "x"));
        assertThat(changed).isEqualTo(1);
        long reopened =
                database.read(sql -> sql.number("SELECT value FROM meta WHERE name = 'reopened'"));
        assertThat(reopened).isEqualTo(1);
    }

    @Test
    void closingCommitsWhatWaitsAndThenTakesNothing() throws Exception {
        CountDownLatch free = new CountDownLatch(1);
        hold(free);
        CompletableFuture<Integer> waits = writer.submit(tx -> put(tx, "waits"));
        CompletableFuture<Integer> lazy = writer.submitLazily(tx -> put(tx, "lazy"));
        free.countDown();
        database.close();
        assertThat(waits.join() + lazy.join()).isEqualTo(2);
        assertThatThrownBy(() -> writer.await(tx -> 1)).isInstanceOf(StoreUnavailable.class);
        open();
        assertThat(count("waits") + count("lazy")).isEqualTo(2);
    }
}
