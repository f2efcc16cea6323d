import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Reads what the commands of an example have answered, and writes the tables: {@code
 * results/NAME.md} and {@code results/NAME.json}. Says what was measured, whatever it is.
 *
 * <pre>  Table OUT NAME LINE...</pre>
 */
final class Table {

  private static final ObjectMapper JSON = JsonMapper.builder().build();

  /** Campaigns, by the name of their step. */
  private static final Map<String, String> CAMPAIGNS = new LinkedHashMap<>();

  static {
    CAMPAIGNS.put("founding-run", "founding");
    CAMPAIGNS.put("wave-1-run", "wave 1: new intents");
    CAMPAIGNS.put("upgrade-run", "upgrade of the foundation");
  }

  private final Path results;
  private final List<String> lines;
  private final StringBuilder text = new StringBuilder();
  private final ObjectNode told = JSON.createObjectNode();
  private final Set<String> givenAway = new TreeSet<>();

  private Table(Path results, List<String> lines) {
    this.results = results;
    this.lines = lines;
  }

  public static void main(String[] args) throws IOException {
    if (args.length < 3) {
      System.err.println("usage: Table OUT NAME LINE...");
      System.exit(2);
    }
    Path results = Path.of(args[0]).resolve("results");
    List<String> lines = List.of(args).subList(2, args.length);
    Table table = new Table(results, lines);
    table.collectGivenAway();
    table.accuracy();
    table.ways();
    table.campaigns();
    table.reasons();
    table.answers();
    table.steps();
    Files.writeString(results.resolve(args[1] + ".md"), table.text);
    JSON.writerWithDefaultPrettyPrinter()
        .writeValue(results.resolve(args[1] + ".json").toFile(), table.told);
    System.out.print(table.text);
  }

  // ---- items that training rows give away -------------------------------------------------------

  /**
   * An item's id without the prefix of its suite: the hash of its words, so that a suite and the
   * one of an application on the same questions share it.
   */
  private static String words(String item) {
    return item.substring(item.indexOf('-') + 1);
  }

  private void collectGivenAway() throws IOException {
    try (var files = Files.newDirectoryStream(results, "*-signal-*.json")) {
      for (Path file : files) {
        JSON.readTree(file.toFile())
            .path("overlaps")
            .forEach(overlap -> givenAway.add(words(overlap.path("item").asText())));
      }
    }
    for (String step : CAMPAIGNS.keySet()) {
      for (JsonNode verdict : read(step).path("verdicts")) {
        for (JsonNode capability : verdict.path("capabilities")) {
          capability.path("contaminated").forEach(item -> givenAway.add(words(item.asText())));
        }
      }
    }
  }

  // ---- accuracy ---------------------------------------------------------------------------------

  /** A line's answers to the suite of one capability at one stage, without what was given away. */
  private record Measured(
      String version, int excluded, Map<String, String> judgements, double score) {}

  private Map<String, Measured> measured(String stage, String line) throws IOException {
    Map<String, Measured> found = new LinkedHashMap<>();
    for (JsonNode evaluation : read("eval-" + stage + "-" + line)) {
      Map<String, String> judgements = new LinkedHashMap<>();
      double sum = 0;
      int excluded = 0;
      for (JsonNode outcome : evaluation.path("outcomes")) {
        String item = outcome.path("item").asText();
        if (givenAway.contains(words(item))) {
          excluded++;
        } else {
          judgements.put(item, outcome.path("judgement").asText().toLowerCase(Locale.ROOT));
          sum += outcome.path("score").asDouble();
        }
      }
      found.put(
          evaluation.path("capability").asText(),
          new Measured(
              evaluation.path("version").asText(), excluded, judgements, sum / judgements.size()));
    }
    return found;
  }

