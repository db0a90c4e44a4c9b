package io.postrider.server.demo;

import java.io.PrintStream;

@picocli.CommandLine.Command(name = "x")
public final class DemoCommand implements Runnable {
    public DemoCommand(PrintStream... out) {}

    @Override
    public void run() {}
}
