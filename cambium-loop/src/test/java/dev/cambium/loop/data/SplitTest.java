package dev.cambium.loop.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.model.Row;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SplitTest {

  private static List<Row> rows(int from, int to) {
    return IntStream.range(from, to)
        .mapToObj(i -> Row.text("r" + i, "question number " + i))
        .toList();
  }

  @Test
  void aboutATenthIsSetAsideAndTheSameInEveryDelivery() {
    Split first = Split.of(rows(0, 1000));
    Split second = Split.of(rows(500, 1500));
    assertThat(first.heldOut().size()).isBetween(70, 130);
    Set<Row> both = new HashSet<>(first.heldOut());
    both.retainAll(second.train());
    assertThat(both).as("set aside once, never learnt").isEmpty();
    assertThat(Split.of(rows(0, 1000))).isEqualTo(first);
  }

  @Test
  void atLeastOneAndAtMostFiveHundredAreSetAside() {
    for (int n = 2; n < 12; n++) {
      Split split = Split.of(rows(0, n));
      assertThat(split.heldOut()).isNotEmpty();
      assertThat(split.train()).isNotEmpty();
    }
    assertThat(Split.of(rows(0, 20_000)).heldOut()).hasSize(500);
  }

  @Test
  void nothingCanBeSetAsideFromOneQuestion() {
    assertThatThrownBy(() -> Split.of(List.of(Row.text("a", "Hi!"), Row.text("b", "hi"))))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("at least two are needed");
  }
}
