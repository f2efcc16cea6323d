package dev.cambium.loop.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.model.Application;
import dev.cambium.model.Item;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SearchItemsTest {

  private static List<Item> suite(int count) {
    List<Item> suite = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      suite.add(Item.qa("i" + i, "Question " + i + "?", "a", Map.of()));
    }
    return suite;
  }

  private static Set<String> ids(List<Item> items) {
    Set<String> ids = new HashSet<>();
    items.forEach(item -> ids.add(item.id()));
    return ids;
  }

  @Test
  void itemsThatAskTheSameAreOnOneSide() {
    List<Item> suite = suite(100);
    for (int i = 0; i < 100; i++) {
      suite.add(Item.qa("again" + i, "question " + i, "a", Map.of()));
    }
    List<Item> searched = SearchItems.of(suite, 50, 1);
    assertThat(searched).hasSize(50);
    Set<String> ids = ids(searched);
    assertThat(ids)
        .allMatch(
            id ->
                ids.contains(
                    id.startsWith("again") ? "i" + id.substring(5) : "again" + id.substring(1)));
    assertThat(SearchItems.asking(searched, suite)).isEqualTo(ids);
    assertThat(SearchItems.asking(searched.subList(0, 1), suite)).hasSize(2);
  }

  @Test
  void aSuiteThatGrowsKeepsItsSidesAndAnotherSeedGivesOthers() {
    List<Item> suite = suite(400);
    Set<String> some = ids(SearchItems.of(suite.subList(0, 200), 50, 1));
    Set<String> more = ids(SearchItems.of(suite, 100, 1));
    Set<String> kept = new HashSet<>(some);
    kept.retainAll(more);
    assertThat(kept.size()).isGreaterThan(35);
    assertThat(ids(SearchItems.of(suite, 100, 2))).isNotEqualTo(more);
  }

  @Test
  void itemsThatExamplesGiveAwayAreNamed() {
    Application application =
        new Application(
            null, null, List.of(new Application.Example("QUESTION 7", "a")), List.of(), 8, 0);
    assertThat(SearchItems.shown(application, suite(20))).containsExactly("i7");
    assertThat(SearchItems.shown(new Application(null, null, List.of(), 8, 0), suite(20)))
        .isEmpty();
  }
}
