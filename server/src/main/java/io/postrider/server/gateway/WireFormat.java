package io.postrider.server.gateway;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.postrider.protocol.JsonFrames;
import io.postrider.protocol.MalformedFrameException;
import io.postrider.protocol.Varint;
import io.postrider.protocol.v1.ClientFrame;
import io.postrider.protocol.v1.Push;
import io.postrider.protocol.v1.ServerFrame;
import io.postrider.server.delivery.Message;
import java.io.IOException;
import java.io.UncheckedIOException;

/** The forms in which frames travel, down to the bytes on the socket. */
enum WireFormat {
    /** Protobuf with a varint length before each frame. */
    TCP_PROTOBUF,
    /** Protobuf, a binary WebSocket message each. */
    WEBSOCKET_PROTOBUF,
    /** JSON, a text WebSocket message each. */
    WEBSOCKET_JSON;

    private static final int TEXT = 0x81;
    private static final int BINARY = 0x82;
    private static final int MOST_HEADER = 10;

    ClientFrame read(ByteBuf payload) throws MalformedFrameException {
        byte[] bytes = new byte[payload.readableBytes()];
        payload.readBytes(bytes);
        if (this == WEBSOCKET_JSON) {
            return JsonFrames.readClient(bytes);
        }
        try {
            return ClientFrame.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new MalformedFrameException("not the protobuf of a frame");
        }
    }

    /** A frame with everything around it that the socket needs. */
    ByteBuf write(ServerFrame frame, ByteBufAllocator allocator) {
        if (this == WEBSOCKET_JSON) {
            byte[] json = JsonFrames.write(frame);
            return header(json.length, allocator).writeBytes(json);
        }
        return header(frame.getSerializedSize(), allocator).writeBytes(frame.toByteArray());
    }

    /** The push of a message, the payload copied once. */
    ByteBuf write(Message message, int attempt, ByteBufAllocator allocator) {
        if (this == WEBSOCKET_JSON) {
            return write(
                    ServerFrame.newBuilder().setPush(message.push(attempt)).build(), allocator);
        }
        byte[] rest = rest(message, attempt);
        int push = message.content().length + rest.length;
        byte[] tag = tagOfPush(push);
        return header(tag.length + push, allocator)
                .writeBytes(tag)
                .writeBytes(message.content())
                .writeBytes(rest);
    }

    /** The fields of a push that are not in its content. */
    private static byte[] rest(Message message, int attempt) {
        Push.Builder rest =
                Push.newBuilder()
                        .setId(message.id())
                        .setCreatedAt(message.createdAt())
                        .setExpiresAt(message.expiresAt());
        if (attempt > 1) {
            rest.setAttempt(attempt);
        }
        if (!message.wantsAck()) {
            rest.setAck(false);
        }
        return rest.build().toByteArray();
    }

    private static byte[] tagOfPush(int length) {
        int tag = (ServerFrame.PUSH_FIELD_NUMBER << 3) | 2;
        byte[] bytes =
                new byte
                        [CodedOutputStream.computeUInt32SizeNoTag(tag)
                                + CodedOutputStream.computeUInt32SizeNoTag(length)];
        try {
            CodedOutputStream out = CodedOutputStream.newInstance(bytes);
            out.writeUInt32NoTag(tag);
            out.writeUInt32NoTag(length);
            out.checkNoSpaceLeft();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return bytes;
    }

    private ByteBuf header(int length, ByteBufAllocator allocator) {
        ByteBuf out = allocator.ioBuffer(MOST_HEADER + length);
        if (this == TCP_PROTOBUF) {
            byte[] varint = new byte[Varint.MAX_BYTES];
            return out.writeBytes(varint, 0, Varint.write(length, varint, 0));
        }
        out.writeByte(this == WEBSOCKET_JSON ? TEXT : BINARY);
        if (length <= 125) {
            return out.writeByte(length);
        }
        if (length <= 0xffff) {
            return out.writeByte(126).writeShort(length);
        }
        return out.writeByte(127).writeLong(length);
    }
}
