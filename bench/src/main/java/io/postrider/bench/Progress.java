package io.postrider.bench;

import java.io.Console;
import java.io.PrintStream;
import java.util.Locale;

/** One line on stderr that moves while a step runs; its end where nobody looks. */
public final class Progress {
    private static final int WIDTH = 24;
    private static final long REDRAW_NANOS = 100_000_000;

    private final PrintStream err;
    private final boolean redraws = isTerminal();
    private String step = "";
    private long drawnAt;

    public Progress(PrintStream err) {
        this.err = err;
    }

    @SuppressWarnings("SystemConsoleNull") // it is null where neither end is a terminal
    private static boolean isTerminal() {
        Console console = System.console();
        return console != null && console.isTerminal();
    }

    public synchronized void begin(String name) {
        step = name;
        drawnAt = 0;
    }

    public synchronized void show(long done, long of) {
        long now = System.nanoTime();
        if (redraws && now - drawnAt > REDRAW_NANOS) {
            drawnAt = now;
            int filled = (int) Math.min(WIDTH, WIDTH * done / Math.max(1, of));
            err.printf(
                    Locale.ROOT,
                    "\r\033[K  %-36s %s%s %,d / %,d",
                    step,
                    "#".repeat(filled),
                    ".".repeat(WIDTH - filled),
                    done,
                    of);
            err.flush();
        }
    }

    public synchronized void end() {
        if (redraws) {
            err.print("\r\033[K");
            err.flush();
        }
    }
}
