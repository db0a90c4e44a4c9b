package io.postrider.bench.peer;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class PayloadTest {
    @Test
    void theTimeIsReadAsItWasWritten() {
        long now = 4_611_686_018_427_387_904L;
        byte[] payload = Payload.at(now);
        assertThat(payload).hasSize(256);
        ByteBuf in = Unpooled.wrappedBuffer(new byte[] {'"'}, payload);
        assertThat(Payload.nanos(in, 1)).isEqualTo(now);
        assertThat(Payload.nanos(in.toString(StandardCharsets.US_ASCII), 1)).isEqualTo(now);
        assertThat(Payload.nanos(Unpooled.wrappedBuffer(Payload.at(7)), 0)).isEqualTo(7);
    }
}
