package dev.cambium.engine.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class DataMixTest {

  private static DataMix mix(List<Integer> weights, int rows) {
    List<DataMix.Source> sources = new ArrayList<>();
    for (int s = 0; s < weights.size(); s++) {
      sources.add(new DataMix.Source("s" + s, weights.get(s), Small.rows(rows + s)));
    }
    return new DataMix(sources);
  }

  @Property(tries = 100)
  void proportionsAreExactAfterEveryBatch(
      @ForAll @Size(min = 1, max = 4) List<@IntRange(min = 1, max = 20) Integer> weights,
      @ForAll @IntRange(min = 1, max = 12) int batchRows) {
    DataMix mix = mix(weights, 3);
    double total = weights.stream().mapToInt(Integer::intValue).sum();
    DataMix.Cursor cursor = mix.new Cursor(1, batchRows, 0);
    Map<String, Integer> drawn = new HashMap<>();
    for (int batch = 1; batch <= 30; batch++) {
      List<DataMix.Drawn> rows = cursor.next();
      assertThat(rows).hasSize(batchRows);
      rows.forEach(d -> drawn.merge(d.source().name(), 1, Integer::sum));
      for (int s = 0; s < weights.size(); s++) {
        double due = weights.get(s) / total * batch * batchRows;
        assertThat(Math.abs(drawn.getOrDefault("s" + s, 0) - due))
            .isLessThanOrEqualTo(weights.size() == 1 ? 1e-9 : 1.5);
      }
    }
  }

  @Property(tries = 30)
  void everyRowComesOnceAnEpoch(
      @ForAll @IntRange(min = 1, max = 40) int rows,
      @ForAll @IntRange(min = 1, max = 7) int batch) {
    DataMix mix = DataMix.of(Small.rows(rows));
    DataMix.Cursor cursor = mix.new Cursor(4, batch, 0);
    List<Integer> order = new ArrayList<>();
    while (order.size() < 3 * rows) {
      cursor.next().forEach(d -> order.add(d.index()));
    }
    for (int epoch = 0; epoch < 3; epoch++) {
      Set<Integer> seen = new HashSet<>(order.subList(epoch * rows, (epoch + 1) * rows));
      assertThat(seen).hasSize(rows);
    }
  }

  @Property(tries = 30)
  void aCursorStartsAnywhere(@ForAll @IntRange(min = 0, max = 20) int batch) {
    DataMix mix = mix(List.of(3, 1, 5), 7);
    DataMix.Cursor whole = mix.new Cursor(9, 4, 0);
    for (int i = 0; i < batch; i++) {
      whole.next();
    }
    assertThat(mix.new Cursor(9, 4, batch).next()).isEqualTo(whole.next());
  }

  @Test
  void ordersDifferByEpochAndSeed() {
    DataMix mix = DataMix.of(Small.rows(30));
    DataMix.Cursor cursor = mix.new Cursor(1, 30, 0);
    List<DataMix.Drawn> first = cursor.next();
    assertThat(cursor.next()).isNotEqualTo(first);
    assertThat(mix.new Cursor(2, 30, 0).next()).isNotEqualTo(first);
    assertThat(mix.new Cursor(1, 30, 0).next()).isEqualTo(first);
  }

  @Test
  void replayIsAShare() {
    DataMix mix = DataMix.withReplay(Small.rows(5), Small.rows(9), 0.25);
    assertThat(mix.sources().get(0).weight()).isEqualTo(0.75);
    assertThat(mix.sources().get(1).weight()).isEqualTo(0.25);
    assertThat(DataMix.withReplay(Small.rows(5), List.of(), 0.25).sources()).hasSize(1);
  }

  @Test
  void refusesSupervisionWithNothingBefore() {
    assertThatThrownBy(() -> TokenRow.from(new int[] {1, 2}, 0)).hasMessageContaining("position 0");
    assertThatThrownBy(() -> TokenRow.all(7)).hasMessageContaining("two tokens");
  }
}
