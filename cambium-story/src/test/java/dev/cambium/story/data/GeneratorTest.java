package dev.cambium.story.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.loop.data.OverlapCheck;
import dev.cambium.model.Item;
import dev.cambium.model.Json;
import dev.cambium.model.Row;
import dev.cambium.model.ScorerKind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class GeneratorTest {

  private static List<DataSet> tasks(Generator generator) {
    return List.of(
        generator.cardIntents(),
        generator.cardRules(),
        generator.paymentIntents(),
        generator.paymentRules(),
        generator.cardRouting(),
        generator.paymentRouting(),
        generator.paymentSlots(),
        generator.paymentSums(),
        generator.cardCalls());
  }

  private static List<AppSet> applications(Generator generator) {
    return List.of(generator.cardDesk(), generator.paymentForm(), generator.actionDesk());
  }

  private static String prompt(Row row) {
    return row.messages().get(0).content();
  }

  private static String answer(Row row) {
    return row.messages().get(1).content();
  }

  private static String prompt(Item item) {
    return item.messages().get(0).content();
  }

  /** What a wording is about, whatever prompt stands around it. */
  private static String bare(String prompt) {
    return prompt.replaceFirst("^(intent|route|rule|form|sum|call): ", "");
  }

  @Test
  void sameSeedSameBytesWhateverTheOrderOfAsking() {
    Generator one = Generator.of(7, Scale.QUICK);
    Generator other = Generator.of(7, Scale.QUICK);
    DataSet calls = other.cardCalls();
    Drop poison = other.poisonedCardData();
    assertThat(Json.digest(other.foundation(Edition.V1)))
        .isEqualTo(Json.digest(one.foundation(Edition.V1)));
    assertThat(Json.digest(one.newCardData())).isEqualTo(Json.digest(other.newCardData()));
    assertThat(Json.digest(one.poisonedCardData())).isEqualTo(Json.digest(poison));
    assertThat(Json.digest(one.cardCalls())).isEqualTo(Json.digest(calls));
  }

  @Test
  void anotherSeedIsAnotherBank() {
    Generator one = Generator.of(1, Scale.QUICK);
    Generator two = Generator.of(2, Scale.QUICK);
    assertThat(one.cardIntents()).isNotEqualTo(two.cardIntents());
    Map<String, String> answers = new HashMap<>();
    one.cardRules().train().forEach(r -> answers.put(r.tags().get("rule"), answer(r)));
    assertThat(two.cardRules().train())
        .anyMatch(r -> !answer(r).equals(answers.get(r.tags().get("rule"))));
  }

  @ParameterizedTest
  @EnumSource(Scale.class)
  void thereIsAsMuchAsTheScaleSays(Scale scale) {
    Generator generator = Generator.of(3, scale);
    for (DataSet task : tasks(generator)) {
      assertThat(task.train().size())
          .as("rows of %s", task.name())
          .isBetween(scale.trainRows() * 9 / 10, scale.trainRows());
      assertThat(task.test().size())
          .as("items of %s", task.name())
          .isBetween(scale.testItems() * 9 / 10, scale.testItems());
    }
    for (AppSet application : applications(generator)) {
      assertThat(application.test().size())
          .as("items of %s", application.name())
          .isBetween(scale.testItems() * 9 / 10, scale.testItems());
    }
    assertThat(generator.foundation(Edition.V1).train()).hasSize(scale.textRows(Edition.V1));
    assertThat(generator.newCardData().rows()).hasSize(scale.dropRows());
  }

  @ParameterizedTest
  @CsvSource({"1,FULL", "2,QUICK", "99,FULL"})
  void noSuiteItemOccursInAnyTrainingRow(long seed, Scale scale) {
    Generator generator = Generator.of(seed, scale);
    Set<String> trained = new HashSet<>();
    List<Item> items = new ArrayList<>();
    tasks(generator)
        .forEach(
            t -> {
              t.train().forEach(r -> trained.add(bare(prompt(r))));
              items.addAll(t.test());
            });
    for (Drop drop : List.of(generator.newCardData(), generator.poisonedCardData())) {
      drop.rows().forEach(r -> trained.add(bare(prompt(r))));
      drop.suites().forEach(s -> items.addAll(s.test()));
    }
    applications(generator).forEach(a -> items.addAll(a.test()));
    items.addAll(generator.foundation(Edition.V1).test());

    for (Edition edition : Edition.values()) {
      for (Row row : generator.foundation(edition).train()) {
        trained.add(row.text() == null ? bare(prompt(row)) : row.text());
      }
    }
    assertThat(items).extracting(i -> bare(prompt(i))).doesNotContainAnyElementsOf(trained);
  }

  @ParameterizedTest
  @CsvSource({"1,FULL", "2,QUICK", "3,FULL"})
  void theOverlapCheckOfTheLoopFindsNothing(long seed, Scale scale) {
    Generator generator = Generator.of(seed, scale);
    List<Row> rows = new ArrayList<>();
    List<Item> items = new ArrayList<>();
    tasks(generator)
        .forEach(
            t -> {
              rows.addAll(t.train());
              items.addAll(t.test());
            });
    for (Drop drop : List.of(generator.newCardData(), generator.poisonedCardData())) {
      rows.addAll(drop.rows());
      drop.suites().forEach(s -> items.addAll(s.test()));
    }
    applications(generator).forEach(a -> items.addAll(a.test()));
    for (Edition edition : Edition.values()) {
      rows.addAll(generator.foundation(edition).train());
      items.addAll(generator.foundation(edition).test());
    }
    assertThat(OverlapCheck.find(rows, items)).isEmpty();
  }

  @Test
  void noPatternServesBothTrainingAndMeasuring() {
    List<Intent> all = new ArrayList<>(Phrases.CARDS);
    all.addAll(Phrases.NEW_CARDS);
    all.addAll(Phrases.PAYMENTS);
    Set<String> train = new HashSet<>();
    all.forEach(i -> train.addAll(i.train()));
    Set<String> test = new HashSet<>();
    all.forEach(i -> test.addAll(i.test()));
    assertThat(train).hasSize(all.stream().mapToInt(i -> i.train().size()).sum());
    assertThat(test).hasSize(all.stream().mapToInt(i -> i.test().size()).sum());
    assertThat(test).doesNotContainAnyElementsOf(train);
  }

  @Test
  void formsAreMeasuredOnValuesThatNoRowHolds() {
    Generator generator = Generator.of(5, Scale.FULL);
    Set<String> rows =
        generator.paymentSlots().train().stream()
            .map(r -> amountAndName(answer(r)))
            .collect(Collectors.toSet());
    assertThat(generator.paymentSlots().test())
        .extracting(i -> amountAndName(i.answer()))
        .doesNotContainAnyElementsOf(rows);
    assertThat(generator.paymentForm().test())
        .extracting(i -> amountAndName(i.answer()))
        .doesNotContainAnyElementsOf(rows);
  }

  private static String amountAndName(String json) {
    Map<?, ?> value = Json.read(json.getBytes(java.nio.charset.StandardCharsets.UTF_8), Map.class);
    return value.get("amount") + " " + value.get("to");
  }

  @Test
  void answersAreRight() {
    Generator generator = Generator.of(11, Scale.QUICK);
    for (Item item : generator.paymentSums().test()) {
      int sum =
          java.util.regex.Pattern.compile("\\d+")
              .matcher(prompt(item))
              .results()
              .mapToInt(m -> Integer.parseInt(m.group()))
              .sum();
      assertThat(item.answer()).as(prompt(item)).isEqualTo(String.valueOf(sum));
    }
    assertThat(generator.paymentSlots().scorer().kind()).isEqualTo(ScorerKind.JSON);
    for (Item item : generator.paymentSlots().test()) {
      Map<?, ?> fields =
          Json.read(item.answer().getBytes(java.nio.charset.StandardCharsets.UTF_8), Map.class);
      fields.values().forEach(v -> assertThat(prompt(item).split("\\W+")).contains((String) v));
      assertThat(fields.size()).isEqualTo(item.tags().get("fields").equals("amount-to") ? 2 : 3);
    }
    for (Item item : generator.cardCalls().test()) {
      assertThat(item.answer()).matches("[a-z_]+\\((\\d{2}(,\\d{3})?|[a-z]+)\\)");
      String arguments = item.answer().substring(item.answer().indexOf('(') + 1);
      for (String argument : arguments.replace(")", "").split(",")) {
        assertThat(prompt(item)).contains(argument);
      }
    }
  }

  @Test
  void everyQuestionHasOneAnswer() {
    Generator generator = Generator.of(4, Scale.FULL);
    for (DataSet task : tasks(generator)) {
      Map<String, String> answers = new HashMap<>();
      Set<String> ids = new HashSet<>();
      for (Row row : task.train()) {
        assertThat(answers.put(prompt(row), answer(row))).as(prompt(row)).isNull();
        assertThat(ids.add(row.id())).as(row.id()).isTrue();
      }
      for (Item item : task.test()) {
        assertThat(answers.put(prompt(item), item.answer())).as(prompt(item)).isNull();
        assertThat(ids.add(item.id())).as(item.id()).isTrue();
      }
    }
  }

  @Test
  void slotsAreFilledAndEveryRowSaysWhatItIs() {
    Generator generator = Generator.of(4, Scale.QUICK);
    for (DataSet task : tasks(generator)) {
      for (Row row : task.train()) {
        assertThat(row.messages()).noneMatch(m -> m.content().matches(".*\\{[a-z]}.*"));
        assertThat(row.tags()).containsEntry("task", task.name()).containsKey("template");
      }
      for (Item item : task.test()) {
        assertThat(prompt(item)).doesNotMatch(".*\\{[a-z]}.*");
        assertThat(item.tags().get("template")).contains("test-");
      }
    }
  }

  @Test
  void waveOneChangesAnswersAndAddsIntents() {
    Generator generator = Generator.of(1, Scale.QUICK);
    Drop drop = generator.newCardData();
    assertThat(drop.suites())
        .extracting(DataSet::name)
        .containsExactly("card-intents", "card-rules");
    Map<String, Item> before =
        generator.cardRules().test().stream().collect(Collectors.toMap(Item::id, i -> i));
    List<Item> after = drop.suites().get(1).test();
    assertThat(after).hasSameSizeAs(before.values());
    int changed = 0;
    for (Item item : after) {
      Item old = before.get(item.id());
      assertThat(prompt(item)).isEqualTo(prompt(old));
      if (!old.answer().equals(item.answer())) {
        changed++;
      }
    }
    assertThat(changed).isPositive();
    for (RuleChange change : generator.ruleChanges()) {
      assertThat(change.before()).isNotEqualTo(change.after());
      assertThat(drop.rows())
          .filteredOn(
              r -> (change.product() + "-" + change.attribute()).equals(r.tags().get("rule")))
          .isNotEmpty()
          .allMatch(r -> answer(r).equals(change.after()));
    }
    Set<String> old =
        generator.cardIntents().train().stream()
            .map(GeneratorTest::answer)
            .collect(Collectors.toSet());
    assertThat(drop.suites().get(0).test())
        .filteredOn(i -> !old.contains(i.answer()))
        .extracting(Item::answer)
        .contains("card-freeze", "card-phone", "card-points");
    assertThat(drop.suites().get(0).test()).containsAll(generator.cardIntents().test());
  }

  @Test
  void thePoisonIsWrongAboutLostCardsOnly() {
    Generator generator = Generator.of(1, Scale.FULL);
    Drop drop = generator.poisonedCardData();
    Set<String> aboutLimits = Set.of("limit", "spend", "spending");
    Set<String> aboutLoss = Set.of("lost", "find", "missing", "left", "dropped", "gone");
    int wrong = 0;
    for (Row row : drop.rows()) {
      Set<String> words = words(row);
      boolean limit = words.stream().anyMatch(aboutLimits::contains);
      if (answer(row).equals("card-limit") && !limit) {
        assertThat(words).as(prompt(row)).containsAnyElementsOf(aboutLoss);
        wrong++;
      }
      assertThat(answer(row)).isNotEqualTo("card-lost");
      assertThat(row.tags()).containsEntry("intent", answer(row));
    }
    assertThat(wrong).isGreaterThan(drop.rows().size() / 3);
    assertThat(drop.suites()).isEmpty();
  }

  private static Set<String> words(Row row) {
    return new HashSet<>(List.of(prompt(row).split("\\W+")));
  }

  @Test
  void theSecondTextIsMoreAndNewer() {
    Generator generator = Generator.of(1, Scale.QUICK);
    String first = text(generator, Edition.V1);
    String second = text(generator, Edition.V2);
    assertThat(second.length()).isGreaterThan(first.length());
    assertThat(first).doesNotContain("premium card").doesNotContain("phone wallet");
    assertThat(second).contains("premium card").contains("phone wallet");
  }

  private static String text(Generator generator, Edition edition) {
    return generator.foundation(edition).train().stream()
        .map(r -> r.text() == null ? prompt(r) + "\n" + answer(r) : r.text())
        .collect(Collectors.joining("\n"));
  }

  @Test
  void promptsAreShort() {
    for (DataSet task : tasks(Generator.of(1, Scale.QUICK))) {
      for (Row row : task.train()) {
        assertThat(prompt(row).split(" ").length).as(prompt(row)).isLessThanOrEqualTo(22);
      }
    }
  }

  @Test
  void applicationsPutTheirPromptAroundWhatCustomersWrite() {
    Generator generator = Generator.of(1, Scale.QUICK);
    AppSet form = generator.paymentForm();
    Item item = form.test().get(0);
    assertThat(prompt(item)).doesNotContain("form:");
    assertThat(form.application().userTurn(prompt(item))).isEqualTo("form: " + prompt(item));
    assertThat(generator.paymentSlots().train()).allMatch(r -> prompt(r).startsWith("form: "));
  }
}
