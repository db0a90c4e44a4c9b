package io.postrider.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class CloseCodeTest {
    @Test
    void theRangeSaysWhatToDo() {
        assertThat(CloseCode.reconnects(1006)).isTrue();
        assertThat(CloseCode.reconnects(CloseCode.SHUTDOWN.number())).isTrue();
        assertThat(CloseCode.needsNewToken(CloseCode.SHUTDOWN.number())).isFalse();
        assertThat(CloseCode.reconnects(CloseCode.TOKEN_REFUSED.number())).isTrue();
        assertThat(CloseCode.needsNewToken(CloseCode.TOKEN_REFUSED.number())).isTrue();
        assertThat(CloseCode.reconnects(CloseCode.TAKEN_OVER.number())).isFalse();
        assertThat(CloseCode.isOwn(1006)).isFalse();
        assertThat(CloseCode.isOwn(CloseCode.SHUTDOWN.number())).isTrue();
    }

    @Test
    void everyCodeIsInTheDocs() throws IOException {
        String docs = Files.readString(Path.of("../docs/protocol.md"));
        for (CloseCode code : CloseCode.values()) {
            assertThat(docs).contains("| " + code.number() + " | `" + code.reason() + "`");
            assertThat(CloseCode.of(code.number())).isEqualTo(code);
        }
    }
}
