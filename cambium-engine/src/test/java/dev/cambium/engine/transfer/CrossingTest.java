package dev.cambium.engine.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.engine.ModelInitializer;
import dev.cambium.engine.decoder.Decoder;
import dev.cambium.engine.decoder.Precision;
import dev.cambium.model.Progress;
import dev.cambium.model.Row;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CrossingTest {

  private static final ModelInitializer.Shape SHAPE =
      new ModelInitializer.Shape(2, 32, 4, 2, 48, 300, 64);

  @TempDir private static Path dir;
  private static final List<Row> TEXT = new ArrayList<>();
  private static Path old;

  @BeforeAll
  static void base() throws IOException {
    for (int i = 0; i < 60; i++) {
      TEXT.add(Row.text("t" + i, "the card " + i + " was lost and the account is blocked"));
    }
    old = dir.resolve("old");
    ModelInitializer.initialize(TEXT, SHAPE, 1, old);
    try (Decoder decoder = Decoder.load(old)) {
      Disturbed.loud(decoder, 3);
      decoder.save(old, Precision.F32);
    }
  }

  @Test
  void fromABaseToItselfTheLossStays() {
    CrossingReport report = Crossing.measure(old, old, TEXT, Progress.NONE);
    assertThat(report.losses()).hasSize(5).allMatch(loss -> loss.equals(report.losses().get(0)));
    assertThat(report.barrier()).isZero();
    assertThat(report.tokens()).isBetween(512, 640);
  }

  @Test
  void aPermutedBaseComputesTheSameAndLiesBehindABarrier() throws IOException {
    Path now = dir.resolve("permuted");
    Permutation.write(old, now, 4);
    CrossingReport report = Crossing.measure(old, now, TEXT, Progress.NONE);
    double loss = report.losses().get(0);
    assertThat(report.losses().get(4)).isCloseTo(loss, within(1e-4));
    double middle = report.losses().get(2);
    assertThat(middle).isNotCloseTo(loss, within(0.1));
    assertThat(report.barrier()).isGreaterThanOrEqualTo(Math.max(0, middle - loss) - 1e-4);
  }

  @Test
  void aBarrierIsTheRiseAboveTheStraightLineOfTheEnds() {
    assertThat(new CrossingReport(List.of(2.0, 2.5, 1.0), 9).barrier()).isEqualTo(1.0);
    assertThat(new CrossingReport(List.of(2.0, 1.2, 1.0), 9).barrier()).isZero();
  }

  @Test
  void otherShapesTokensAndNoTextAreRefused() {
    Path wider = dir.resolve("wider");
    ModelInitializer.initialize(
        old, new ModelInitializer.Shape(2, 64, 4, 2, 48, 300, 64), 1, wider);
    assertThatThrownBy(() -> Crossing.measure(old, wider, TEXT, Progress.NONE))
        .hasMessageContaining("other shapes");
    Path coarse = dir.resolve("coarse");
    ModelInitializer.initialize(
        TEXT, new ModelInitializer.Shape(2, 32, 4, 2, 48, 270, 64), 1, coarse);
    assertThatThrownBy(() -> Crossing.measure(old, coarse, TEXT, Progress.NONE))
        .hasMessageContaining("other tokens");
    assertThatThrownBy(() -> Crossing.measure(old, old, List.of(), Progress.NONE))
        .hasMessageContaining("no text");
  }
}
