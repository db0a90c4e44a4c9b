package io.postrider.server.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class WindowTest {
    private final Window window = new Window(10);

    private void add(int upTo) {
        for (long id = 1; id <= upTo; id++) {
            window.add(id);
        }
    }

    @Test
    void keepsItsOrderWhateverLeaves() {
        add(10);
        assertThat(window.remove(1)).isTrue();
        assertThat(window.remove(5)).isTrue();
        assertThat(window.remove(10)).isTrue();
        assertThat(window.all()).containsExactly(2L, 3L, 4L, 6L, 7L, 8L, 9L);
        assertThat(window.first()).isEqualTo(2);
        assertThat(window.room()).isEqualTo(3);
        assertThat(window.contains(9)).isTrue();
        assertThat(window.contains(10)).isFalse();
    }

    @Test
    void whatIsNotHereCanNotLeave() {
        add(3);
        assertThat(window.remove(4)).isFalse();
        assertThat(window.room()).isEqualTo(7);
    }

    @Test
    void isUsableAgainOnceEmptied() {
        add(10);
        for (long id = 1; id <= 10; id++) {
            window.remove(id);
        }
        assertThat(window.isEmpty()).isTrue();
        window.add(11);
        assertThat(window.all()).containsExactly(11L);
        window.clear();
        assertThat(window.isEmpty()).isTrue();
        assertThat(window.room()).isEqualTo(10);
    }

    @Test
    void takesNoMoreThanItsLimit() {
        add(10);
        assertThat(window.room()).isZero();
        assertThatThrownBy(() -> window.add(11)).isInstanceOf(IllegalStateException.class);
    }
}
