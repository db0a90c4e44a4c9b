package io.postrider.protocol;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.google.protobuf.MessageLite;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.ServerFrame;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * The JSON form of the frames. Reads and writes the same objects as the protobuf form; golden
 * frames in the tests hold the two together.
 *
 * <p>Strict where a mistake could change what a frame means (duplicate keys, wrong types, ids that
 * are no decimal strings), deaf to fields and frames that it does not know. Thread-safe.
 */
public final class JsonFrames {
    static final JsonFactory FACTORY =
            JsonFactory.builder()
                    .disable(JsonFactory.Feature.CHARSET_DETECTION)
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(
                            StreamReadConstraints.builder()
                                    .maxNestingDepth(100)
                                    .maxStringLength(Protocol.MAX_SERVER_FRAME)
                                    .maxNameLength(Protocol.MAX_SERVER_FRAME)
                                    .maxNumberLength(Protocol.MAX_SERVER_FRAME)
                                    .build())
                    .build();

    private JsonFrames() {}

    /**
     * Reads a device's frame.
     *
     * @return the frame; one without a content for a frame that this version does not know
     * @throws MalformedFrameException if the bytes are no such frame
     */
    public static ClientFrame readClient(byte[] json) throws MalformedFrameException {
        try (JsonReader in = new JsonReader(json)) {
            ClientFrame.Builder frame = ClientFrame.newBuilder();
            in.frame(name -> ClientFrameJson.read(name, in, frame));
            return frame.build();
        }
    }

    /**
     * Reads a server's frame.
     *
     * @return the frame; one without a content for a frame that this version does not know
     * @throws MalformedFrameException if the bytes are no such frame
     */
    public static ServerFrame readServer(byte[] json) throws MalformedFrameException {
        try (JsonReader in = new JsonReader(json)) {
            ServerFrame.Builder frame = ServerFrame.newBuilder();
            in.frame(name -> ServerFrameJson.read(name, in, frame));
            return frame.build();
        }
    }

    /** The JSON form of a device's frame, in UTF-8. */
    public static byte[] write(ClientFrame frame) {
        return write(frame, out -> ClientFrameJson.write(frame, out));
    }

    /** The JSON form of a server's frame, in UTF-8. Raw JSON inside it is written as it is. */
    public static byte[] write(ServerFrame frame) {
        return write(frame, out -> ServerFrameJson.write(frame, out));
    }

    private static byte[] write(MessageLite frame, Body body) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(frame.getSerializedSize() + 64);
        try (JsonGenerator out = FACTORY.createGenerator(bytes)) {
            out.writeStartObject();
            body.write(out);
            out.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return bytes.toByteArray();
    }

    private interface Body {
        void write(JsonGenerator out) throws IOException;
    }
}
