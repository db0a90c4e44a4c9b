package io.postrider.protocol;

/** The length before each frame on TCP: protobuf's base-128 varint, unsigned, least part first. */
public final class Varint {
    /** The most bytes that a length of up to 28 bits takes; a longer one is over every limit. */
    public static final int MAX_BYTES = 4;

    private Varint() {}

    /** How many bytes {@code value} (not negative, below 2^28) takes. */
    public static int size(int value) {
        int size = 1;
        for (int rest = value >>> 7; rest != 0; rest >>>= 7) {
            size++;
        }
        return size;
    }

    /** Writes {@code value} at {@code at} and answers the index behind it. */
    public static int write(int value, byte[] into, int at) {
        int rest = value;
        int next = at;
        while ((rest & ~0x7f) != 0) {
            into[next++] = (byte) ((rest & 0x7f) | 0x80);
            rest >>>= 7;
        }
        into[next++] = (byte) rest;
        return next;
    }
}
