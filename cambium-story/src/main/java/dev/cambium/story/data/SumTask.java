package dev.cambium.story.data;

import dev.cambium.model.Item;
import dev.cambium.model.Row;
import java.util.List;
import java.util.Map;

/**
 * Short arithmetic on amounts: what was paid in all. All pairs of amounts occur in the rows; the
 * suite asks for them in other words. (A model of half a million parameters learns the table, not
 * how to add: on pairs that it never saw it is wrong.)
 */
final class SumTask {

  static final String NAME = "payment-sums";

  /** Both amounts are between 1 and this. */
  static final int LARGEST = 9;

  private static final List<String> TRAIN =
      List.of(
          "i paid {x} and {y}, total",
          "add {x} euros and {y} euros",
          "{x} euros plus a fee of {y}",
          "first {x} then {y}, how much in all",
          "i spent {x} {w} and {y} at home",
          "a transfer of {x} costs {y} more, total");
  private static final List<String> TEST =
      List.of(
          "i spent {x} and then {y}, total",
          "a payment of {x} plus {y} euros fee",
          "how much is {x} euros and {y} euros",
          "i paid {x} {w} and a fee of {y}");

  private SumTask() {}

  static List<Row> rows(Chance chance, int count) {
    return writer(chance, count, false).rows(chance, "sums");
  }

  static List<Item> items(Chance chance, int count) {
    return writer(chance, count, true).items(chance, "sums-test");
  }

  private static TaskWriter writer(Chance chance, int count, boolean test) {
    List<String> patterns = test ? TEST : TRAIN;
    return new TaskWriter(NAME)
        .fill(
            count,
            (place, writer) -> {
              int pattern = place % patterns.size();
              int x = chance.between(1, LARGEST);
              int y = chance.between(1, LARGEST);
              Wording wording =
                  Wording.fill(
                          patterns.get(pattern),
                          Map.of(
                              "x",
                              String.valueOf(x),
                              "y",
                              String.valueOf(y),
                              "w",
                              chance.pick(Phrases.PLACES)))
                      .framed(chance, test);
              writer.add(
                  "sum: " + wording.text(),
                  String.valueOf(x + y),
                  Map.of(
                      "total",
                      x + y < 10 ? "one-digit" : "two-digits",
                      "template",
                      "sums" + (test ? "/test-" : "/train-") + (pattern + 1)));
            });
  }
}
