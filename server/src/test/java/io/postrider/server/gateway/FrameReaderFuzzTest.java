package io.postrider.server.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.TooLongFrameException;
import io.postrider.protocol.MalformedFrameException;
import io.postrider.protocol.Protocol;
import io.postrider.protocol.Varint;

/** Frames on TCP, from whatever bytes in whatever pieces. */
class FrameReaderFuzzTest {
    @FuzzTest(maxDuration = "60s")
    void bytesBecomeFramesOrAreRefused(FuzzedDataProvider fuzz) {
        EmbeddedChannel channel = new EmbeddedChannel(new LengthFrameDecoder());
        int in = 0;
        try {
            while (fuzz.remainingBytes() > 0) {
                byte[] piece = fuzz.consumeBytes(fuzz.consumeInt(0, 300));
                in += piece.length;
                channel.writeInbound(Unpooled.wrappedBuffer(piece));
            }
        } catch (TooLongFrameException refused) {
            assertThat(refused).hasMessageContaining(Integer.toString(Protocol.MAX_CLIENT_FRAME));
        }
        int out = 0;
        for (ByteBuf frame = channel.readInbound(); frame != null; frame = channel.readInbound()) {
            assertThat(frame.readableBytes()).isLessThanOrEqualTo(Protocol.MAX_CLIENT_FRAME);
            out += Varint.size(frame.readableBytes()) + frame.readableBytes();
            read(frame);
            frame.release();
        }
        // A length may be written longer than it need be, never shorter.
        assertThat(out).isLessThanOrEqualTo(in);
        channel.finishAndReleaseAll();
    }

    private static void read(ByteBuf frame) {
        try {
            assertThat(WireFormat.TCP_PROTOBUF.read(frame)).isNotNull();
        } catch (MalformedFrameException refused) {
            assertThat(refused).hasMessageContaining("protobuf");
        }
    }
}
