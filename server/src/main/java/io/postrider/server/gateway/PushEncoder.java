package io.postrider.server.gateway;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.postrider.server.delivery.Message;
import org.jspecify.annotations.Nullable;

/**
 * Encodes a first presentation once for each wire format and event loop; every connection there
 * writes a slice of it. Remembers a few recent messages. Confined to its event loop.
 */
final class PushEncoder {
    private static final int SLOTS = 32;
    private static final WireFormat[] FORMATS = WireFormat.values();

    private final ByteBufAllocator allocator;
    private final @Nullable Message[] messages = new Message[SLOTS];
    private final @Nullable ByteBuf[][] encoded = new ByteBuf[SLOTS][FORMATS.length];

    PushEncoder(ByteBufAllocator allocator) {
        this.allocator = allocator;
    }

    /** The bytes of one presentation, for the caller to release by writing them. */
    ByteBuf encode(Message message, int attempt, WireFormat format) {
        if (attempt > 1) {
            return format.write(message, attempt, allocator);
        }
        int slot = (int) ((message.id() ^ (message.id() >>> 22)) & (SLOTS - 1));
        Message kept = messages[slot];
        if (kept == null || kept.id() != message.id()) {
            clear(slot);
            messages[slot] = message;
        }
        ByteBuf bytes = encoded[slot][format.ordinal()];
        if (bytes == null) {
            bytes = format.write(message, attempt, allocator);
            encoded[slot][format.ordinal()] = bytes;
        }
        return bytes.retainedDuplicate();
    }

    /** Lets go of what is remembered. */
    void close() {
        for (int slot = 0; slot < SLOTS; slot++) {
            clear(slot);
        }
    }

    private void clear(int slot) {
        for (int i = 0; i < FORMATS.length; i++) {
            ByteBuf bytes = encoded[slot][i];
            if (bytes != null) {
                bytes.release();
                encoded[slot][i] = null;
            }
        }
        messages[slot] = null;
    }
}
