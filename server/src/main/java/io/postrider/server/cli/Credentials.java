package io.postrider.server.cli;

import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Properties;
import java.util.TreeMap;

/**
 * What {@code app create} leaves for {@code listen} and {@code publish}: a file for its owner only,
 * in the folder that POSTRIDER_HOME names, or in {@code .config/postrider} of the home folder.
 */
record Credentials(
        String server,
        String developer,
        String password,
        String app,
        String appKey,
        String secret) {

    private static final String FILE = "credentials";
    private static final String CURL_FILE = "curl";

    private static Path folder() {
        String named = System.getenv("POSTRIDER_HOME");
        return named != null && !named.isEmpty()
                ? Path.of(named)
                : Path.of(System.getProperty("user.home"), ".config", "postrider");
    }

    static boolean exist() {
        return Files.exists(folder().resolve(FILE));
    }

    /**
     * @throws CliException if there are none
     */
    static Credentials load() {
        Properties read = new Properties();
        try (Reader in = Files.newBufferedReader(folder().resolve(FILE))) {
            read.load(in);
        } catch (IOException e) {
            throw new CliException(
                    "there is no app yet; make one with: ./postrider app create NAME");
        }
        return new Credentials(
                read.getProperty("server", ""),
                read.getProperty("developer", ""),
                read.getProperty("password", ""),
                read.getProperty("app", ""),
                read.getProperty("appKey", ""),
                read.getProperty("masterSecret", ""));
    }

    void save() {
        TreeMap<String, String> values = new TreeMap<>();
        values.put("server", server);
        values.put("developer", developer);
        values.put("password", password);
        values.put("app", app);
        values.put("appKey", appKey);
        values.put("masterSecret", secret);
        StringBuilder text = new StringBuilder();
        values.forEach((name, value) -> text.append(name).append('=').append(value).append('\n'));
        write(FILE, text.toString());
        write(CURL_FILE, "user = \"" + appKey + ":" + secret + "\"\n");
    }

    /** Moves what is kept aside, since it may be the only copy of a password. */
    static Path keepOld() {
        Path old = folder().resolve(FILE + ".old");
        try {
            Files.move(folder().resolve(FILE), old, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(old + " cannot be written", e);
        }
        return old;
    }

    /** Where curl finds the app's credentials, so that they stand on no screen. */
    static Path curlFile() {
        return folder().resolve(CURL_FILE);
    }

    private static void write(String name, String text) {
        Path file = folder().resolve(name);
        try {
            Files.createDirectories(folder());
            Files.deleteIfExists(file);
            if (file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
                Files.createFile(
                        file,
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rw-------")));
            }
            Files.write(
                    file,
                    text.getBytes(StandardCharsets.UTF_8),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be written", e);
        }
    }
}
