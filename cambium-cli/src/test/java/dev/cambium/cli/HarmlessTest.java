package dev.cambium.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What data holds commands no terminal. */
class HarmlessTest {

  private static final String EVIL =
      "a\u001b]0;title\u0007b\u001b[2Jc\u009b31md\re\bf\u202eg\u2066h\u0000";

  private final StringWriter written = new StringWriter();

  private String shown() {
    String text = written.toString();
    assertThat(text.chars().filter(c -> Character.isISOControl(c) && c != '\n' && c != '\t'))
        .isEmpty();
    assertThat(text).doesNotContain("\u202e", "\u2066");
    return text;
  }

  @Test
  void whateverWayItIsShown() {
    try (Console console =
        new Console(
            new PrintWriter(written), new PrintWriter(written), Terminal.NONE, false, false)) {
      console.line("%s", EVIL);
      console.line(EVIL);
      console.table(List.of(List.of("HEAD"), List.of(EVIL)));
      console.remark(EVIL);
      console.piece(EVIL + "\n");
    }
    assertThat(shown()).contains("a\\u001b]0;title\\u0007b\\u001b[2Jc\\u009b31md\\u000de\\u0008f");
  }

  @Test
  void ourOwnColoursStay() {
    String green = "\u001b[32mPASS\u001b[0m\t\u00e9\n";
    assertThat(Texts.harmless(green)).isEqualTo(green);
    assertThat(Texts.harmless("\u001b[31;5m")).isEqualTo("\\u001b[31;5m");
    assertThat(Texts.harmless("\u001b")).isEqualTo("\\u001b");
  }
}
