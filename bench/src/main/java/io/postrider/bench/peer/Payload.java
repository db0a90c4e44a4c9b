package io.postrider.bench.peer;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** 256 bytes of text that begin with the time of their publishing. */
final class Payload {
    static final int BYTES = 256;
    private static final int DIGITS = 19;

    private Payload() {}

    static byte[] at(long nanos) {
        byte[] text = new byte[BYTES];
        Arrays.fill(text, (byte) 'x');
        byte[] digits = String.format("%019d", nanos).getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(digits, 0, text, 0, DIGITS);
        return text;
    }

    /** The time in a payload that begins at an index. */
    static long nanos(ByteBuf in, int from) {
        long nanos = 0;
        for (int i = from; i < from + DIGITS; i++) {
            nanos = 10 * nanos + (in.getByte(i) - '0');
        }
        return nanos;
    }

    static long nanos(String in, int from) {
        return Long.parseLong(in, from, from + DIGITS, 10);
    }
}
