package io.postrider.client;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * The newest acknowledged ids in a file of fixed size: a ring of slots, each with its own checksum,
 * so that a process may die at any moment and loses at most the slot that it was writing. Confined
 * to its client's lock.
 *
 * <p>A slot is 16 bytes, big-endian: the id, a number that rises with each slot written, and the
 * CRC-32 of both. After the slots the server's epoch: its length in bytes and their CRC-32, 4 bytes
 * each, and the bytes.
 */
final class IdFile implements AutoCloseable {
    private static final int SLOT = 16;
    private static final int CHECKED = 12;
    private static final int EPOCH_HEAD = 8;
    private static final int MOST_EPOCH = 256;

    private final RandomAccessFile file;
    private final FileLock lock;
    private final int slots;
    private final List<Long> found;
    private int next;

    /**
     * Opens the file, or makes it.
     *
     * @throws IOException if it cannot be used, or another client uses it
     */
    IdFile(File path, int slots) throws IOException {
        this.slots = slots;
        this.file = new RandomAccessFile(path, "rw");
        this.lock = lock(path);
        this.found = read();
    }

    private FileLock lock(File path) throws IOException {
        try {
            FileLock taken = file.getChannel().tryLock();
            if (taken != null) {
                return taken;
            }
        } catch (OverlappingFileLockException e) {
            // Taken by this process; answered as if by another.
        }
        file.close();
        throw new IOException(path + " is used by another client");
    }

    private List<Long> read() throws IOException {
        byte[] all = new byte[(int) Math.min(file.length(), (long) slots * SLOT)];
        file.seek(0);
        file.readFully(all);
        List<long[]> entries = new ArrayList<>();
        for (int at = 0; at + SLOT <= all.length; at += SLOT) {
            ByteBuffer entry = ByteBuffer.wrap(all, at, SLOT);
            long id = entry.getLong();
            int number = entry.getInt();
            if (entry.getInt() == checksum(all, at, CHECKED) && number % slots == at / SLOT) {
                entries.add(new long[] {number, id});
            }
        }
        entries.sort(Comparator.comparingLong(entry -> entry[0]));
        List<Long> ids = new ArrayList<>();
        for (long[] entry : entries) {
            ids.add(entry[1]);
            next = (int) entry[0] + 1;
        }
        return ids;
    }

    private static int checksum(byte[] bytes, int at, int length) {
        CRC32 crc = new CRC32();
        crc.update(bytes, at, length);
        return (int) crc.getValue();
    }

    /** What was in the file when it was opened, oldest first. */
    List<Long> ids() {
        return Collections.unmodifiableList(found);
    }

    /** Adds an id in place of the oldest one. */
    void add(long id) throws IOException {
        ByteBuffer slot = ByteBuffer.allocate(SLOT);
        slot.putLong(id).putInt(next);
        slot.putInt(checksum(slot.array(), 0, CHECKED));
        file.seek((long) (next % slots) * SLOT);
        file.write(slot.array());
        next++;
    }

    /** The server's epoch as it was kept last; null if none was. */
    @Nullable String epoch() throws IOException {
        long at = (long) slots * SLOT;
        if (file.length() < at + EPOCH_HEAD) {
            return null;
        }
        file.seek(at);
        int length = file.readInt();
        int checksum = file.readInt();
        // Of a file that was only made longer before the power failed.
        if (length <= 0 || length > MOST_EPOCH || file.length() < at + EPOCH_HEAD + length) {
            return null;
        }
        byte[] text = new byte[length];
        file.readFully(text);
        return checksum(text, 0, length) == checksum
                ? new String(text, StandardCharsets.UTF_8)
                : null;
    }

    /** Keeps the server's epoch. */
    void epoch(String now) throws IOException {
        byte[] text = now.getBytes(StandardCharsets.UTF_8);
        ByteBuffer entry = ByteBuffer.allocate(EPOCH_HEAD + text.length);
        entry.putInt(text.length).putInt(checksum(text, 0, text.length)).put(text);
        file.seek((long) slots * SLOT);
        file.write(entry.array());
    }

    /** Has no effect the second time. */
    @Override
    public void close() throws IOException {
        if (lock.isValid()) {
            lock.release();
        }
        file.close();
    }
}
