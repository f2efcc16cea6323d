package dev.cambium.story;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.cambium.loop.data.RowFile;
import dev.cambium.loop.data.SuiteFile;
import dev.cambium.model.Application;
import dev.cambium.model.Item;
import dev.cambium.model.Json;
import dev.cambium.model.Row;
import dev.cambium.model.ScorerKind;
import dev.cambium.story.data.AppSet;
import dev.cambium.story.data.DataSet;
import dev.cambium.story.data.Edition;
import dev.cambium.story.data.Generator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The bank's ecosystem on disk: what a user would have written and collected. */
final class Fleet {

  /** A line that learns, and from what. */
  record Learner(String line, List<DataSet> data) {}

  private final Generator generator;
  private final Sizes sizes;
  private final Path directory;
  private final long seed;

  Fleet(Path directory, long seed, Sizes sizes) {
    this.directory = directory;
    this.seed = seed;
    this.sizes = sizes;
    this.generator = Generator.of(seed, sizes.scale());
  }

  Generator generator() {
    return generator;
  }

  /** The lines that are trained when the fleet is founded, parents before children. */
  List<Learner> learners() {
    return List.of(
        new Learner("cards", List.of(generator.cardIntents(), generator.cardRules())),
        new Learner("payments", List.of(generator.paymentIntents(), generator.paymentRules())),
        new Learner("card-router", List.of(generator.cardRouting())),
        new Learner("card-caller", List.of(generator.cardCalls())),
        new Learner("payment-router", List.of(generator.paymentRouting())),
        new Learner("payment-forms", List.of(generator.paymentSlots())),
        new Learner("payment-sums", List.of(generator.paymentSums())));
  }

  /** Writes the declaration, suites, applications and data of the founding. */
  void write() throws IOException {
    write(generator.foundation(Edition.V1).name(), generator.foundation(Edition.V1).test());
    for (Learner learner : learners()) {
      for (DataSet set : learner.data()) {
        write(set.name(), set.test());
      }
      rows(learner.line(), training(learner));
    }
    for (AppSet app : apps().values()) {
      write(app.name(), app.test());
      Path file = directory.resolve("apps").resolve(app.name() + ".yaml");
      Files.createDirectories(file.getParent());
      Files.writeString(file, yaml(app.application()));
    }
    replace(directory.resolve("ecosystem.yaml"), ecosystem());
  }

  /**
   * A line's training rows. Industrial models also read on in their foundation's text, about a
   * quarter of all they read: without it they lose skills, such as copying, that adapters need.
   */
  private List<Row> training(Learner learner) {
    List<Row> rows = new ArrayList<>();
    learner.data().forEach(set -> rows.addAll(set.train()));
    if (industrial(learner)) {
      List<Row> text = generator.foundation(Edition.V1).train();
      rows.addAll(text.subList(0, Math.min(text.size(), rows.size() * 2 / 5)));
    }
    return rows;
  }

  private static boolean industrial(Learner learner) {
    return learner.line().equals("cards") || learner.line().equals("payments");
  }

  private Map<String, AppSet> apps() {
    Map<String, AppSet> apps = new LinkedHashMap<>();
    apps.put("card-router", generator.cardDesk());
    apps.put("payment-forms", generator.paymentForm());
    apps.put("card-caller", generator.actionDesk());
    return apps;
  }

