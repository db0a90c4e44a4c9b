package io.postrider.server.demo;

import java.io.Console;
import java.io.PrintStream;
import java.util.Locale;

/**
 * One line on stderr that shows how far a step is; redrawn on a terminal, printed once elsewhere.
 */
final class Progress {
    private static final int WIDTH = 24;
    private static final long REDRAW_NANOS = 100_000_000;

    private final PrintStream err;

    private final boolean redraws = isTerminal();

    private String step = "";
    private long total = 1;
    private long beganAt;
    private long drawnAt;

    Progress(PrintStream err) {
        this.err = err;
    }

    @SuppressWarnings("SystemConsoleNull") // it is null where neither end is a terminal
    private static boolean isTerminal() {
        Console console = System.console();
        return console != null && console.isTerminal();
    }

    synchronized void begin(String name, long of) {
        step = name;
        total = Math.max(1, of);
        beganAt = System.nanoTime();
        drawnAt = 0;
        show(0, "");
    }

    /** Shows where the step is, and something more about it. */
    synchronized void show(long done, String more) {
        long now = System.nanoTime();
        if (redraws && now - drawnAt > REDRAW_NANOS) {
            drawnAt = now;
            err.print("\r\033[K" + line(done, more));
            err.flush();
        }
    }

    synchronized void end(long done, String more) {
        err.println((redraws ? "\r\033[K" : "") + line(done, more));
    }

    private String line(long done, String more) {
        int filled = (int) Math.min(WIDTH, WIDTH * done / total);
        double seconds = (System.nanoTime() - beganAt) / 1e9;
        return String.format(
                Locale.ROOT,
                "%-24s %s%s %,9d / %,d  %4.1f s  %s",
                step,
                "#".repeat(filled),
                ".".repeat(WIDTH - filled),
                done,
                total,
                seconds,
                more);
    }
}
