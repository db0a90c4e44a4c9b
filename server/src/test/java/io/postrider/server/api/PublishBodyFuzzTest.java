package io.postrider.server.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.postrider.protocol.JsonFrames;
import io.postrider.protocol.MalformedFrameException;
import io.postrider.protocol.v1.Push;
import io.postrider.protocol.v1.ServerFrame;
import io.postrider.server.publish.Publish;
import java.nio.charset.StandardCharsets;

/** Publishes and their audiences: accepted whole, or refused with a problem of the caller's. */
class PublishBodyFuzzTest {
    @FuzzTest(maxDuration = "60s")
    void aBodyIsPublishableOrAProblem(byte[] body) throws Exception {
        Publish publish;
        try {
            publish = PublishBody.read(body, null, "fuzz");
        } catch (Problem problem) {
            assertThat(problem.code.status).isBetween(400, 499);
            return;
        }
        // What reports show as the audience is an audience, and means the same.
        Publish again =
                PublishBody.read(
                        ("{\"audience\":" + publish.audienceJson() + ",\"data\":1}")
                                .getBytes(StandardCharsets.UTF_8),
                        null,
                        "fuzz");
        assertThat(again.audienceJson()).isEqualTo(publish.audienceJson());
        // What devices get can be written and read in JSON.
        assertReadable(Push.parseFrom(publish.content()));
    }

    private static void assertReadable(Push push) throws MalformedFrameException {
        byte[] json = JsonFrames.write(ServerFrame.newBuilder().setPush(push).build());
        assertThat(JsonFrames.readServer(json).getPush().getNotification())
                .isEqualTo(push.getNotification());
        assertThat(JsonFrames.readServer(json).getPush().getData()).isEqualTo(push.getData());
    }
}
