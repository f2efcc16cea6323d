package dev.cambium.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.jooq.exception.DataAccessException;
import org.junit.jupiter.api.Test;

class AheadTest {

  private static List<Integer> numbers(int count) {
    return IntStream.range(0, count).boxed().toList();
  }

  @Test
  void resultsComeInTheirOrderWhateverTheirNumber() {
    for (int count : new int[] {0, 1, 31, 32, 255, 256, 257, 5_000}) {
      List<Integer> results = new ArrayList<>();
      Ahead.of(numbers(count), n -> n * 2).forEachRemaining(results::add);
      assertThat(results).isEqualTo(numbers(count).stream().map(n -> n * 2).toList());
    }
  }

  @Test
  void onlyTheOwnerReads() {
    Set<Thread> readers = new HashSet<>();
    int[] next = {0};
    Ahead<Integer, Integer> ahead =
        new Ahead<>(
            () -> {
              readers.add(Thread.currentThread());
              return next[0] < 1_000 ? next[0]++ : null;
            },
            n -> n,
            10);
    int sum = 0;
    while (ahead.hasNext()) {
      sum += ahead.next();
    }
    assertThat(sum).isEqualTo(999 * 500);
    assertThat(readers).containsExactly(Thread.currentThread());
  }

  @Test
  void whatGoesWrongIsThrownWhereItsBatchIsDue() {
    Ahead<Integer, Integer> ahead =
        Ahead.of(
            numbers(1_000),
            n -> {
              if (n == 700) {
                throw new InvalidFactException("seven hundred");
              }
              return n;
            });
    for (int i = 0; i < 640; i++) {
      assertThat(ahead.next()).isEqualTo(i);
    }
    assertThatThrownBy(ahead::hasNext)
        .isInstanceOf(InvalidFactException.class)
        .hasMessage("seven hundred");
    assertThatThrownBy(
            () ->
                Ahead.of(
                        () -> {
                          throw new SQLException("the disk is gone");
                        },
                        n -> n)
                    .hasNext())
        .isInstanceOf(DataAccessException.class)
        .hasMessage("the disk is gone");
  }
}
