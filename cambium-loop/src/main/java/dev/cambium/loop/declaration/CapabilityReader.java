package dev.cambium.loop.declaration;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.cambium.loop.data.Suggestion;
import dev.cambium.loop.declaration.Node.Position;
import dev.cambium.model.Json;
import dev.cambium.model.Scorer;
import dev.cambium.model.ScorerKind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads a capability: its suite, its scorer, and what counts as keeping it. */
final class CapabilityReader {

  private static final List<String> CAPABILITY =
      List.of("owner", "suite", "scorer", "max-new-tokens", "schema", "margin", "floor", "slices");
  private static final List<String> SLICES = List.of("by", "margin", "min-items");

  private final NamedFiles files;
  private final Problems problems;

  CapabilityReader(NamedFiles files, Problems problems) {
    this.files = files;
    this.problems = problems;
  }

  /**
   * The capability; null, and its problems noted, where something is wrong.
   *
   * @param place where its name stands
   */
  @Nullable CapabilityDeclaration read(String name, Node.Mapping mapping, Position place) {
    int before = problems.errors();
    String what = "capability '" + name + "'";
    Fields fields = new Fields(mapping, what, CAPABILITY, problems);
    String owner = fields.text("owner");
    if (!fields.has("owner")) {
      fields.missing("owner", "who is told when it breaks, such as owner: cards-team");
    }
    String suite = fields.text("suite");
    if (!fields.has("suite")) {
      fields.missing("suite", "the file of its items, such as suite: suites/" + name + ".jsonl");
    }
    if (suite != null) {
      files.find(suite, fields.at("suite"), what + ": suite");
    }
    ScorerKind kind = null;
    String scorer = fields.text("scorer");
    List<String> scorers = Written.labels(ScorerKind.values());
    if (!fields.has("scorer")) {
      fields.missing("scorer", "one of " + String.join(", ", scorers));
    } else if (scorer != null) {
      if (scorers.contains(scorer)) {
        kind = ScorerKind.values()[scorers.indexOf(scorer)];
      } else {
        problems.add(
            fields.at("scorer"),
            what + ": no scorer '" + scorer + "'" + Suggestion.among(scorer, scorers, "scorers"));
      }
    }
    int maxNewTokens =
        (int) fields.integer("max-new-tokens", Scorer.DEFAULT_MAX_NEW_TOKENS, 1, 100_000);
    String schemaFile = fields.text("schema");
    JsonNode schema = null;
    if (schemaFile != null) {
      if (kind != null && kind != ScorerKind.JSON) {
        problems.add(
            fields.at("schema"),
            what + ": a schema goes with scorer json, not " + Written.label(kind));
      }
      schema = schema(schemaFile, fields.at("schema"), what);
    }
    double margin =
        fields.number(
            "margin",
            CapabilityDeclaration.DEFAULT_MARGIN,
            m -> m > 0 && m < 1,
            "above 0 and below 1");
    double floor = fields.number("floor", 0, f -> f >= 0 && f <= 1, "from 0 to 1");
    if (!fields.has("floor")) {
      problems.warn(
          place,
          what
              + ": has no floor, so the first release of it can only be inconclusive; write, for"
              + " example, floor: 0.5");
    }
    SlicePolicy slices = null;
    Node.Mapping sliced = fields.mapping("slices");
    if (sliced != null) {
      slices = slices(what, sliced);
    }
    if (problems.errors() > before || owner == null || suite == null || kind == null) {
      return null;
    }
    return new CapabilityDeclaration(
        name,
        owner,
        suite,
        new Scorer(kind, maxNewTokens, schema),
        schemaFile,
        margin,
        floor,
        slices);
  }

  private SlicePolicy slices(String what, Node.Mapping mapping) {
    Fields fields = new Fields(mapping, what + ", slices", SLICES, problems);
    List<String> by = List.copyOf(fields.texts("by").keySet());
    if (!fields.has("by")) {
      fields.missing("by", "the tags that make slices, such as by: [intent]");
    }
    double margin =
        fields.number(
            "margin", SlicePolicy.DEFAULT_MARGIN, m -> m > 0 && m < 1, "above 0 and below 1");
    int minItems = (int) fields.integer("min-items", SlicePolicy.DEFAULT_MIN_ITEMS, 1, 1_000_000);
    return new SlicePolicy(by, margin, minItems);
  }

  private @Nullable JsonNode schema(String name, Position place, String what) {
    Path path = files.find(name, place, what + ": schema");
    if (path == null) {
      return null;
    }
    try {
      JsonNode schema = Json.mapper().readTree(Files.readAllBytes(path));
      if (!schema.isObject() && !schema.isBoolean()) {
        problems.add(place, what + ": " + name + " is not a JSON Schema, which is an object");
      }
      return schema;
    } catch (JsonProcessingException e) {
      problems.add(
          place,
          what
              + ": "
              + name
              + (e.getLocation() == null
                  ? ""
                  : ":" + e.getLocation().getLineNr() + ":" + e.getLocation().getColumnNr())
              + ": not JSON: "
              + e.getOriginalMessage().lines().findFirst().orElse(""));
      return null;
    } catch (IOException e) {
      throw new UncheckedIOException(path + ": cannot be read", e);
    }
  }
}
