package dev.cambium.loop.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.model.Item;
import dev.cambium.model.Message;
import dev.cambium.model.Row;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class OverlapCheckTest {

  private static Item item(String id, String prompt) {
    return Item.qa(id, prompt, "answer", Map.of());
  }

  private static Row row(String id, String prompt) {
    return Row.qa(id, prompt, "completion", Map.of());
  }

  private static List<Overlap> find(String row, String item) {
    return OverlapCheck.find(List.of(row("r", row)), List.of(item("i", item)));
  }

  @Test
  void caseSpaceAndPunctuationDoNotHideACopy() {
    assertThat(find("I've lost my  card -- what now?", "i\u2019ve LOST my card, what now"))
        .containsExactly(new Overlap("i", "r", 1, Overlap.Kind.EXACT, 1));
    assertThat(find("Pay 1,000.50 please", "pay 1000.50, please")).hasSize(1);
    assertThat(find("\uFF28\uFF45\uFF4C\uFF4C\uFF4F", "hello")).as("full width").hasSize(1);
    assertThat(find("我的卡丢了怎么办", "我的卡丢了,怎么办?")).hasSize(1);
    assertThat(find("lost card", "card lost")).as("another order").isEmpty();
    assertThat(find("...", "?!")).as("no words at all").isEmpty();
  }

  @Test
  void aNearCopyIsFoundAndAnotherQuestionIsNot() {
    String text = "could you please tell me when my new bank card will finally arrive at my home";
    assertThat(find(text + " thanks", text))
        .singleElement()
        .satisfies(
            o -> {
              assertThat(o.kind()).isEqualTo(Overlap.Kind.NEAR);
              assertThat(o.similarity()).isEqualTo(14 / 15.0);
            });
    assertThat(find("where is my new card", "where is my old card")).isEmpty();
    assertThat(find("could you please tell me when my old pin code will stop working", text))
        .isEmpty();
  }

  @Test
  void anotherNumberIsAnotherQuestion() {
    String text = "work out for me please what my account holds when I pay in another ";
    assertThat(find(text + "20", text + "30")).isEmpty();
    assertThat(find(text + "20 now", text + "20")).hasSize(1);
  }

  @Test
  void anItemInsideALongTextIsFoundUnlessItIsShort() {
    String filler = "one two three four five six seven eight nine ten eleven twelve ";
    String question = "what does the bank charge for a replacement of my stolen card";
    List<Overlap> found =
        OverlapCheck.find(
            List.of(Row.text("doc", filler + question + " " + filler)),
            List.of(item("i", question)));
    assertThat(found).containsExactly(new Overlap("i", "doc", 1, Overlap.Kind.CONTAINED, 1));
    assertThat(found.get(0)).hasToString("item i is contained (1.00) in row doc");
    assertThat(
            OverlapCheck.find(
                List.of(Row.text("doc", filler + "what is my pin " + filler)),
                List.of(item("i", "what is my pin"))))
        .isEmpty();
  }

  @Test
  void theNearestRowIsNamedAndTheOthersCounted() {
    String text = "could you please tell me when my new bank card will finally arrive at my home";
    List<Row> rows = List.of(row("near", text + " thanks"), row("same", text), row("copy", text));
    assertThat(OverlapCheck.find(rows, List.of(item("x", "unrelated words"), item("i", text))))
        .singleElement()
        .hasToString("item i is in row same (and 2 more)");
  }

  @Test
  void onlyWhatTheUserSaysIsCompared() {
    Row row =
        new Row(
            "r",
            null,
            List.of(
                Message.system("You are a clerk."),
                Message.user("close my account today"),
                Message.assistant("done")),
            Map.of());
    Item item =
        new Item(
            "i",
            null,
            List.of(Message.system("Another system."), Message.user("Close my account today!")),
            "done",
            List.of(),
            Map.of());
    assertThat(OverlapCheck.find(List.of(row), List.of(item))).hasSize(1);
  }

  /** The index must find exactly what comparing every pair finds. */
  @Property(tries = 200)
  void theIndexFindsWhatEveryPairWould(@ForAll long seed) {
    Random random = new Random(seed);
    List<Row> rows = new ArrayList<>();
    List<Item> items = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      String text = words(random, 3 + random.nextInt(14));
      items.add(item("i" + i, text));
      rows.add(row("a" + i, random.nextBoolean() ? text + " x" : words(random, 20)));
      rows.add(row("b" + i, random.nextInt(3) == 0 ? "y " + text + " z w" : words(random, 9)));
    }
    Set<String> expected = new HashSet<>();
    for (Item item : items) {
      for (Row row : rows) {
        if (overlaps(Wording.asked(row), Wording.asked(item))) {
          expected.add(item.id());
        }
      }
    }
    assertThat(OverlapCheck.find(rows, items).stream().map(Overlap::item))
        .containsExactlyInAnyOrderElementsOf(expected);
  }

  private static String words(Random random, int count) {
    List<String> words = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      words.add(List.of("pay", "the", "card", "lost", "7").get(random.nextInt(5)));
    }
    return String.join(" ", words);
  }

  private static boolean overlaps(List<String> row, List<String> item) {
    if (row.equals(item)) {
      return true;
    }
    Set<List<String>> a = grams(row);
    Set<List<String>> b = grams(item);
    Set<List<String>> both = new HashSet<>(a);
    both.retainAll(b);
    if (both.isEmpty() || (item.contains("7") && !row.contains("7"))) {
      return false;
    }
    double jaccard = both.size() / (double) (a.size() + b.size() - both.size());
    return jaccard >= 0.8 || (item.size() >= 8 && both.size() / (double) b.size() >= 0.9);
  }

  private static Set<List<String>> grams(List<String> words) {
    Set<List<String>> grams = new HashSet<>();
    for (int i = 0; i + 3 <= words.size(); i++) {
      grams.add(words.subList(i, i + 3));
    }
    return grams;
  }
}