  private void accuracy() throws IOException {
    text.append("### Mean score per capability, on items that no training row gives away\n\n");
    row(
        "capability",
        "line",
        "items (left out)",
        "founded",
        "wave 1, before",
        "after",
        "flips −/+",
        "upgrade, before",
        "after",
        "flips −/+");
    row("---", "---", "---:", "---:", "---:", "---:", "---:", "---:", "---:", "---:");
    ArrayNode rows = told.putArray("capabilities");
    for (String line : lines) {
      Map<String, Measured> founded = measured("founded", line);
      Map<String, Measured> before = measured("before-wave-1", line);
      Map<String, Measured> after = measured("after-wave-1", line);
      Map<String, Measured> upgraded = measured("after-upgrade", line);
      Map<String, Measured> all = new LinkedHashMap<>(founded);
      all.putAll(before);
      all.putAll(after);
      all.putAll(upgraded);
      for (Map.Entry<String, Measured> entry : all.entrySet()) {
        String capability = entry.getKey();
        Measured last = entry.getValue();
        Measured held = after.getOrDefault(capability, founded.get(capability));
        row(
            capability,
            line,
            last.judgements().size() + " (" + last.excluded() + ")",
            score(founded.get(capability)),
            score(before.get(capability)),
            score(after.get(capability)),
            flips(before.get(capability), after.get(capability)),
            score(held),
            score(upgraded.get(capability)),
            flips(held, upgraded.get(capability)));
        ObjectNode one = rows.addObject();
        one.put("capability", capability).put("line", line);
        one.put("items", last.judgements().size()).put("left-out", last.excluded());
        put(one, "founded", founded.get(capability));
        put(one, "before-wave-1", before.get(capability));
        put(one, "after-wave-1", after.get(capability));
        put(one, "after-upgrade", upgraded.get(capability));
        one.put("flips-wave-1", flips(before.get(capability), after.get(capability)));
        one.put("flips-upgrade", flips(held, upgraded.get(capability)));
      }
    }
    text.append(
        "\n"
            + "`language` and `conversation` are the mean probability of a token (geometric, per"
            + " item), the others are shares of right answers. Flips: right before and wrong after"
            + " / wrong before and right after, over the whole suite. *Before* wave 1 is the"
            + " founded version on the suite that already asks for the new intents.\n\n");
  }

  private static String score(Measured measured) {
    return measured == null ? "–" : String.format(Locale.ROOT, "%.3f", measured.score());
  }

  private static String flips(Measured before, Measured after) {
    if (before == null || after == null) {
      return "–";
    }
    Map<String, Integer> count = new HashMap<>();
    before
        .judgements()
        .forEach(
            (item, judgement) -> {
              String now = after.judgements().get(item);
              boolean was = judgement.equals("right");
              if (now != null && was != now.equals("right")) {
                count.merge(was ? "lost" : "won", 1, Integer::sum);
              }
            });
    return count.getOrDefault("lost", 0) + " / " + count.getOrDefault("won", 0);
  }

  private static void put(ObjectNode row, String name, Measured measured) {
    if (measured != null) {
      row.putObject(name).put("version", measured.version()).put("score", measured.score());
    }
  }

  // ---- how each line went -----------------------------------------------------------------------

  private void ways() throws IOException {
    text.append("### How each campaign left each line\n\n");
    List<String> head = new ArrayList<>(List.of("line"));
    head.addAll(CAMPAIGNS.values());
    row(head.toArray(String[]::new));
    row("---", "---", "---", "---");
    ArrayNode rows = told.putArray("lines");
    for (String line : lines) {
      List<String> cells = new ArrayList<>(List.of(line));
      ObjectNode one = rows.addObject().put("line", line);
      for (Map.Entry<String, String> campaign : CAMPAIGNS.entrySet()) {
        String cell = "not affected";
        for (JsonNode settled : read(campaign.getKey()).path("settlements")) {
          if (settled.path("line").asText().equals(line)) {
            cell = settled.path("settlement").asText();
            if (settled.hasNonNull("version")) {
              cell += ", " + settled.path("version").asText();
            }
            if (settled.hasNonNull("rung")) {
              cell += " by " + settled.path("rung").asText();
            }
            one.set(campaign.getKey(), settled);
          }
        }
        cells.add(cell.toLowerCase(Locale.ROOT));
      }
      row(cells.toArray(String[]::new));
    }
    text.append('\n');
  }

