package io.postrider.server.gateway;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.PrematureChannelClosureException;
import io.postrider.protocol.Protocol;
import java.io.IOException;
import java.util.List;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks at a connection's first four bytes, says what it speaks, and leaves the pipeline. */
final class FirstBytes extends ByteToMessageDecoder {
    /** What a connection turned out to speak. */
    enum Speaks {
        TLS,
        TCP,
        HTTP,
        UNKNOWN
    }

    private static final Logger LOG = LoggerFactory.getLogger(FirstBytes.class);
    private static final int LENGTH = 4;
    private static final byte[] MAGIC = Protocol.tcpMagic();
    private static final byte TLS_HANDSHAKE = 0x16;
    private static final byte TLS_MAJOR = 0x03;
    private static final byte[] GET = {'G', 'E', 'T', ' '};

    private final BiConsumer<ChannelHandlerContext, Speaks> then;

    FirstBytes(BiConsumer<ChannelHandlerContext, Speaks> then) {
        this.then = then;
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (in.readableBytes() < LENGTH) {
            return;
        }
        if (startsWith(in, MAGIC)) {
            in.skipBytes(LENGTH);
            then.accept(ctx, Speaks.TCP);
        } else if (startsWith(in, GET)) {
            then.accept(ctx, Speaks.HTTP);
        } else if (in.getByte(in.readerIndex()) == TLS_HANDSHAKE
                && in.getByte(in.readerIndex() + 1) == TLS_MAJOR) {
            then.accept(ctx, Speaks.TLS);
        } else {
            in.skipBytes(in.readableBytes());
            then.accept(ctx, Speaks.UNKNOWN);
            return;
        }
        ctx.pipeline().remove(this);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (!isPeersFault(cause)) {
            LOG.error("a connection could not be set up", cause);
        }
        ctx.close();
    }

    /** The connection broke off, or what came was no TLS. */
    static boolean isPeersFault(Throwable cause) {
        return cause instanceof IOException
                || cause instanceof PrematureChannelClosureException
                || (cause instanceof DecoderException && cause.getCause() instanceof IOException);
    }

    private static boolean startsWith(ByteBuf in, byte[] bytes) {
        for (int i = 0; i < LENGTH; i++) {
            if (in.getByte(in.readerIndex() + i) != bytes[i]) {
                return false;
            }
        }
        return true;
    }
}
