package io.postrider.server.gateway;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.TooLongFrameException;
import io.postrider.protocol.Protocol;
import io.postrider.protocol.Varint;
import java.util.List;

/** Frames on TCP: a varint length, then so many bytes. Refuses a length before its bytes come. */
final class LengthFrameDecoder extends ByteToMessageDecoder {
    /** A length that does not end within its bytes is over every limit. */
    private static final int TOO_LONG = -2;

    private static final int INCOMPLETE = -1;

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        int start = in.readerIndex();
        int length = length(in);
        if (length == TOO_LONG || length > Protocol.MAX_CLIENT_FRAME) {
            in.skipBytes(in.readableBytes());
            throw new TooLongFrameException(
                    "a frame has at most " + Protocol.MAX_CLIENT_FRAME + " bytes");
        }
        if (length == INCOMPLETE || in.readableBytes() < length) {
            in.readerIndex(start);
            return;
        }
        out.add(in.readRetainedSlice(length));
    }

    private static int length(ByteBuf in) {
        int length = 0;
        for (int i = 0; i < Varint.MAX_BYTES; i++) {
            if (!in.isReadable()) {
                return INCOMPLETE;
            }
            byte next = in.readByte();
            length |= (next & 0x7f) << (7 * i);
            if (next >= 0) {
                return length;
            }
        }
        return TOO_LONG;
    }
}
