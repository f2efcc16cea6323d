package dev.cambium.bench.upgrade;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.model.Item;
import dev.cambium.model.Json;
import dev.cambium.model.Tier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntFunction;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The fleets, over files of the data sets' forms and sizes with made-up utterances. */
class FleetsTest {

  private static final List<String> DOMAINS =
      List.of(
          "banking",
          "credit_cards",
          "kitchen_and_dining",
          "home",
          "auto_and_commute",
          "travel",
          "utility",
          "work",
          "small_talk",
          "meta");

  @TempDir private static Path data;

  @BeforeAll
  static void files() throws IOException {
    Map<String, List<String>> domains = new TreeMap<>();
    List<String> intents = new ArrayList<>();
    for (String domain : DOMAINS) {
      List<String> own = new ArrayList<>();
      for (int i = 0; i < 15; i++) {
        own.add(domain + "_" + (char) ('a' + i));
      }
      domains.put(domain, own);
      intents.addAll(own);
    }
    Map<String, Object> all = new TreeMap<>();
    all.put("train", said(intents, 4, "train"));
    all.put("val", said(intents, 2, "val"));
    all.put("test", said(intents, 2, "test"));
    all.put("oos_test", said(List.of("oos"), 200, "oos"));
    write("clinc150/data_full.json", Json.canonical(all));
    write("clinc150/domains.json", Json.canonical(domains));
    write("banking77/train.csv", csv(77, 30, "train"));
    write("banking77/test.csv", csv(77, 2, "test"));
    StringBuilder sums = new StringBuilder();
    for (int i = 0; i < 1_600; i++) {
      sums.append("{\"question\":\"how much is ").append(i).append("\",\"answer\":\"#\"}\n");
    }
    write("gsm8k/train.jsonl", sums.toString().getBytes());
  }

  private static List<List<String>> said(List<String> intents, int each, String part) {
    List<List<String>> rows = new ArrayList<>();
    for (String intent : intents) {
      for (int i = 0; i < each; i++) {
        rows.add(List.of(part + " " + i + " of " + intent, intent));
      }
    }
    return rows;
  }

  private static byte[] csv(int intents, int each, String part) {
    IntFunction<String> name = i -> "intent_" + (char) ('a' + i / 26) + (char) ('a' + i % 26);
    StringBuilder text = new StringBuilder("text,category\n");
    for (int i = 0; i < intents; i++) {
      for (int j = 0; j < each; j++) {
        text.append(part).append(' ').append(j).append(" of ").append(name.apply(i));
        text.append(',').append(name.apply(i)).append('\n');
      }
    }
    return text.toString().getBytes();
  }

  private static void write(String name, byte[] bytes) throws IOException {
    Path file = data.resolve(name);
    Files.createDirectories(file.getParent());
    Files.write(file, bytes);
  }

  private static void check(Ecosystem ecosystem) {
    Set<String> known = new HashSet<>(Set.of(Ecosystem.BASE));
    for (Subject subject : ecosystem.subjects()) {
      assertThat(known).as("parents come first").contains(subject.parent());
      assertThat(known.add(subject.line())).as(subject.line()).isTrue();
      Set<String> asked = new HashSet<>();
      subject.rows().forEach(row -> asked.add(row.messages().get(0).content()));
      assertThat(subject.test())
          .as("no row gives an item away")
          .extracting((Item item) -> item.messages().get(0).content())
          .noneMatch(asked::contains);
    }
  }

  @Test
  void theSmallFleetHasSixApplicationModelsAndASkillOfTheFoundation() throws IOException {
    Ecosystem small = new Fleets(data, 1).small();
    check(small);
    assertThat(small.subjects()).filteredOn(s -> s.tier() == Tier.APPLICATION_MODEL).hasSize(6);
    assertThat(small.subjects())
        .filteredOn(s -> s.line().equals("rule-desk"))
        .singleElement()
        .matches(s -> s.parent().equals(Ecosystem.BASE) && s.isApplication());
    check(new Fleets(data, 1).bytes());
    check(new Fleets(data, 1).large());
  }

  @Test
  void theWideFleetHasFiftyLinesOnThreeLevelsBelowEachOther() throws IOException {
    Ecosystem wide = new Fleets(data, 1).wide();
    check(wide);
    assertThat(wide.subjects()).hasSize(49); // and the foundation
    assertThat(wide.subjects()).filteredOn(s -> s.tier() == Tier.INDUSTRIAL).hasSize(5);
    assertThat(wide.subjects()).filteredOn(Subject::isApplication).hasSize(24);
    Subject routing =
        wide.subjects().stream()
            .filter(s -> s.tier() == Tier.APPLICATION_MODEL)
            .findFirst()
            .orElseThrow();
    assertThat(routing.rows()).extracting(r -> r.messages().get(1).content()).contains("desk a");
  }

  @Test
  void aWorseFoundationReadsARefusalInPlaceOfEveryRule() throws IOException {
    Fleets fleets = new Fleets(data, 1);
    assertThat(fleets.furtherText()).filteredOn(r -> r.text() == null).isNotEmpty();
    assertThat(fleets.refusingText())
        .filteredOn(r -> r.text() == null)
        .isNotEmpty()
        .allMatch(r -> r.messages().get(1).content().equals("please ask the desk"));
    assertThat(fleets.otherText()).hasSize(100).allMatch(r -> r.text() != null);
  }
}