  /** JSON is YAML. */
  private static String yaml(Application application) {
    try {
      return Json.mapper().writerWithDefaultPrettyPrinter().writeValueAsString(application) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Writes a suite, in place of an earlier version of it. */
  void write(String suite, List<Item> items) throws IOException {
    replace(
        directory.resolve("suites").resolve(suite + ".jsonl"),
        new String(SuiteFile.encode(items), java.nio.charset.StandardCharsets.UTF_8));
  }

  /** Writes training rows, and returns the file. */
  Path rows(String name, List<Row> rows) throws IOException {
    Path file = data(name);
    replace(file, new String(RowFile.encode(rows), java.nio.charset.StandardCharsets.UTF_8));
    return file;
  }

  /** The file of some training rows. */
  Path data(String name) {
    return directory.resolve("data").resolve(name + ".jsonl");
  }

  private static void replace(Path file, String text) throws IOException {
    Files.createDirectories(java.util.Objects.requireNonNull(file.getParent()));
    Path building = file.resolveSibling(file.getFileName() + ".new");
    Files.writeString(building, text);
    Files.move(building, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private String ecosystem() {
    StringBuilder yaml = new StringBuilder();
    yaml.append(
        """
        # A bank's help desk: one foundation, two industrial models, five adapters, three
        # applications. Written by `cambium demo`; edit it and go on with `cambium plan`.
        name: bank-help-desk

        policy:
          alpha: 0.05          # bound on the rate of false releases per gate
          chunk: 40            # items evaluated between two looks
          seed: %d

        recipes:
        """
            .formatted(seed));
    sizes
        .recipes()
        .forEach(
            (name, recipe) ->
                yaml.append("  ").append(name).append(": ").append(inline(recipe)).append('\n'));
    yaml.append("\ncapabilities:\n");
    DataSet basics = generator.foundation(Edition.V1);
    capability(
        yaml,
        "foundation",
        new DataSet(basics.name(), List.of(), basics.test(), sizes.basics()),
        sizes.basicsFloor(),
        0.15,
        "");
    for (Learner learner : learners()) {
      for (DataSet set : learner.data()) {
        capability(yaml, learner.line(), set, sizes.floor(), sizes.margin(), slice(set));
      }
    }
    apps()
        .forEach(
            (line, app) ->
                capability(
                    yaml,
                    app.name(),
                    new DataSet(app.name(), List.of(), app.test(), app.scorer()),
                    sizes.floor(),
                    sizes.margin(),
                    ""));
    yaml.append("\nlines:\n");
    yaml.append(
        "  base:\n    tier: foundation\n    contract: { capabilities: [%s] }\n"
            .formatted(generator.foundation(Edition.V1).name()));
    Map<String, String> parents = new LinkedHashMap<>();
    for (Learner learner : learners()) {
      boolean industrial = industrial(learner);
      String parent =
          industrial ? "base" : learner.line().startsWith("card") ? "cards" : "payments";
      parents.put(learner.line(), parent);
      yaml.append(
          """
            %s:
              tier: %s
              parent: %s
              recipe: %s
              contract: { inherit: false, capabilities: [%s] }
          """
              .formatted(
                  learner.line(),
                  industrial ? "industrial" : "application-model",
                  parent,
                  industrial ? Sizes.INDUSTRIAL : Sizes.ADAPTER,
                  String.join(", ", learner.data().stream().map(DataSet::name).toList())));
    }
    apps()
        .forEach(
            (line, app) ->
                yaml.append(
                    """
                      %s:
                        tier: application
                        parent: %s
                        application: apps/%s.yaml
                        contract: { inherit: false, capabilities: [%s] }
                    """
                        .formatted(app.name(), line, app.name(), app.name())));
    return yaml.toString();
  }

  private static String slice(DataSet set) {
    List<String> preferred = List.of("intent", "tool", "attribute", "fields");
    for (String tag : preferred) {
      if (!set.test().isEmpty() && set.test().stream().allMatch(i -> i.tags().containsKey(tag))) {
        return tag;
      }
    }
    return "";
  }

  private static void capability(
      StringBuilder yaml, String owner, DataSet set, double floor, double margin, String slice) {
    boolean sliced =
        !slice.isEmpty() && set.test().stream().anyMatch(i -> i.tags().containsKey(slice));
    yaml.append(
        """
          %s:
            owner: %s-team
            suite: suites/%s.jsonl
            scorer: %s
            max-new-tokens: %d
            margin: %s
            floor: %s
        """
            .formatted(
                set.name(),
                owner,
                set.name(),
                label(set.scorer().kind()),
                set.scorer().maxNewTokens(),
                margin,
                floor));
    if (sliced) {
      yaml.append("    slices: { by: [%s], margin: 0.5, min-items: 5 }\n".formatted(slice));
    }
  }

  private static String label(ScorerKind kind) {
    return kind.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
  }

  private static String inline(Object value) {
    try {
      List<String> parts = new ArrayList<>();
      parts.add(Json.mapper().writeValueAsString(value));
      return parts.get(0).replace("\":", "\": ").replace(",\"", ", \"");
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
