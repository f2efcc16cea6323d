package dev.cambium.loop.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.model.Rung;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;

class RungHistoryTest {

  private static final List<Rung> LADDER = List.of(Rung.values());
  private static final ToDoubleFunction<Rung> COST =
      rung ->
          Map.of(
                  Rung.REUSE,
                  1.0,
                  Rung.PROMPT,
                  2.0,
                  Rung.TRANSPLANT,
                  3.0,
                  Rung.ALIGN,
                  4.0,
                  Rung.DISTILL,
                  10.0,
                  Rung.RETRAIN,
                  30.0)
              .get(rung);

  @Test
  void withoutHistoryTheOrderIsTheLadders() {
    assertThat(new RungHistory().ordered(LADDER, rung -> 100 - rung.ordinal())).isEqualTo(LADDER);
  }

  @Test
  void whatNeverPassesIsTriedLater() {
    RungHistory history = new RungHistory();
    for (int i = 0; i < 8; i++) {
      history.add(Rung.TRANSPLANT, false);
      history.add(Rung.ALIGN, true);
    }
    assertThat(history.passes(Rung.TRANSPLANT)).isCloseTo(0.1, within(1e-9));
    assertThat(history.passes(Rung.ALIGN)).isCloseTo(0.9, within(1e-9));
    assertThat(history.passes(Rung.RETRAIN)).isEqualTo(0.5);
    assertThat(history.ordered(LADDER, COST))
        .containsExactly(
            Rung.REUSE, Rung.PROMPT, Rung.ALIGN, Rung.DISTILL, Rung.TRANSPLANT, Rung.RETRAIN);
  }

  /** Of all orders the chosen one has the least expected cost, also by playing it. */
  @Test
  void theOrderIsTheCheapestInExpectation() {
    Random random = new Random(4);
    for (int run = 0; run < 30; run++) {
      RungHistory history = new RungHistory();
      for (Rung rung : LADDER) {
        for (int i = random.nextInt(6); i > 0; i--) {
          history.add(rung, random.nextBoolean());
        }
      }
      history.add(Rung.REUSE, random.nextBoolean());
      List<Rung> chosen = history.ordered(LADDER, COST);
      double least = Double.POSITIVE_INFINITY;
      for (List<Rung> order : orders(LADDER)) {
        least = Math.min(least, history.expected(order, COST));
      }
      assertThat(history.expected(chosen, COST)).isCloseTo(least, within(1e-9));
      double played = 0;
      int games = 20_000;
      for (int game = 0; game < games; game++) {
        for (Rung rung : chosen) {
          played += COST.applyAsDouble(rung);
          if (random.nextDouble() < history.passes(rung)) {
            break;
          }
        }
      }
      double expected = history.expected(chosen, COST);
      assertThat(played / games).isCloseTo(expected, within(0.05 * expected));
    }
  }

  private static List<List<Rung>> orders(List<Rung> rungs) {
    if (rungs.isEmpty()) {
      return List.of(List.of());
    }
    List<List<Rung>> all = new ArrayList<>();
    for (Rung first : rungs) {
      List<Rung> rest = new ArrayList<>(rungs);
      rest.remove(first);
      for (List<Rung> order : orders(rest)) {
        List<Rung> whole = new ArrayList<>(List.of(first));
        whole.addAll(order);
        all.add(whole);
      }
    }
    return all;
  }
}
