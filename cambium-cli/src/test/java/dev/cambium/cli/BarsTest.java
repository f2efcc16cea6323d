package dev.cambium.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class BarsTest {

  @Test
  void shortTasksAreNotToldToALog() {
    StringWriter err = new StringWriter();
    Bars bars = Bars.plain(new PrintWriter(err, true));
    for (int i = 0; i <= 100; i++) {
      bars.at("Training", i, 100, "");
    }
    bars.end();
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void ofTasksSideBySideOneIsDrawnUntilItEnds() {
    StringWriter err = new StringWriter();
    Bars bars = Bars.drawn(new PrintWriter(err, true), 80);
    for (int i = 0; i < 10; i++) {
      bars.at("Training cards", i, 10, "");
      bars.at("Training payments", i, 10, "");
    }
    bars.at("Training cards", 10, 10, "");
    assertThat(err.toString()).contains("Training cards").doesNotContain("Training payments");
    bars.at("Training payments", 10, 10, "");
    bars.end();
    assertThat(err.toString()).contains("Training payments");
    assertThat(err.toString().chars().filter(c -> c == '\n').count()).isEqualTo(2);
  }

  @Test
  void aBarIsDrawnOverItselfAndEndsWithItsTask() {
    StringWriter err = new StringWriter();
    Bars bars = Bars.drawn(new PrintWriter(err, true), 80);
    bars.at("Training cards", 0, 10, "");
    bars.at("Training cards", 10, 10, "loss 1.23");
    bars.at("Evaluating cards@2", 1, 0, "");
    bars.end();
    assertThat(err.toString())
        .contains("\rTraining cards")
        .contains("100%")
        .contains("loss 1.23")
        .contains("Evaluating cards@2");
    assertThat(err.toString()).endsWith("\n");
  }
}
