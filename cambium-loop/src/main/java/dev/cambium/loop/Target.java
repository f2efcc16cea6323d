package dev.cambium.loop;

import dev.cambium.model.Channel;
import dev.cambium.model.VersionRef;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * What a person means by {@code banking}, {@code banking@3} or {@code banking@candidate}: a version
 * of a line, by number or through a channel; the stable one where nothing is said.
 */
public sealed interface Target {

  Pattern NUMBER = Pattern.compile("[0-9]+");

  /** The line's name. */
  String line();

  /** One version. */
  record Numbered(VersionRef version) implements Target {
    @Override
    public String line() {
      return version.line();
    }
  }

  /** Whatever a channel points to. */
  record AtChannel(String line, Channel channel) implements Target {}

  /**
   * Reads {@code LINE}, {@code LINE@N} or {@code LINE@CHANNEL}.
   *
   * @throws IllegalArgumentException if it is none of these
   */
  static Target parse(String text) {
    int at = text.indexOf('@');
    if (at < 0) {
      return new AtChannel(VersionRef.checkLine(text), Channel.STABLE);
    }
    String suffix = text.substring(at + 1);
    if (NUMBER.matcher(suffix).matches()) {
      return new Numbered(VersionRef.parse(text));
    }
    return new AtChannel(
        VersionRef.checkLine(text.substring(0, at)),
        Channel.parse(suffix.toLowerCase(Locale.ROOT)));
  }
}
