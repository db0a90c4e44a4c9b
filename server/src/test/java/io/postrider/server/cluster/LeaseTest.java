package io.postrider.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.postrider.server.ManualClock;
import io.postrider.server.delivery.NodeRegistry;
import io.postrider.server.delivery.StoreUnavailable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LeaseTest {
    private static final NodeRegistry.Self SELF =
            new NodeRegistry.Self("n", "1", List.of("tcp://n"), 100);
    private static final Duration WHOLE = Duration.ofMillis(Lease.MILLIS);
    private static final Duration TURN = Duration.ofMillis(Lease.RENEW_MILLIS);

    private final ManualClock clock = new ManualClock();
    private final List<CompletableFuture<Boolean>> asked = new ArrayList<>();
    private final AtomicInteger endings = new AtomicInteger();
    private final AtomicInteger restarts = new AtomicInteger();
    private final AtomicInteger losses = new AtomicInteger();
    private final NodeRegistry registry =
            new NodeRegistry() {
                @Override
                public CompletableFuture<Boolean> renew(Self self, long leaseMillis) {
                    asked.add(new CompletableFuture<>());
                    return asked.getLast();
                }

                @Override
                public CompletableFuture<Void> startAgain(Self self, long leaseMillis) {
                    assertThat(losses).hasValue(1 + restarts.getAndIncrement());
                    return CompletableFuture.completedFuture(null);
                }

                @Override
                public CompletableFuture<Integer> endSilent() {
                    endings.incrementAndGet();
                    return CompletableFuture.completedFuture(0);
                }

                @Override
                public List<Node> running() {
                    return List.of();
                }
            };
    private final Lease lease = new Lease(registry, SELF, clock, losses::incrementAndGet);

    private void renew() {
        lease.renew();
        asked.getLast().complete(true);
    }

    @Test
    void g11ItIsHeldFromTheFirstAnswerUntilItEndsByTheNodesOwnTicking() {
        lease.renew();
        assertThat(lease.isHeld()).isFalse();
        asked.getLast().complete(true);
        assertThat(lease.isHeld()).isTrue();
        clock.advance(WHOLE);
        assertThat(lease.isHeld()).isFalse();
    }

    @Test
    void g11ItCountsFromWhenTheStoreWasAskedNotFromItsAnswer() {
        lease.renew();
        clock.advance(WHOLE);
        asked.getLast().complete(true);
        assertThat(lease.isHeld()).isFalse();
    }

    @Test
    void theStoreIsAskedByOneAtATime() {
        lease.renew();
        lease.renew();
        assertThat(asked).hasSize(1);
        asked.getLast().completeExceptionally(new StoreUnavailable("gone"));
        lease.renew();
        assertThat(asked).hasSize(2);
    }

    @Test
    void whoHasHeldAWholeLeaseEndsThoseThatWereSilentMeanwhile() {
        renew();
        for (int i = 0; i < 3; i++) {
            clock.advance(TURN);
            renew();
        }
        assertThat(endings).hasValue(0);
        clock.advance(TURN);
        renew();
        assertThat(endings).hasValue(1);
    }

    /** Others have less of theirs left, or have none any more: it depends on when they asked. */
    @ParameterizedTest
    @ValueSource(longs = {Lease.MILLIS, 7_000, Lease.RENEW_MILLIS})
    void afterAnOutageNobodyIsEndedBeforeAWholeLease(long outage) {
        for (int i = 0; i < 6; i++) {
            renew();
            clock.advance(TURN);
        }
        int before = endings.get();
        lease.renew();
        asked.getLast().completeExceptionally(new StoreUnavailable("gone"));
        clock.advance(Duration.ofMillis(outage));
        renew();
        clock.advance(TURN);
        renew();
        assertThat(endings).hasValue(before);
    }

    @Test
    void whileTheStoreAnswersLateNobodyIsEnded() {
        for (int i = 0; i < 6; i++) {
            renew();
            clock.advance(TURN);
        }
        int before = endings.get();
        lease.renew();
        clock.advance(Duration.ofSeconds(8));
        asked.getLast().complete(true);
        renew();
        clock.advance(TURN);
        renew();
        assertThat(endings).hasValue(before);
    }

    @Test
    void g11ANodeThatWasEndedEndsItsSessionsBeforeItStartsAgain() {
        renew();
        clock.advance(WHOLE);
        lease.renew();
        asked.getLast().complete(false);
        await().until(lease::isHeld);
        assertThat(losses).hasValue(1);
        assertThat(restarts).hasValue(1);
        lease.renew();
        assertThat(asked).hasSize(3);
    }
}
