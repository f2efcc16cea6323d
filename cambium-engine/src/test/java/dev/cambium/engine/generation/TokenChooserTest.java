package dev.cambium.engine.generation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.engine.decoder.SplitMix64;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class TokenChooserTest {

  @Test
  void drawsAsOftenAsTheProbabilitiesSay() {
    float[] logits = {0f, 1f, -2f, 1f};
    double temperature = 0.7;
    double[] expected = new double[4];
    double total = 0;
    for (int i = 0; i < 4; i++) {
      expected[i] = Math.exp(logits[i] / temperature);
      total += expected[i];
    }
    int draws = 40_000;
    int[] counts = new int[4];
    SplitMix64 random = new SplitMix64(3);
    for (int i = 0; i < draws; i++) {
      counts[TokenChooser.draw(logits, new Sampling(1, temperature, 0, 1, 0), random)]++;
    }
    for (int i = 0; i < 4; i++) {
      double p = expected[i] / total;
      double deviation = Math.sqrt(p * (1 - p) / draws);
      assertThat(counts[i] / (double) draws).isBetween(p - 4 * deviation, p + 4 * deviation);
    }
  }

  /** Tokens that top-k and top-p leave, found the long way. */
  private static Set<Integer> allowed(float[] logits, Sampling sampling) {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < logits.length; i++) {
      order.add(i);
    }
    order.sort(Comparator.comparing((Integer i) -> -logits[i]).thenComparing(i -> i));
    if (sampling.topK() > 0) {
      order = order.subList(0, Math.min(order.size(), sampling.topK()));
    }
    double total = 0;
    for (int i : order) {
      total += Math.exp((logits[i] - logits[order.get(0)]) / sampling.temperature());
    }
    Set<Integer> allowed = new HashSet<>();
    double sum = 0;
    for (int i : order) {
      if (sum >= sampling.topP() * total * (1 + 1e-9)) {
        break;
      }
      allowed.add(i);
      sum += Math.exp((logits[i] - logits[order.get(0)]) / sampling.temperature());
    }
    return allowed;
  }

  @Property(tries = 300)
  void staysWithinTopKAndTopP(
      @ForAll @Size(min = 1, max = 12) float @FloatRange(min = -8, max = 8) [] logits,
      @ForAll @IntRange(max = 6) int topK,
      @ForAll @DoubleRange(min = 0.05, max = 1) double topP,
      @ForAll @DoubleRange(min = 0.2, max = 3) double temperature,
      @ForAll long seed) {
    Sampling sampling = new Sampling(1, temperature, topK, topP, 0);
    SplitMix64 random = new SplitMix64(seed);
    for (int i = 0; i < 20; i++) {
      assertThat(allowed(logits, sampling)).contains(TokenChooser.draw(logits, sampling, random));
    }
  }

  @Test
  void refusesWhatIsNotANumber() {
    Sampling sampling = new Sampling(1, 1, 0, 1, 0);
    assertThat(TokenChooser.draw(new float[] {1, Float.NaN}, sampling, new SplitMix64(1)))
        .isEqualTo(-1);
    assertThat(
            TokenChooser.draw(
                new float[] {Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY},
                sampling,
                new SplitMix64(1)))
        .isEqualTo(-1);
    assertThat(
            TokenChooser.draw(
                new float[] {Float.NEGATIVE_INFINITY, -90}, sampling, new SplitMix64(1)))
        .isEqualTo(1);
  }
}
