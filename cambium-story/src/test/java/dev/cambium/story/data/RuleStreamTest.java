package dev.cambium.story.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.model.Item;
import dev.cambium.model.Row;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class RuleStreamTest {

  private static final int UPDATES = 44;

  @Test
  void rulesComeChangeAndGo() {
    List<RuleStream.Update> stream = RuleStream.of(3, UPDATES);
    assertThat(stream).hasSize(UPDATES + 1);
    Map<String, String> holding = new HashMap<>(); // rule to answer
    Map<String, Item> before = Map.of();
    int changes = 0;
    int retirements = 0;
    for (RuleStream.Update update : stream) {
      for (String rule : update.retired()) {
        assertThat(holding.remove(rule)).as("%s held until now", rule).isNotNull();
        retirements++;
      }
      Map<String, Set<String>> taught =
          update.rows().stream()
              .collect(
                  Collectors.groupingBy(
                      row -> row.tags().get("fact"),
                      Collectors.mapping(
                          row -> row.messages().get(1).content(), Collectors.toSet())));
      Set<String> learnt = new HashSet<>(update.added());
      learnt.addAll(update.changed());
      assertThat(taught).containsOnlyKeys(learnt);
      taught.forEach(
          (rule, answers) -> {
            assertThat(answers).as("what %s is told", rule).hasSize(1);
            assertThat(holding.put(rule, answers.iterator().next()) == null)
                .isEqualTo(update.added().contains(rule));
          });
      Map<String, Item> suite =
          update.suite().stream().collect(Collectors.toMap(Item::id, item -> item));
      assertThat(suite).hasSameSizeAs(update.suite());
      assertThat(suite.values())
          .allSatisfy(
              item -> assertThat(item.answer()).isEqualTo(holding.get(item.tags().get("rule"))));
      assertThat(suite.values().stream().map(i -> i.tags().get("rule")).collect(Collectors.toSet()))
          .isEqualTo(holding.keySet());
      for (Item item : suite.values()) {
        Item was = before.get(item.id());
        if (was != null) {
          assertThat(item.messages()).isEqualTo(was.messages());
          boolean changed = update.changed().contains(item.tags().get("rule"));
          assertThat(item.answer().equals(was.answer())).isEqualTo(!changed);
          changes += changed ? 1 : 0;
        }
      }
      before = suite;
    }
    assertThat(changes).isGreaterThan(UPDATES);
    assertThat(retirements).isEqualTo(2 * (UPDATES / 4));
  }

  @Test
  void noQuestionOfASuiteIsTaught() {
    List<RuleStream.Update> stream = RuleStream.of(3, UPDATES);
    Set<String> taught = new HashSet<>();
    for (RuleStream.Update update : stream) {
      for (Row row : update.rows()) {
        taught.add(row.messages().get(0).content());
      }
    }
    for (RuleStream.Update update : stream) {
      assertThat(update.suite())
          .noneMatch(item -> taught.contains(item.messages().get(0).content()));
    }
  }

  @Test
  void aSeedIsAStreamAndALongerOneBeginsWithIt() {
    assertThat(RuleStream.of(3, 12)).isEqualTo(RuleStream.of(3, UPDATES).subList(0, 13));
    assertThat(RuleStream.of(4, 12)).isNotEqualTo(RuleStream.of(3, 12));
  }
}
