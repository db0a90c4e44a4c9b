package io.postrider.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ProbeTest {
    private final Probe self = new Probe(ProcessHandle.current().pid());

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
        long resident = self.residentKb();
        byte[] held = new byte[64 << 20];
        held[held.length / 2] = 1;
        assertThat(self.liveHeapBytes() - heap).isBetween(60L << 20, 80L << 20);
        assertThat(self.residentKb() - resident).isGreaterThan(32 << 10);
        assertThat(held[held.length / 2]).isEqualTo((byte) 1);
    }
}
