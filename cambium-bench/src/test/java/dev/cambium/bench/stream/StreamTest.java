package dev.cambium.bench.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.bench.data.Lesson;
import dev.cambium.model.Item;
import dev.cambium.model.Row;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class StreamTest {

  @Test
  void whatALaterLessonEndedHoldsNoMore() {
    Stream stream =
        new Stream(
            List.of(
                lesson("a", Set.of(), "fee", "limit"),
                lesson("b", Set.of("fee"), "fee", "age"),
                lesson("c", Set.of("age", "limit"), "time")));
    assertThat(stream.holding(0)).containsExactly(stream.get(0).rows());
    assertThat(facts(stream.holding(1))).containsExactly(List.of("limit"), List.of("fee", "age"));
    assertThat(facts(stream.holding(2)))
        .containsExactly(List.of(), List.of("fee"), List.of("time"));
    // 1, then a half and one, then none of the first, a half of the second and one.
    assertThat(stream.effort(0)).isEqualTo(1);
    assertThat(stream.effort(1)).isEqualTo(1.5);
    assertThat(stream.effort(2)).isEqualTo(1.5);
    assertThat(stream.totalEffort()).isEqualTo(4);
  }

  @Test
  void tasksThatStayAreAllPromisedAndTested() {
    Stream stream =
        Stream.of(
            List.of(
                new Lesson("a", rows("a"), items("ga"), items("ta")),
                new Lesson("b", rows("b"), items("gb"), items("tb"))));
    assertThat(stream.get(0).tests()).containsOnlyKeys("a");
    assertThat(stream.get(1).tests()).containsOnlyKeys("a", "b");
    assertThat(stream.get(1).suites()).containsOnlyKeys("a", "b");
    assertThat(stream.totalEffort()).isEqualTo(3);
  }

  @Test
  void anEmptyTaskIsRefused() {
    assertThatThrownBy(() -> Stream.of(List.of(new Lesson("a", List.of(), items("g"), items("t")))))
        .hasMessageContaining("lesson a has no rows");
    assertThatThrownBy(() -> Stream.of(List.of(new Lesson("a", rows("a"), items("g"), List.of()))))
        .hasMessageContaining("has no rows, or nothing to test");
    assertThatThrownBy(() -> new Stream(List.of())).hasMessageContaining("needs an update");
  }

  @Test
  void theGeneratedStreamScoresByOtherItemsThanGatesSee() {
    Stream stream = Rules.of(1, 12);
    assertThat(stream.size()).isEqualTo(13);
    for (Update lesson : stream.updates()) {
      List<Item> gate = lesson.suites().get("rules");
      List<Item> tested = lesson.tests().get(Stream.EVERYTHING);
      Set<String> ids = new HashSet<>(gate.stream().map(Item::id).toList());
      assertThat(tested).noneMatch(item -> ids.contains(item.id()));
      assertThat(tested).containsAll(lesson.tests().get(lesson.name()));
      // Both halves ask for every rule that holds.
      assertThat(rules(gate)).isEqualTo(rules(tested));
    }
    // Twenty rules at the founding, then one product's two come and one changes; every fourth
    // time two go.
    assertThat(rules(stream.get(12).tests().get(Stream.EVERYTHING))).hasSize(20 + 24 - 6);
    double holding =
        stream.holding(12).stream().mapToInt(List::size).sum() / (double) (20 + 24 - 6);
    assertThat(holding).as("rows of a rule").isCloseTo(14, within(0.01));
  }

  private static Set<Object> rules(List<Item> items) {
    return new HashSet<>(items.stream().map(item -> item.tags().get("rule")).toList());
  }

  private static List<List<String>> facts(List<List<Row>> rows) {
    return rows.stream()
        .map(some -> some.stream().map(row -> row.tags().get(Update.FACT)).toList())
        .toList();
  }

  private static Update lesson(String name, Set<String> ended, String... facts) {
    return new Update(
        name,
        List.of(facts).stream()
            .map(fact -> Row.qa(name + fact, "what " + fact, name, Map.of(Update.FACT, fact)))
            .toList(),
        ended,
        new TreeMap<>(),
        new TreeMap<>(Map.of(name, items(name))));
  }

  private static List<Row> rows(String name) {
    return List.of(Row.qa(name, "say " + name, name, Map.of()));
  }

  private static List<Item> items(String name) {
    return List.of(Item.qa(name, "say " + name, name, Map.of()));
  }
}
