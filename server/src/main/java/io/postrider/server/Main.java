package io.postrider.server;

import io.postrider.server.cli.AppCommand;
import io.postrider.server.cli.CliException;
import io.postrider.server.cli.ListenCommand;
import io.postrider.server.cli.PublishCommand;
import io.postrider.server.config.Settings.LogFormat;
import io.postrider.server.demo.DemoCommand;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** What the command line starts: one verb each. */
public final class Main {
    private static final String LEAK_DETECTION = "io.netty.leakDetection.level";

    private Main() {}

    public static void main(String[] args) {
        // Tests look for buffers that leak; those who serve do not pay for it.
        if (System.getProperty(LEAK_DETECTION) == null) {
            System.setProperty(LEAK_DETECTION, "disabled");
        }
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);
        int status = commandLine(out, err).execute(args);
        System.exit(status);
    }

    static CommandLine commandLine(PrintStream out, PrintStream err) {
        CommandSpec spec = CommandSpec.create().name("postrider").mixinStandardHelpOptions(true);
        spec.usageMessage()
                .description("Push messages to devices, and know which of them have it.")
                .footer(
                        "",
                        "`postrider VERB --help` tells more of a verb.",
                        "The launcher ./postrider also knows build and test.");
        spec.version("postrider " + version());
        Serve serve = new Serve(out, err);
        spec.addSubcommand("serve", new CommandLine(Serve.spec()));
        spec.addSubcommand("backup", new CommandLine(new Backup.Save(out, err)));
        spec.addSubcommand("restore", new CommandLine(new Backup.Restore(out, err)));
        spec.addSubcommand("epoch", new CommandLine(new Backup.Epoch(out, err)));
        spec.addSubcommand("demo", new CommandLine(new DemoCommand(out, err)));
        spec.addSubcommand("app", new CommandLine(new AppCommand(out)));
        spec.addSubcommand("listen", new CommandLine(new ListenCommand(out, err)));
        spec.addSubcommand("publish", new CommandLine(new PublishCommand(out)));
        CommandLine commandLine = new CommandLine(spec);
        CommandLine.IExecutionStrategy others = new CommandLine.RunLast();
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.setExecutionExceptionHandler((failure, failed, parsed) -> {
            if (failure instanceof CliException) {
                err.println("postrider: " + failure.getMessage());
                return 1;
            }
            throw failure;
        });
        commandLine.setExecutionStrategy(parsed -> {
            Integer help = CommandLine.executeHelpRequest(parsed);
            if (help != null) {
                return help;
            }
            ParseResult verb = parsed.subcommand();
            if (verb == null) {
                commandLine.usage(err);
                return 2;
            }
            return switch (verb.commandSpec().name()) {
                case "serve" -> serve.run(verb);
                case "demo" -> {
                    // The servers that it runs tell more than it says itself.
                    Logging.start(LogFormat.TEXT);
                    yield others.execute(parsed);
                }
                default -> others.execute(parsed);
            };
        });
        return commandLine;
    }

    static String version() {
        String version = Main.class.getPackage().getImplementationVersion();
        return version == null ? "(not packaged)" : version;
    }
}
