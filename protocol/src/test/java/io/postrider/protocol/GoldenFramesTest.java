package io.postrider.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.ServerFrame;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * golden/frames.tsv holds each kind of frame in both encodings. It is shared with SDKs in other
 * languages, so it changes only by additions.
 */
class GoldenFramesTest {
    private static final Path FILE = Path.of("src/test/resources/golden/frames.tsv");

    private static final class Golden {
        final String name;
        final byte[] protobuf;
        final String json;

        Golden(String[] columns) {
            this.name = columns[0];
            this.protobuf = bytes(columns[1]);
            this.json = columns[2];
        }
    }

    private static List<Golden> read() throws IOException {
        List<Golden> frames = new ArrayList<>();
        for (String line : Files.readAllLines(FILE)) {
            if (!line.startsWith("#")) {
                frames.add(new Golden(line.split("\t", -1)));
            }
        }
        return frames;
    }

    private static byte[] bytes(String hex) {
        byte[] bytes = new byte[hex.length() / 2];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        }
        return bytes;
    }

    @Test
    void bothEncodingsReadAsTheSameFrameAndWriteAsTheyStand() throws IOException {
        for (Golden golden : read()) {
            byte[] json = golden.json.getBytes(StandardCharsets.UTF_8);
            if (golden.name.startsWith("client.")) {
                ClientFrame frame = ClientFrame.parseFrom(golden.protobuf);
                assertThat(JsonFrames.readClient(json)).as(golden.name).isEqualTo(frame);
                assertThat(frame.toByteArray()).as(golden.name).isEqualTo(golden.protobuf);
                assertThat(JsonFrames.write(frame)).as(golden.name).isEqualTo(json);
            } else {
                ServerFrame frame = ServerFrame.parseFrom(golden.protobuf);
                assertThat(JsonFrames.readServer(json)).as(golden.name).isEqualTo(frame);
                assertThat(frame.toByteArray()).as(golden.name).isEqualTo(golden.protobuf);
                assertThat(JsonFrames.write(frame)).as(golden.name).isEqualTo(json);
            }
        }
    }

    @Test
    void everyKindOfFrameIsThere() throws IOException {
        Set<ClientFrame.FrameCase> client = new HashSet<>();
        Set<ServerFrame.FrameCase> server = new HashSet<>();
        client.add(ClientFrame.FrameCase.FRAME_NOT_SET);
        server.add(ServerFrame.FrameCase.FRAME_NOT_SET);
        for (Golden golden : read()) {
            if (golden.name.startsWith("client.")) {
                client.add(ClientFrame.parseFrom(golden.protobuf).getFrameCase());
            } else {
                server.add(ServerFrame.parseFrom(golden.protobuf).getFrameCase());
            }
        }
        assertThat(client).containsExactlyInAnyOrder(ClientFrame.FrameCase.values());
        assertThat(server).containsExactlyInAnyOrder(ServerFrame.FrameCase.values());
    }
}
