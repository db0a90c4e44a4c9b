package io.postrider.server.faults;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** Programs that tests need and that not every machine has. */
public final class Tools {
    private Tools() {}

    /** Leaves the test out where the program is missing; fails it under {@code --strict}. */
    public static void need(String program) {
        boolean there =
                Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
        if (there) {
            return;
        }
        String advice = program + " is missing; apt install " + program;
        if ("yes".equals(System.getProperty("postrider.strict"))) {
            Assertions.fail(advice);
        }
        Assumptions.abort(advice);
    }
}
