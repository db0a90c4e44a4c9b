package io.postrider.server.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.InvalidProtocolBufferException;
import io.postrider.protocol.JsonFrames;
import io.postrider.protocol.MalformedFrameException;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.ServerFrame;

/** The JSON form of frames: what can be read can be written, and is the same in protobuf. */
class JsonFramesFuzzTest {
    @FuzzTest(maxDuration = "60s")
    void whatIsReadSurvivesBothEncodings(byte[] json) throws Exception {
        client(json);
        server(json);
    }

    private static void client(byte[] json) throws Exception {
        ClientFrame frame;
        try {
            frame = JsonFrames.readClient(json);
        } catch (MalformedFrameException refused) {
            return;
        }
        assertThat(ClientFrame.parseFrom(frame.toByteArray())).isEqualTo(frame);
        if (frame.getFrameCase() != ClientFrame.FrameCase.FRAME_NOT_SET
                && !(frame.hasPublish() && frame.getPublish().getMessage().isEmpty())) {
            ClientFrame again = JsonFrames.readClient(JsonFrames.write(frame));
            if (!frame.hasConnect()) {
                assertThat(again).isEqualTo(frame);
            }
        }
    }

    private static void server(byte[] json) throws InvalidProtocolBufferException {
        ServerFrame frame;
        try {
            frame = JsonFrames.readServer(json);
        } catch (MalformedFrameException refused) {
            return;
        }
        assertThat(ServerFrame.parseFrom(frame.toByteArray())).isEqualTo(frame);
    }
}
