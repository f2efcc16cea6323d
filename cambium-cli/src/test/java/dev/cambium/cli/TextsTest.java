package dev.cambium.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class TextsTest {

  @Test
  void quantitiesAreRounded() {
    assertThat(Texts.bytes(999)).isEqualTo("999 B");
    assertThat(Texts.bytes(1_234)).isEqualTo("1.2 kB");
    assertThat(Texts.bytes(999_600)).isEqualTo("1.0 MB");
    assertThat(Texts.bytes(270_000_000)).isEqualTo("270 MB");
    assertThat(Texts.seconds(0.44)).isEqualTo("0.4 s");
    assertThat(Texts.seconds(59.7)).isEqualTo("1 min 00 s");
    assertThat(Texts.seconds(3_725)).isEqualTo("1 h 02 min");
    assertThat(Texts.count(1, "row")).isEqualTo("1 row");
    assertThat(Texts.count(0, "row")).isEqualTo("0 rows");
    assertThat(Texts.brief("a\n  b " + "c".repeat(9), 6)).isEqualTo("a b c…");
  }

  @Test
  void columnsAreAsWideAsTheyNeedToBeColoursAside() {
    assertThat(
            Table.lines(
                List.of(
                    List.of("LINE", "ITEMS", "WHY"),
                    List.of("\u001b[1ma\u001b[0m", "7", "x"),
                    List.of("longer", "12", "y"))))
        .containsExactly(
            "LINE    ITEMS  WHY", "\u001b[1ma\u001b[0m           7  x", "longer     12  y");
  }
}
