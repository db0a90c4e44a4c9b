package io.postrider.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FiguresTest {
    @Test
    void numbersKeepThreeDigitsThatCount() {
        Figures figures =
                new Figures()
                        .put("large", 123_456.0)
                        .put("small", 0.0123456)
                        .put("none", Double.NaN)
                        .put("whole", 123_456L);
        assertThat(figures.number("large")).isEqualTo(123_000);
        assertThat(figures.number("small")).isEqualTo(0.0123);
        assertThat(figures.number("none")).isZero();
        assertThat(figures.number("whole")).isEqualTo(123_456);
        assertThat(figures.number("missing")).isNaN();
        assertThat(figures.values().keySet()).containsExactly("large", "small", "none", "whole");
    }
}