  private void campaigns() throws IOException {
    text.append("### Campaigns\n\n");
    row(
        "campaign",
        "outcome",
        "lines",
        "verdicts",
        "items until decided",
        "of items in their suites",
        "negative flips seen",
        "wall time");
    row("---", "---", "---", "---", "---:", "---:", "---:", "---:");
    Map<String, String> seconds = new HashMap<>();
    for (String[] step : stepLines()) {
      seconds.put(step[0], step[2]);
    }
    ArrayNode rows = told.putArray("campaigns");
    for (Map.Entry<String, String> campaign : CAMPAIGNS.entrySet()) {
      JsonNode run = read(campaign.getKey());
      int items = 0;
      int total = 0;
      int flips = 0;
      for (JsonNode verdict : run.path("verdicts")) {
        for (JsonNode capability : verdict.path("capabilities")) {
          items += capability.path("items").asInt();
          total += capability.path("total").asInt();
          flips += capability.path("flips").path("negative").asInt();
        }
      }
      row(
          campaign.getValue(),
          run.path("outcome").asText("none").toLowerCase(Locale.ROOT),
          counts(run.path("settlements"), "settlement"),
          counts(run.path("verdicts"), "decision"),
          Integer.toString(items),
          Integer.toString(total),
          Integer.toString(flips),
          seconds.getOrDefault(campaign.getKey(), "–") + " s");
      ObjectNode one = rows.addObject().put("campaign", campaign.getValue());
      one.put("outcome", run.path("outcome").asText("none"));
      one.put("items", items).put("total", total).put("negative-flips", flips);
    }
    text.append('\n');
  }

  private static String counts(JsonNode list, String field) {
    Map<String, Integer> counts = new LinkedHashMap<>();
    list.forEach(
        one -> counts.merge(one.path(field).asText().toLowerCase(Locale.ROOT), 1, Integer::sum));
    return counts.entrySet().stream()
        .map(e -> e.getValue() + " " + e.getKey())
        .collect(Collectors.joining(", "));
  }

  /** Whatever a gate did not let through, in its own words. */
  private void reasons() throws IOException {
    List<String> found = new ArrayList<>();
    for (Map.Entry<String, String> campaign : CAMPAIGNS.entrySet()) {
      for (JsonNode verdict : read(campaign.getKey()).path("verdicts")) {
        String decision = verdict.path("decision").asText();
        if (!decision.equalsIgnoreCase("pass")) {
          found.add(
              String.format(
                  "- %s, %s %s: %s",
                  campaign.getValue(),
                  verdict.path("candidate").asText(),
                  decision.toUpperCase(Locale.ROOT),
                  verdict.path("reason").asText()));
        }
      }
    }
    if (!found.isEmpty()) {
      text.append("### What gates did not let through\n\n");
      found.forEach(line -> text.append(line).append('\n'));
      text.append('\n');
    }
  }

  // ---- conversation -----------------------------------------------------------------------------

  /** What the models said when they were asked. */
  private void answers() throws IOException {
    ArrayNode rows = told.putArray("answers");
    try (var files = Files.newDirectoryStream(results, "chat-*.json")) {
      for (Path file : files) {
        rows.add(JSON.readTree(file.toFile()));
      }
    }
    if (rows.isEmpty()) {
      return;
    }
    text.append("### What they answer\n\n");
    row("version", "asked", "answered");
    row("---", "---", "---");
    rows.forEach(
        said ->
            row(
                said.path("version").asText(),
                said.path("input").asText(),
                "`" + said.path("answer").asText() + "`"));
    text.append('\n');
  }

  // ---- time -------------------------------------------------------------------------------------

  private void steps() throws IOException {
    text.append("### Wall time\n\n");
    row("step", "seconds", "exit code");
    row("---", "---:", "---:");
    ArrayNode rows = told.putArray("steps");
    double total = 0;
    double measuring = 0;
    for (String[] step : stepLines()) {
      double seconds = Double.parseDouble(step[2]);
      total += seconds;
      if (step[0].startsWith("eval-")) {
        measuring += seconds;
      } else {
        row(step[1], step[2], step[3]);
      }
      rows.addObject()
          .put("step", step[0])
          .put("seconds", seconds)
          .put("exit-code", Integer.parseInt(step[3]));
    }
    row(
        "measuring whole suites for these tables",
        String.format(Locale.ROOT, "%.1f", measuring),
        "0");
    row("**all**", String.format(Locale.ROOT, "**%.1f**", total), "");
    told.put("seconds", total);
  }

  private List<String[]> stepLines() throws IOException {
    return Files.readAllLines(results.resolve("steps.tsv")).stream()
        .map(line -> line.split("\t"))
        .toList();
  }

  // ---- reading and writing ----------------------------------------------------------------------

  /** What a step's command answered; nothing where it was not run. */
  private JsonNode read(String step) throws IOException {
    Path file = results.resolve(step + ".json");
    return Files.exists(file) ? JSON.readTree(file.toFile()) : JSON.createArrayNode();
  }

  private void row(String... cells) {
    text.append("| ").append(String.join(" | ", cells)).append(" |\n");
  }
}
