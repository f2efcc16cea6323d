package dev.cambium.bench.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.cambium.model.Digest;
import dev.cambium.model.Item;
import dev.cambium.model.Row;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * CLINC150 (Larson et al., 2019), Banking77 (Casanueva et al., 2020) and GSM8K (Cobbe et al., 2021)
 * as they are published, cut into lessons. What is asked is what somebody wrote, the answer is the
 * intent in words. Everything is ordered by a digest of its words, so the same files give the same
 * lessons.
 */
public final class PublicData {

  private static final ObjectMapper JSON = JsonMapper.builder().build();

  /**
   * How many items of each intent there are, at most.
   *
   * @param gate that a gate may look at
   * @param test that a benchmark scores by
   */
  public record Items(int gate, int test) {}

  private static final int BANKING_TASKS = 7;

  /** Questions of GSM8K that the foundation reads. */
  private static final int SUMS = 1_500;

  private record Utterance(String text, String intent) {}

  private PublicData() {}

  /** The ten domains of CLINC150 in the order of the file, fifteen intents each. */
  public static List<Lesson> clinc(Path data, Items items) throws IOException {
    JsonNode all = json(data.resolve("clinc150/data_full.json"));
    Map<String, List<Utterance>> train = byIntent(all.get("train"));
    Map<String, List<Utterance>> gate = byIntent(all.get("val"));
    Map<String, List<Utterance>> test = byIntent(all.get("test"));
    List<Lesson> lessons = new ArrayList<>();
    json(data.resolve("clinc150/domains.json"))
        .properties()
        .forEach(
            domain -> {
              List<String> intents = new ArrayList<>();
              domain.getValue().forEach(intent -> intents.add(intent.asText()));
              lessons.add(lesson(domain.getKey(), intents, train, gate, test, items));
            });
    return lessons;
  }

  /** Banking77 in seven tasks of eleven intents, in the alphabetical order of the intents. */
  public static List<Lesson> banking(Path data, Items items) throws IOException {
    Map<String, List<Utterance>> known = csv(data.resolve("banking77/train.csv"));
    Map<String, List<Utterance>> test = csv(data.resolve("banking77/test.csv"));
    Map<String, List<Utterance>> train = new TreeMap<>();
    Map<String, List<Utterance>> gate = new TreeMap<>();
    known.forEach(
        (intent, said) -> {
          gate.put(intent, said.subList(0, items.gate()));
          train.put(intent, said.subList(items.gate(), said.size()));
        });
    List<String> intents = new ArrayList<>(known.keySet());
    int size = intents.size() / BANKING_TASKS;
    List<Lesson> lessons = new ArrayList<>();
    for (int task = 0; task < BANKING_TASKS; task++) {
      lessons.add(
          lesson(
              "bank-" + (task + 1),
              intents.subList(task * size, (task + 1) * size),
              train,
              gate,
              test,
              items));
    }
    return lessons;
  }

  /** Text without any intent: what customers ask in both data sets, and sums told as stories. */
  public static List<Row> foundationText(Path data) throws IOException {
    List<String> texts = new ArrayList<>();
    byIntent(json(data.resolve("clinc150/data_full.json")).get("train"))
        .values()
        .forEach(said -> said.forEach(u -> texts.add(u.text())));
    csv(data.resolve("banking77/train.csv"))
        .values()
        .forEach(said -> said.forEach(u -> texts.add(u.text())));
    texts.addAll(sums(data).subList(0, SUMS));
    return texts(texts, "t");
  }

  /** Text that {@link #foundationText} has not: more sums told as stories. */
  public static List<Row> furtherText(Path data) throws IOException {
    List<String> all = sums(data);
    return texts(all.subList(SUMS, all.size()), "f");
  }

