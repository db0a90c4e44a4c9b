package io.postrider.server.store;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;

/**
 * The folder of one server's data, locked by the operating system while it is in use: a killed
 * server leaves no lock behind.
 */
final class DataFolder implements AutoCloseable {
    private static final String LOCK = "lock";
    private static final String DATABASE = "postrider.db";

    private final Path path;
    private final FileChannel channel;
    private final FileLock lock;

    private DataFolder(Path path, FileChannel channel, FileLock lock) {
        this.path = path;
        this.channel = channel;
        this.lock = lock;
    }

    /** Creates the folder if need be, for its owner only, and locks it. */
    static DataFolder open(Path path) {
        try {
            create(path);
            keepToOwner(path.resolve(LOCK));
            // SQLite gives its other files the mode of this one.
            keepToOwner(path.resolve(DATABASE));
            FileChannel channel =
                    FileChannel.open(
                            path.resolve(LOCK),
                            StandardOpenOption.CREATE,
                            StandardOpenOption.WRITE);
            FileLock lock = tryLock(channel);
            if (lock == null) {
                channel.close();
                throw new StoreException(
                        "another server is using "
                                + path.toAbsolutePath()
                                + "; stop it, or choose another folder with --data");
            }
            return new DataFolder(path, channel, lock);
        } catch (IOException e) {
            throw new StoreException(
                    path.toAbsolutePath() + " cannot be used: " + e.getMessage(), e);
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null;
        }
    }

    /** Makes the file if need be; nobody else reads it, whoever made the folder. */
    static void keepToOwner(Path file) throws IOException {
        if (Files.notExists(file)) {
            Files.createFile(file);
        }
        if (file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        }
    }

    private static void create(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            return;
        }
        Files.createDirectories(path);
        if (path.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx------"));
        }
    }

    Path database() {
        return databaseIn(path);
    }

    /** Where a folder's database is, if it has one. */
    static Path databaseIn(Path path) {
        return path.resolve(DATABASE);
    }

    /** Is there while the database is open, and after a node was killed. */
    Path log() {
        return path.resolve(DATABASE + "-wal");
    }

    /** Is there while the database is open. */
    Path walIndex() {
        return path.resolve(DATABASE + "-shm");
    }

    @Override
    public void close() {
        try {
            lock.release();
            channel.close();
        } catch (IOException e) {
            throw new StoreException("the lock on " + path + " could not be released", e);
        }
    }
}
