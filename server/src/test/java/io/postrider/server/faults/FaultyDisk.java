package io.postrider.server.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** The disk of src/test/c/faulty_disk.c, for one process. */
final class FaultyDisk {
    private final Path mirror;
    private final Path fail;
    private final Path full;
    private final Path library;

    /** Compiles the library into the folder. */
    FaultyDisk(Path folder) throws IOException, InterruptedException {
        Tools.need("gcc");
        mirror = Files.createDirectories(folder.resolve("mirror"));
        fail = folder.resolve("fail");
        full = folder.resolve("full");
        library = folder.resolve("faulty_disk.so");
        Process gcc =
                new ProcessBuilder(
                                "gcc",
                                "-shared",
                                "-fPIC",
                                "-O2",
                                "-o",
                                library.toString(),
                                "src/test/c/faulty_disk.c",
                                "-ldl",
                                "-lpthread")
                        .inheritIO()
                        .start();
        assertThat(gcc.waitFor()).as("gcc").isZero();
    }

    Map<String, String> environment() {
        return Map.of(
                "LD_PRELOAD", library.toString(),
                "FAULTY_DISK_MIRROR", mirror.toString(),
                "FAULTY_DISK_FAIL", fail.toString(),
                "FAULTY_DISK_FULL", full.toString());
    }

    /** The files as they were flushed. */
    Path mirror() {
        return mirror;
    }

    void failFlushes(boolean fails) throws IOException {
        set(fail, fails);
    }

    void fill(boolean isFull) throws IOException {
        set(full, isFull);
    }

    private static void set(Path flag, boolean on) throws IOException {
        if (on) {
            Files.writeString(flag, "");
        } else {
            Files.deleteIfExists(flag);
        }
    }
}
