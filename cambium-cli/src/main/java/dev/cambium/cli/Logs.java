package dev.cambium.cli;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.rolling.FixedWindowRollingPolicy;
import ch.qos.logback.core.rolling.RollingFileAppender;
import ch.qos.logback.core.rolling.SizeBasedTriggeringPolicy;
import ch.qos.logback.core.util.FileSize;
import dev.cambium.loop.Cambium;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * The log. Warnings go to the error output (see {@code logback.xml}); everything goes to a file in
 * the ecosystem's home, once it is known which ecosystem that is.
 */
final class Logs {

  private static final String APPENDER = "ecosystem";
  private static final String PATTERN =
      "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5level %logger{30} %msg%n";

  private static volatile @Nullable Path current;

  private Logs() {}

  /** From now on, logs to {@code .cambium/log/cambium.log} of an ecosystem, if it has a home. */
  static void to(Path ecosystem) {
    Path home = ecosystem.resolve(Cambium.HOME);
    if (!Files.isDirectory(home)
        || !(LoggerFactory.getILoggerFactory() instanceof LoggerContext context)) {
      return;
    }
    Path folder = home.resolve("log");
    Path file = folder.resolve("cambium.log").toAbsolutePath();
    if (file.equals(current)) {
      return;
    }
    Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
    root.detachAppender(APPENDER);

    PatternLayoutEncoder encoder = new PatternLayoutEncoder();
    encoder.setContext(context);
    encoder.setPattern(PATTERN);
    encoder.start();

    RollingFileAppender<ILoggingEvent> appender = new RollingFileAppender<>();
    FixedWindowRollingPolicy rolling = new FixedWindowRollingPolicy();
    rolling.setContext(context);
    rolling.setParent(appender);
    rolling.setFileNamePattern(folder.resolve("cambium.%i.log").toString());
    rolling.setMinIndex(1);
    rolling.setMaxIndex(3);
    SizeBasedTriggeringPolicy<ILoggingEvent> size = new SizeBasedTriggeringPolicy<>();
    size.setContext(context);
    size.setMaxFileSize(FileSize.valueOf("5MB"));

    appender.setContext(context);
    appender.setName(APPENDER);
    appender.setFile(file.toString());
    appender.setEncoder(encoder);
    appender.setRollingPolicy(rolling);
    appender.setTriggeringPolicy(size);
    rolling.start();
    size.start();
    appender.start();
    root.addAppender(appender);
    current = file;
  }

  /** The file that is logged to, once there is one. */
  static Optional<Path> file() {
    return Optional.ofNullable(current);
  }
}