  /** What customers ask that no training text has, as plain text. */
  public static List<Item> unreadText(Path data, int count) throws IOException {
    List<String> texts = new ArrayList<>();
    for (JsonNode row : json(data.resolve("clinc150/data_full.json")).get("oos_test")) {
      texts.add(clean(row.get(0).asText()));
    }
    List<Item> items = new ArrayList<>();
    for (String text : texts.subList(0, count)) {
      items.add(new Item("u" + items.size(), text, List.of(), null, List.of(), Map.of()));
    }
    return items;
  }

  private static List<String> sums(Path data) throws IOException {
    List<String> questions = new ArrayList<>();
    for (String line : Files.readAllLines(data.resolve("gsm8k/train.jsonl"))) {
      questions.add(clean(JSON.readTree(line).get("question").asText()));
    }
    return questions;
  }

  private static List<Row> texts(List<String> texts, String mark) {
    List<Row> rows = new ArrayList<>();
    for (String text : texts) {
      rows.add(Row.text(mark + rows.size(), text));
    }
    return rows;
  }

  private static Lesson lesson(
      String name,
      List<String> intents,
      Map<String, List<Utterance>> train,
      Map<String, List<Utterance>> gate,
      Map<String, List<Utterance>> test,
      Items items) {
    String mark = name.replace('_', '-');
    List<Row> rows = new ArrayList<>();
    List<Item> gated = new ArrayList<>();
    List<Item> tested = new ArrayList<>();
    for (String intent : intents) {
      said(train, intent).forEach(u -> rows.add(row(mark + "-r" + rows.size(), u)));
      first(said(gate, intent), items.gate())
          .forEach(u -> gated.add(item(mark + "-g" + gated.size(), u)));
      first(said(test, intent), items.test())
          .forEach(u -> tested.add(item(mark + "-t" + tested.size(), u)));
    }
    return new Lesson(mark, rows, gated, tested);
  }

  private static Row row(String id, Utterance u) {
    return Row.qa(id, u.text(), label(u), Map.of("intent", label(u)));
  }

  private static Item item(String id, Utterance u) {
    return Item.qa(id, u.text(), label(u), Map.of("intent", label(u)));
  }

  private static String label(Utterance u) {
    return u.intent().toLowerCase(Locale.ROOT).replace('_', ' ').replace("?", "").strip();
  }

  private static List<Utterance> said(Map<String, List<Utterance>> by, String intent) {
    List<Utterance> said = by.get(intent);
    if (said == null) {
      throw new IllegalArgumentException("the data set has an intent without rows: " + intent);
    }
    return said;
  }

  private static List<Utterance> first(List<Utterance> said, int most) {
    return said.subList(0, Math.min(most, said.size()));
  }

  private static Map<String, List<Utterance>> byIntent(JsonNode rows) {
    Map<String, List<Utterance>> by = new LinkedHashMap<>();
    for (JsonNode row : rows) {
      String intent = row.get(1).asText();
      by.computeIfAbsent(intent, i -> new ArrayList<>())
          .add(new Utterance(clean(row.get(0).asText()), intent));
    }
    by.values().forEach(PublicData::shuffle);
    return by;
  }

  private static Map<String, List<Utterance>> csv(Path file) throws IOException {
    Map<String, List<Utterance>> by = new TreeMap<>();
    CSVFormat format = CSVFormat.DEFAULT.builder().setHeader().setSkipHeaderRecord(true).get();
    try (CSVParser parser = CSVParser.parse(file, StandardCharsets.UTF_8, format)) {
      for (CSVRecord row : parser) {
        String intent = row.get("category");
        by.computeIfAbsent(intent, i -> new ArrayList<>())
            .add(new Utterance(clean(row.get("text")), intent));
      }
    }
    by.values().forEach(PublicData::shuffle);
    return by;
  }

  private static void shuffle(List<Utterance> said) {
    said.sort(Comparator.comparing(u -> Digest.ofText(u.text()).hex()));
  }

  private static JsonNode json(Path file) throws IOException {
    return JSON.readTree(Files.readAllBytes(file));
  }

  private static String clean(String text) {
    return text.strip().replaceAll("\\s+", " ");
  }
}
