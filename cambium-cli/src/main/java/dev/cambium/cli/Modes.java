package dev.cambium.cli;

import dev.cambium.loop.governor.Mode;
import dev.cambium.loop.governor.Wish;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options by which somebody chooses the mode of an update in place of the governor. */
final class Modes {

  /** A mode. */
  static final class ModeWord implements ITypeConverter<Mode> {
    @Override
    public Mode convert(String text) {
      try {
        return Mode.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(String.valueOf(e.getMessage()));
      }
    }
  }

  /** A line's name, as it is. */
  static final class LineWord implements ITypeConverter<String> {
    @Override
    public String convert(String text) {
      return text;
    }
  }

  @Option(
      names = "--mode",
      paramLabel = "LINE=MODE",
      converter = {LineWord.class, ModeWord.class},
      description = {
        "Update a line by another mode than the governor chooses: plain, protect, consolidate,"
            + " repair or re-base. May be given several times; needs --reason."
      })
  private Map<String, Mode> modes = new LinkedHashMap<>();

  @Option(
      names = "--reason",
      paramLabel = "TEXT",
      description = "Why, for the record; with --mode.")
  private @Nullable String reason;

  /**
   * What is wanted.
   *
   * @throws picocli.CommandLine.ParameterException if a mode has no reason, or a reason no mode
   */
  List<Wish> wishes(Subcommand command) {
    String why = reason == null ? "" : reason;
    if (modes.isEmpty() == !why.isBlank()) {
      throw command.usage("--mode and --reason go together");
    }
    return modes.entrySet().stream()
        .map(mode -> new Wish(mode.getKey(), mode.getValue(), why))
        .toList();
  }
}
