package dev.cambium.cli;

import java.lang.reflect.Constructor;
import picocli.CommandLine;
import picocli.CommandLine.IFactory;

/** Makes commands, and gives those that write to a terminal the one there is. */
final class Commands implements IFactory {

  private final Terminal terminal;

  Commands(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public <K> K create(Class<K> type) throws Exception {
    if (Subcommand.class.isAssignableFrom(type)) {
      Constructor<K> constructor = type.getDeclaredConstructor();
      K command = constructor.newInstance();
      ((Subcommand) command).attach(terminal);
      return command;
    }
    return CommandLine.defaultFactory().create(type);
  }
}
