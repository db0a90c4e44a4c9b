package io.postrider.server.cli;

import java.io.PrintStream;

@picocli.CommandLine.Command(name = "x")
public final class ListenCommand implements Runnable {
    public ListenCommand(PrintStream... out) {}

    @Override
    public void run() {}
}
