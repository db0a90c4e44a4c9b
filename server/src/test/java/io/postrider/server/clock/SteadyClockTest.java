package io.postrider.server.clock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The store's clock on a machine whose own is set by somebody (G8). */
class SteadyClockTest {
    private static final long DAY = TimeUnit.DAYS.toMillis(1);
    private static final long HOUR = TimeUnit.HOURS.toMillis(1);
    private static final long START = 1_800_000_000_000L;

    private long wall = START;
    private long monotonic = 5_000;
    private long uptime = 100_000;
    private final SteadyClock clock = new SteadyClock(() -> wall, () -> monotonic, () -> uptime);

    private void pass(long millis) {
        for (long left = millis; left > 0; left -= 1_000) {
            long step = Math.min(1_000, left);
            wall += step;
            monotonic += step;
            uptime += step;
            clock.millis();
        }
    }

    @Test
    void itIsTheMachinesTime() {
        assertThat(clock.millis()).isEqualTo(START);
        pass(HOUR);
        assertThat(clock.millis()).isEqualTo(START + HOUR);
    }

    @Test
    void g8AJumpOfADayForwardExpiresNothingEarly() {
        pass(10_000);
        wall += DAY;
        assertThat(clock.millis()).isEqualTo(START + 10_000);
        pass(HOUR);
        // What is made up is a hundredth of the time that passes.
        assertThat(clock.millis()).isCloseTo(START + 10_000 + HOUR, within(HOUR / 100 + 1_000));
    }

    @Test
    void g8AJumpOfADayBackLetsNothingLiveLong() {
        pass(10_000);
        wall -= DAY;
        pass(HOUR);
        assertThat(clock.millis()).isCloseTo(START + 10_000 + HOUR, within(HOUR / 100 + 1_000));
    }

    @Test
    void itNeverGoesBack() {
        long last = clock.millis();
        for (int i = 0; i < 200; i++) {
            wall += i % 3 == 0 ? -5_000 : 2_000;
            pass(1_000);
            assertThat(clock.millis()).isGreaterThanOrEqualTo(last);
            last = clock.millis();
        }
    }

    @Test
    void aSmallDifferenceIsMadeUpSlowly() {
        wall += 2_000;
        pass(100_000);
        assertThat(clock.millis()).isCloseTo(wall - 1_000, within(20L));
        pass(200_000);
        assertThat(clock.millis()).isEqualTo(wall);
    }

    @Test
    void whatTheMachineSleptHasPassed() {
        pass(10_000);
        wall += 8 * HOUR;
        uptime += 8 * HOUR;
        pass(2_000);
        assertThat(clock.millis()).isCloseTo(START + 12_000 + 8 * HOUR, within(50L));
        wall += DAY;
        pass(2_000);
        assertThat(clock.millis()).isCloseTo(START + 14_000 + 8 * HOUR, within(100L));
    }

    /** PostgreSQL's time is everybody's, however wrong the machine's own is. */
    @Test
    void g8TimeThatWasAdoptedIsNotDrawnToTheMachines() {
        wall += 5 * 60_000;
        assertThat(clock.adopt(START)).isEqualTo(START);
        pass(HOUR);
        assertThat(clock.millis()).isEqualTo(START + HOUR);
        wall -= 10 * 60_000;
        pass(HOUR);
        assertThat(clock.millis()).isEqualTo(START + 2 * HOUR);
    }

    @Test
    void itGoesOnWhereAnEarlierRunLeftOff() {
        clock.notBefore(START + HOUR);
        assertThat(clock.millis()).isEqualTo(START + HOUR);
        clock.notBefore(START);
        assertThat(clock.millis()).isEqualTo(START + HOUR);
        pass(10_000);
        assertThat(clock.millis()).isCloseTo(START + HOUR + 10_000, within(100L));
    }
}
