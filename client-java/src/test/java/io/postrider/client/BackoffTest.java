package io.postrider.client;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BackoffTest {
    @Test
    void boundsDoubleFromOneSecondToAMinuteAndStartOver() {
        Backoff longest = new Backoff(bound -> bound - 1);
        assertThat(longest.nextMillis()).isEqualTo(1_000);
        assertThat(longest.nextMillis()).isEqualTo(2_000);
        assertThat(longest.nextMillis()).isEqualTo(4_000);
        for (int i = 0; i < 100; i++) {
            longest.nextMillis();
        }
        assertThat(longest.nextMillis()).isEqualTo(60_000);
        longest.reset();
        assertThat(longest.nextMillis()).isEqualTo(1_000);
    }

    @Test
    void everyDelayIsJitteredDownToNothingTheFirstToo() {
        assertThat(new Backoff(bound -> 0).nextMillis()).isZero();
    }

    @Test
    void theServersHintIsObeyedAndSpread() {
        assertThat(new Backoff(bound -> 0).hintedMillis(1_200, 3_000)).isEqualTo(1_200);
        assertThat(new Backoff(bound -> bound - 1).hintedMillis(1_200, 3_000)).isEqualTo(4_200);
    }
}
