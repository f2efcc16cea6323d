package dev.cambium.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.cambium.model.Decision;
import dev.cambium.model.Json;
import dev.cambium.model.Progress;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes for a person or, with {@code --json}, for a program; never for both. */
final class Console implements AutoCloseable {

  /** What a colour means, so that the same meaning always looks the same. */
  enum Tone {
    GOOD("32"),
    BAD("31"),
    DOUBTFUL("33"),
    QUIET("2"),
    STRONG("1");

    private final String code;

    Tone(String code) {
      this.code = code;
    }
  }

  private final PrintWriter out;
  private final PrintWriter err;
  private final Terminal terminal;
  private final boolean json;
  private final boolean colours;
  private @Nullable Bars bars;

  Console(PrintWriter out, PrintWriter err, Terminal terminal, boolean json, boolean noColour) {
    this.out = out;
    this.err = err;
    this.terminal = terminal;
    this.json = json;
    this.colours = terminal.colours() && !noColour && !json;
  }

  /** Whether a program reads. */
  boolean json() {
    return json;
  }

  /** A value as JSON, on several lines. */
  void json(Object value) {
    try {
      out.println(
          Json.mapper()
              .writer()
              .with(SerializationFeature.INDENT_OUTPUT)
              .writeValueAsString(value));
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A line for a person. */
  void line(String format, @Nullable Object... values) {
    endBars();
    out.println(
        Texts.harmless(values.length == 0 ? format : String.format(Locale.ROOT, format, values)));
  }

  /** A remark that is not the command's result. */
  void remark(String text) {
    endBars();
    err.println("cambium: " + Texts.harmless(text));
  }

  /** A prompt, on a line that is then answered. */
  void ask(String question) {
    endBars();
    err.print(question);
    err.flush();
  }

  /** Text that comes bit by bit. */
  void piece(String text) {
    out.print(Texts.harmless(text));
    out.flush();
  }

  /**
   * Something to keep, as it is.
   *
   * @param file where to; the console if none
   */
  void file(@Nullable Path file, String text) throws IOException {
    if (file == null && json) {
      json(Map.of("text", text));
    } else if (file == null) {
      piece(text);
      if (!text.endsWith("\n")) {
        out.println();
      }
    } else {
      Files.writeString(file, text);
    }
  }

  /** A table; the first row is its head. */
  void table(List<List<String>> rows) {
    endBars();
    Table.lines(rows).forEach(line -> out.println(Texts.harmless(line)));
  }

  /** A text in the colour of its meaning. */
  String tone(Tone tone, String text) {
    return colours ? "\u001b[" + tone.code + "m" + text + "\u001b[0m" : text;
  }

  /** A decision as everybody sees it. */
  String decision(Decision decision) {
    return switch (decision) {
      case PASS -> tone(Tone.GOOD, "PASS");
      case FAIL -> tone(Tone.BAD, "FAIL");
      case INCONCLUSIVE -> tone(Tone.DOUBTFUL, "INCONCLUSIVE");
    };
  }

  /** Shows how far a long work has come: bars for a person, a line now and then for a log. */
  Progress progress() {
    if (bars == null) {
      bars = terminal.errors() && !json ? Bars.drawn(err, terminal.columns()) : Bars.plain(err);
    }
    return bars;
  }

  private void endBars() {
    if (bars != null) {
      bars.end();
    }
  }

  @Override
  public void close() {
    endBars();
    out.flush();
    err.flush();
  }
}
