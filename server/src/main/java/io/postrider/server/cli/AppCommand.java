package io.postrider.server.cli;

import java.io.PrintStream;

@picocli.CommandLine.Command(name = "x")
public final class AppCommand implements Runnable {
    public AppCommand(PrintStream... out) {}

    @Override
    public void run() {}
}
