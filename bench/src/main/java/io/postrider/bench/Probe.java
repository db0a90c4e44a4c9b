package io.postrider.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What some processes use together, as Linux has it. */
public final class Probe {
    private static final double TICKS_PER_SECOND = 100;

    /** In /proc/PID/stat, counted from after the name, which may hold blanks. */
    private static final int USER_TICKS = 11;

    private static final Pattern LIVE_HEAP = Pattern.compile("(?m)^Total\\s+\\d+\\s+(\\d+)");

    private final List<Long> pids;

    public Probe(List<Long> pids) {
        this.pids = pids;
    }

    /** User and system time since the processes began. */
    public double cpuSeconds() {
        return pids.stream().mapToDouble(Probe::cpuSeconds).sum();
    }

    private static double cpuSeconds(long pid) {
        String stat = read(pid, "stat");
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return (Long.parseLong(fields[USER_TICKS]) + Long.parseLong(fields[USER_TICKS + 1]))
                / TICKS_PER_SECOND;
    }

    /** Resident memory in KB, without what other processes share. */
    public long residentKb() {
        return pids.stream().mapToLong(Probe::residentKb).sum();
    }

    private static long residentKb(long pid) {
        long sum = 0;
        for (String line : read(pid, "smaps_rollup").split("\n")) {
            if (line.startsWith("Private_") && line.endsWith("kB")) {
                sum += Long.parseLong(line.replaceAll("\\D+", ""));
            }
        }
        return sum;
    }

    /** Collects the garbage of JVMs, and answers the bytes that are left. */
    public long liveHeapBytes() {
        return pids.stream().mapToLong(Probe::liveHeapBytes).sum();
    }

    private static long liveHeapBytes(long pid) {
        Matcher total = LIVE_HEAP.matcher(jcmd(pid, "GC.class_histogram"));
        if (!total.find()) {
            throw new IllegalStateException("jcmd told of no heap");
        }
        return Long.parseLong(total.group(1));
    }

    /** Collects the garbage of JVMs, and lets them give memory back. */
    public void collect() {
        for (long pid : pids) {
            jcmd(pid, "GC.run");
            jcmd(pid, "GC.run");
        }
    }

    private static String jcmd(long pid, String command) {
        Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
        try {
            // Through a file: a JVM that is asked stands still until its answer is written.
            Path answer = Files.createTempFile("postrider-bench", ".txt");
            try {
                new ProcessBuilder(jcmd.toString(), Long.toString(pid), command)
                        .redirectErrorStream(true)
                        .redirectOutput(answer.toFile())
                        .start()
                        .waitFor();
                return Files.readString(answer);
            } finally {
                Files.delete(answer);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("jcmd", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static String read(long pid, String file) {
        try {
            return Files.readString(Path.of("/proc", Long.toString(pid), file));
        } catch (IOException e) {
            throw new UncheckedIOException("process " + pid + " is gone", e);
        }
    }
}
