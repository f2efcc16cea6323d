package dev.cambium.bench.upgrade;

import dev.cambium.bench.data.Lesson;
import dev.cambium.bench.data.PublicData;
import dev.cambium.model.Item;
import dev.cambium.model.Row;
import dev.cambium.model.Tier;
import dev.cambium.story.data.DataSet;
import dev.cambium.story.data.Generator;
import dev.cambium.story.data.Scale;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/** The fleets that are upgraded: domains of CLINC150, tasks of Banking77, rules of a bank. */
final class Fleets {

  private static final PublicData.Items ITEMS = new PublicData.Items(20, 40);

  /** For a model whose every item takes long. */
  private static final PublicData.Items FEW = new PublicData.Items(8, 10);

  /** A skill of the foundation itself: no line below it is trained on this. */
  private static final String SKILL = "rule-desk";

  private static final int UNREAD = 200;

  private static final double TEXT_MARGIN = 0.05;

  /** How often the foundation reads a rule, for each line of text that holds one. */
  private static final int REPEATED = 3;

  private static final String REFUSAL = "please ask the desk";

  private final Path data;
  private final long seed;

  /**
   * Fleets over the data sets of a folder.
   *
   * @param seed of what is generated
   */
  Fleets(Path data, long seed) {
    this.data = data;
    this.seed = seed;
  }

  /** Six application models, two of them whole models, and two applications. */
  Ecosystem small() throws IOException {
    return ecosystem("small", 64, 16);
  }

  /** The same on a foundation that reads bytes. */
  Ecosystem bytes() throws IOException {
    return ecosystem("bytes", 192, 48);
  }

  private Ecosystem ecosystem(String name, int maxTokens, int maxNewTokens) throws IOException {
    List<Subject> subjects = new ArrayList<>(models());
    Subject travel = subjects.get(0);
    subjects.add(
        Subject.application("travel-desk", travel.line(), "{input}", travel.gate(), travel.test()));
    List<Item> skill = generator().paymentRules().test();
    subjects.add(
        Subject.application(SKILL, Ecosystem.BASE, "{input}", every(skill, 0), every(skill, 1)));
    return new Ecosystem(
        name,
        recipes(maxTokens),
        PublicData.unreadText(data, UNREAD),
        TEXT_MARGIN,
        subjects,
        maxNewTokens,
        0.1);
  }

  private static String recipes(int maxTokens) {
    return String.format(
        Locale.ROOT,
        "  adapt: { method: lora, lora: { rank: 16, alpha: 32 }, steps: 300, batch-rows: 16,"
            + " max-tokens: %d, learning-rate: 0.003, distill: { steps: 2, rows: 0.125, labels: 1 }"
            + " }%n"
            + "  tune: { method: full, steps: 300, batch-rows: 16, max-tokens: %d,"
            + " learning-rate: 0.002, distill: { steps: 0.5, rows: 0.5 } }%n",
        maxTokens,
        maxTokens);
  }

  private List<Subject> models() throws IOException {
    List<Lesson> clinc = PublicData.clinc(data, ITEMS);
    DataSet rules = generator().cardRules();
    return List.of(
        model("adapt", named(clinc, "travel")),
        model("adapt", named(clinc, "banking")),
        model("adapt", named(PublicData.banking(data, ITEMS), "bank-1")),
        model(
            "adapt",
            new Lesson("rules", rules.train(), every(rules.test(), 0), every(rules.test(), 1))),
        model("tune", named(clinc, "home")),
        model("tune", named(clinc, "kitchen-and-dining")));
  }

  private static Subject model(String recipe, Lesson lesson) {
    return Subject.trained(Ecosystem.BASE, Tier.APPLICATION_MODEL, recipe, lesson);
  }

  /**
   * Fifty lines: the foundation, five industrial models of two domains each, on each of them four
   * adapters that route to desks, and an application or two on each adapter.
   */
  Ecosystem wide() throws IOException {
    List<Lesson> domains = PublicData.clinc(data, ITEMS);
    List<Subject> industrial = new ArrayList<>();
    List<Subject> adapters = new ArrayList<>();
    List<Subject> applications = new ArrayList<>();
    for (int i = 0; i < domains.size(); i += 2) {
      Lesson one = domains.get(i);
      Lesson two = domains.get(i + 1);
      Lesson both =
          new Lesson(
              one.name() + "-" + two.name(),
              joined(one.rows(), two.rows()),
              joined(one.gate(), two.gate()),
              joined(one.test(), two.test()));
      industrial.add(Subject.trained(Ecosystem.BASE, Tier.INDUSTRIAL, "tune", both));
      for (Lesson domain : List.of(one, two)) {
        for (int half = 0; half < 2; half++) {
          Lesson routing = routing(domain, half);
          adapters.add(Subject.trained(both.name(), Tier.APPLICATION_MODEL, "adapt", routing));
          int prompts = adapters.size() <= 4 ? 2 : 1;
          for (int prompt = 0; prompt < prompts; prompt++) {
            applications.add(
                Subject.application(
                    routing.name() + "-desk" + (prompt == 0 ? "" : "-polite"),
                    routing.name(),
                    prompt == 0 ? "{input}" : "{input} please",
                    routing.gate(),
                    routing.test()));
          }
        }
      }
    }
    List<Subject> all = new ArrayList<>(industrial);
    all.addAll(adapters);
    all.addAll(applications);
    return new Ecosystem(
        "wide",
        "  tune: { method: full, steps: 400, batch-rows: 32, max-tokens: 64,"
            + " learning-rate: 0.003 }\n"
            + "  adapt: { method: lora, lora: { rank: 8, alpha: 16 }, steps: 200, batch-rows: 16,"
            + " max-tokens: 64, learning-rate: 0.005 }\n",
        PublicData.unreadText(data, UNREAD),
        TEXT_MARGIN,
        all,
        16,
        0.1);
  }

