package io.postrider.server;

import io.postrider.server.config.SettingsException;
import io.postrider.server.identity.Secrets;
import io.postrider.server.identity.SignUps;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The code by which the first developer of a server that others reach proves that the server is
 * his: in a file that only its owner reads, and told to the operator.
 */
final class FirstRunCode {
    private static final String FILE = "first-run-code";
    private static final int LETTERS = 24;
    private static final Logger LOG = LoggerFactory.getLogger(FirstRunCode.class);

    private FirstRunCode() {}

    /** A code in the data folder, in place of an earlier one; void once it has been used. */
    static SignUps write(Path data, Consumer<String> tell) {
        Path file = data.resolve(FILE);
        String code = Secrets.letters(LETTERS);
        try {
            // On PostgreSQL nothing else needs the folder.
            Files.createDirectories(data, forItsOwnerOnly(file, "rwx------"));
            Files.deleteIfExists(file);
            Files.createFile(file, forItsOwnerOnly(file, "rw-------"));
            Files.writeString(file, code + "\n", StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw new SettingsException(
                    "the first developer's code cannot be written to "
                            + file
                            + "; name a folder with --data that this user can write to");
        }
        tell.accept(
                "No developer yet. The first signs up with this code, which is also in "
                        + file
                        + ": "
                        + code);
        return SignUps.firstBy(code, () -> delete(file));
    }

    private static FileAttribute<?>[] forItsOwnerOnly(Path file, String permissions) {
        return file.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString(permissions))
                }
                : new FileAttribute<?>[0];
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.warn("{} could not be deleted; the code in it is void", file);
        }
    }
}
