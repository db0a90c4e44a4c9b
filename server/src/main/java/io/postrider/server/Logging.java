package io.postrider.server;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import io.postrider.server.config.Settings.LogFormat;
import net.logstash.logback.encoder.LogstashEncoder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs go to stderr, as lines for people or as JSON for machines. */
final class Logging {
    private static final String PATTERN =
            "%d{HH:mm:ss.SSS} %-5level %logger{0}%replace( [%X{requestId}]){' \\[\\]', ''}"
                    + " %msg%n";

    private Logging() {}

    static void start(LogFormat format) {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        context.reset();
        ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
        appender.setContext(context);
        appender.setTarget("System.err");
        appender.setEncoder(encoder(format, context));
        appender.start();
        ch.qos.logback.classic.Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
        root.setLevel(Level.WARN);
        root.addAppender(appender);
        context.getLogger("io.postrider").setLevel(Level.INFO);
        // What it could say, our own answers and messages say better.
        context.getLogger("io.javalin").setLevel(Level.OFF);
        // It quotes what strangers send.
        context.getLogger("org.eclipse.jetty.http").setLevel(Level.OFF);
        // It wonders at a server that we have stopped ourselves.
        context.getLogger("io.zonky").setLevel(Level.OFF);
        // What Redis does is said by RedisHints, once.
        context.getLogger("io.lettuce").setLevel(Level.ERROR);
    }

    private static Encoder<ILoggingEvent> encoder(LogFormat format, LoggerContext context) {
        if (format == LogFormat.JSON) {
            LogstashEncoder json = new LogstashEncoder();
            json.setContext(context);
            json.start();
            return json;
        }
        PatternLayoutEncoder text = new PatternLayoutEncoder();
        text.setContext(context);
        text.setPattern(PATTERN);
        text.start();
        return text;
    }
}