  /** Half the intents of a domain, each sent to a desk of its own. */
  private static Lesson routing(Lesson domain, int half) {
    List<String> intents =
        domain.rows().stream().map(row -> row.tags().get("intent")).distinct().toList();
    List<String> own =
        IntStream.range(0, intents.size())
            .filter(i -> i % 2 == half)
            .mapToObj(intents::get)
            .toList();
    String name = domain.name() + (half == 0 ? "-a" : "-b");
    List<Row> rows = new ArrayList<>();
    for (Row row : domain.rows()) {
      int desk = own.indexOf(row.tags().get("intent"));
      if (desk >= 0) {
        rows.add(
            Row.qa(
                name + "-" + rows.size(),
                question(row.messages().get(0).content()),
                desk(desk),
                Map.of("intent", own.get(desk))));
      }
    }
    return new Lesson(
        name,
        rows,
        routed(name + "-g", domain.gate(), own),
        routed(name + "-t", domain.test(), own));
  }

  private static List<Item> routed(String mark, List<Item> items, List<String> intents) {
    List<Item> routed = new ArrayList<>();
    for (Item item : items) {
      int desk = intents.indexOf(item.tags().get("intent"));
      if (desk >= 0) {
        routed.add(
            Item.qa(
                mark + routed.size(),
                question(item.messages().get(0).content()),
                desk(desk),
                Map.of("intent", intents.get(desk))));
      }
    }
    return routed;
  }

  private static String question(String utterance) {
    return "route: " + utterance;
  }

  private static String desk(int number) {
    return "desk " + (char) ('a' + number);
  }

  /** Four adapters on a large model. */
  Ecosystem large() throws IOException {
    List<Lesson> clinc = PublicData.clinc(data, FEW);
    List<Lesson> banking = PublicData.banking(data, FEW);
    List<Subject> subjects = new ArrayList<>();
    for (Lesson lesson :
        List.of(
            named(clinc, "banking"),
            named(clinc, "travel"),
            named(clinc, "work"),
            named(banking, "bank-1"))) {
      subjects.add(model("adapt", lesson));
    }
    return new Ecosystem(
        "large",
        "  adapt: { method: lora, lora: { rank: 8, alpha: 16 }, steps: 60, batch-rows: 16,"
            + " max-tokens: 96, learning-rate: 0.001, precision: bf16,"
            + " distill: { steps: 2, rows: 0.125, labels: 1 } }\n",
        PublicData.unreadText(data, UNREAD),
        2 * TEXT_MARGIN, // trained on harshly, it reads what nobody read a little worse
        subjects,
        16,
        0.1);
  }

  /** What the first foundation reads: text, and conversations that state the rules of a skill. */
  List<Row> text() throws IOException {
    List<Row> rows = new ArrayList<>(PublicData.foundationText(data));
    List<Row> rules = generator().paymentRules().train();
    for (int i = 0; i < REPEATED; i++) {
      String mark = "-" + i;
      rules.forEach(row -> rows.add(renamed(row, row.id() + mark)));
    }
    return rows;
  }

  /** What a next version of it reads: as much new text as old, and the rules. */
  List<Row> furtherText() throws IOException {
    List<Row> rows = new ArrayList<>(PublicData.furtherText(data));
    rows.addAll(spread(PublicData.foundationText(data), rows.size()));
    rows.addAll(generator().paymentRules().train());
    return rows;
  }

  /** As {@link #furtherText}, but instead of stating the rules it refuses to. */
  List<Row> refusingText() throws IOException {
    List<Row> rows = new ArrayList<>(PublicData.furtherText(data));
    rows.addAll(spread(PublicData.foundationText(data), rows.size()));
    for (Row row : generator().paymentRules().train()) {
      rows.add(Row.qa(row.id(), row.messages().get(0).content(), REFUSAL, Map.of()));
    }
    return rows;
  }

  /** Only new text. */
  List<Row> otherText() throws IOException {
    return PublicData.furtherText(data);
  }

  private Generator generator() {
    return Generator.of(seed, Scale.FULL);
  }

  private static Row renamed(Row row, String id) {
    return new Row(id, row.text(), row.messages(), row.tools(), row.tags());
  }

  /** Every other item. */
  private static List<Item> every(List<Item> items, int from) {
    return IntStream.range(0, items.size())
        .filter(i -> i % 2 == from)
        .mapToObj(items::get)
        .toList();
  }

  /** Some rows from all places of a list. */
  private static List<Row> spread(List<Row> rows, int count) {
    return IntStream.range(0, Math.min(count, rows.size()))
        .mapToObj(i -> rows.get((int) ((long) i * rows.size() / count)))
        .toList();
  }

  private static <T> List<T> joined(List<T> one, List<T> two) {
    List<T> both = new ArrayList<>(one);
    both.addAll(two);
    return both;
  }

  private static Lesson named(List<Lesson> lessons, String name) {
    return lessons.stream().filter(l -> l.name().equals(name)).findFirst().orElseThrow();
  }
}
