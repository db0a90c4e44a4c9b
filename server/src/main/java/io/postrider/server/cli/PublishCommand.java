package io.postrider.server.cli;

import java.io.PrintStream;

@picocli.CommandLine.Command(name = "x")
public final class PublishCommand implements Runnable {
    public PublishCommand(PrintStream... out) {}

    @Override
    public void run() {}
}
