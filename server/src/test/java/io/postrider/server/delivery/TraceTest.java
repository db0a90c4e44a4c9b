package io.postrider.server.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.server.delivery.Trace.Entry;
import io.postrider.server.delivery.Trace.Event;
import org.junit.jupiter.api.Test;

class TraceTest {
    private static final int CAPACITY = 4;

    private long now = 1_000;
    private final Trace trace = new Trace(CAPACITY, now);

    private void record(Event event, long device, long message) {
        now++;
        trace.record(event, device, message, now);
    }

    @Test
    void aDevicesEventsOfAMessageAreToldInTheirOrder() {
        record(Event.WOKEN, 1, 50);
        record(Event.SENT, 2, 50);
        record(Event.ACK_TIMED_OUT, 1, 50);
        record(Event.SENT, 1, 51);
        assertThat(trace.of(1, 50))
                .containsExactly(
                        new Entry(1_001, Event.WOKEN), new Entry(1_003, Event.ACK_TIMED_OUT));
        assertThat(trace.of(3, 50)).isEmpty();
        assertThat(trace.completeSince()).isEqualTo(1_000);
    }

    @Test
    void whatIsSentAtOnceIsToldAsBoth() {
        record(Event.WOKEN_AND_SENT, 1, 50);
        assertThat(trace.of(1, 50))
                .containsExactly(new Entry(1_001, Event.WOKEN), new Entry(1_001, Event.SENT));
    }

    @Test
    void theNewestOverwriteTheOldestWhichIsTold() {
        for (int i = 1; i <= 6; i++) {
            record(Event.SENT, 1, i);
        }
        assertThat(trace.of(1, 1)).isEmpty();
        assertThat(trace.of(1, 2)).isEmpty();
        for (int i = 3; i <= 6; i++) {
            assertThat(trace.of(1, i)).containsExactly(new Entry(1_000 + i, Event.SENT));
        }
        assertThat(trace.completeSince()).isEqualTo(1_003);
    }
}
