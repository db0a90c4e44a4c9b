package io.postrider.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProbeTest {
    private final Probe self = new Probe(List.of(ProcessHandle.current().pid()));

    @Test
    void cpuIsWhatWasUsed() {
        double before = self.cpuSeconds();
        long until = System.nanoTime() + 300_000_000;
        while (System.nanoTime() < until) {
            Thread.onSpinWait();
        }
        assertThat(self.cpuSeconds() - before).isGreaterThan(0.1);
    }

    @Test
    void memoryIsWhatIsHeld() {
        long heap = self.liveHeapBytes();
        byte[] held = new byte[64 << 20];
        assertThat(self.liveHeapBytes() - heap).isBetween(60L << 20, 80L << 20);
        assertThat(held).isNotEmpty();
    }

    @Test
    void residentIsWhatWasTouched() {
        long before = self.residentKb();
        try (Arena arena = Arena.ofConfined()) {
            // Outside the heap, whose collector gives pages back when it likes.
            arena.allocate(64 << 20).fill((byte) 1);
            assertThat(self.residentKb() - before).isBetween(60L << 10, 80L << 10);
        }
    }
}
