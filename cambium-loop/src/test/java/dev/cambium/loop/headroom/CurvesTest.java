package dev.cambium.loop.headroom;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.engine.ProbeResult;
import dev.cambium.stats.ClusteredRatio;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class CurvesTest {

  private static final int HORIZON = 40;

  /** A loss that halves every so many steps, from 8 nats, looked at every second step. */
  private static List<Double> falling(double half) {
    List<Double> losses = new ArrayList<>();
    for (int step = 0; step <= HORIZON; step += 2) {
      losses.add(8 * Math.pow(2, -step / half));
    }
    return losses;
  }

  private static ProbeResult.Run run(String task, List<Double> losses, @Nullable Integer diverged) {
    return new ProbeResult.Run(task, task.substring(0, 1), 1, 2, losses, diverged, 0.5);
  }

  private static ProbeResult probe(double... halves) {
    List<ProbeResult.Run> runs = new ArrayList<>();
    for (int i = 0; i < halves.length; i++) {
      runs.add(run("t" + i, falling(halves[i]), null));
    }
    return new ProbeResult(runs);
  }

  @Test
  void aVersionThatIsItsFoundationHasHeadroomOne() {
    Curves curves = new Curves(probe(4, 5, 6), probe(4, 5, 6), HORIZON);
    assertThat(curves.steps().ratio()).isEqualTo(1);
    assertThat(curves.area().orElseThrow().ratio()).isEqualTo(1);
    assertThat(curves.steps().decisive()).isTrue();
    assertThat(curves.steps().censoredSubject()).isZero();
  }

  @Test
  void halfAsFastIsHalfTheHeadroom() {
    // The threshold is three quarters of the way down the foundation's curve: 30 of 40 steps.
    Curves curves = new Curves(probe(4, 4, 4), probe(5, 5, 5), HORIZON);
    assertThat(curves.steps().ratio()).isCloseTo(30.0 / 38, within(0.01));
    double foundation = falling(4).stream().mapToDouble(d -> d).average().orElseThrow();
    double version = falling(5).stream().mapToDouble(d -> d).average().orElseThrow();
    assertThat(curves.area().orElseThrow().ratio()).isCloseTo(foundation / version, within(1e-9));
    assertThat(curves.means()).hasSize(1);
    assertThat(curves.means().get(0).version()).hasSize(HORIZON / 2 + 1);
  }

  @Test
  void aRunThatNeverReachesTheThresholdIsCensoredAndNotDropped() {
    ClusteredRatio steps = new Curves(probe(4, 4, 4), probe(4, 40, 4), HORIZON).steps();
    assertThat(steps.pairs()).isEqualTo(3);
    assertThat(steps.censoredSubject()).isEqualTo(1);
    assertThat(steps.censoredReference()).isZero();
    assertThat(steps.decisive()).isTrue();
    assertThat(steps.ratio()).isCloseTo(Math.cbrt(30.0 / 40), within(1e-9));
  }

  @Test
  void whereTheFoundationLearnsNothingNothingCanBeSaid() {
    ClusteredRatio steps = new Curves(probe(400, 400, 4), probe(400, 400, 4), HORIZON).steps();
    assertThat(steps.censoredReference()).isEqualTo(2);
    assertThat(steps.decisive()).isFalse();
  }

  @Test
  void aRunThatDivergedHasNoAreaAndCountsAsNeverReached() {
    ProbeResult broken =
        new ProbeResult(
            List.of(
                run("t0", List.of(), 0),
                run("t1", falling(4).subList(0, 3), 5),
                run("t2", falling(4), null),
                run("t3", falling(4), null)));
    Curves curves = new Curves(probe(4, 4, 4, 4), broken, HORIZON);
    assertThat(Curves.diverged(broken)).isEqualTo(2);
    assertThat(curves.steps().censoredSubject()).isEqualTo(2);
    assertThat(curves.area().orElseThrow().pairs()).isEqualTo(2);
    ProbeResult all = new ProbeResult(List.of(run("t0", List.of(), 0), run("t1", List.of(), 0)));
    Curves nothing = new Curves(probe(4, 4), all, HORIZON);
    assertThat(nothing.area()).isEmpty();
    assertThat(nothing.means().get(0).version()).isEmpty();
  }

  @Test
  void differentTasksAreNotCompared() {
    ProbeResult other = new ProbeResult(List.of(run("x", falling(4), null)));
    assertThatThrownBy(() -> new Curves(probe(4), other, HORIZON))
        .hasMessageContaining("run 0 is t0 in one probe, x in the other");
    assertThatThrownBy(() -> new Curves(probe(4, 4), other, HORIZON))
        .hasMessageContaining("probes of 2 and 1 runs");
  }
}
