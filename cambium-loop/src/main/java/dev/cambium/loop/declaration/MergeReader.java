package dev.cambium.loop.declaration;

import dev.cambium.loop.data.Suggestion;
import dev.cambium.loop.declaration.Node.Position;
import dev.cambium.model.MergeMethod;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads how a line is made by merging others. */
final class MergeReader {

  /** Which fields each method has beside {@code from} and {@code method}. */
  private static final Map<String, List<String>> METHODS =
      Map.of(
          "linear", List.of("weights"),
          "slerp", List.of("share"),
          "task", List.of("weights"),
          "ties", List.of("weights", "density", "scale"),
          "dare", List.of("weights", "density", "seed"),
          "regmean", List.of("weights", "off-diagonal", "tokens"));

  private static final List<String> MERGE =
      List.of(
          "from",
          "method",
          "weights",
          "share",
          "density",
          "scale",
          "seed",
          "off-diagonal",
          "tokens");

  private final Problems problems;

  MergeReader(Problems problems) {
    this.problems = problems;
  }

  /**
   * The lines that a merge names, with their places. Notes no problems: {@link #read} has.
   *
   * @param merge the mapping of the merge
   */
  static Map<String, Position> from(Node.Mapping merge) {
    return new Fields(merge, "merge", MERGE, new Problems("")).texts("from");
  }

  /**
   * The merge; null, and its problems noted, where something is wrong.
   *
   * @param what is made by it, for messages, such as {@code line 'cards'}
   */
  @Nullable Merging read(String what, Node.Mapping mapping) {
    int before = problems.errors();
    Fields fields = new Fields(mapping, what + ", merge", MERGE, problems);
    List<String> from = List.copyOf(fields.texts("from").keySet());
    if (!fields.has("from")) {
      fields.missing("from", "the lines to merge, such as from: [cards, payments]");
    }
    String method = fields.text("method");
    List<String> methods = METHODS.keySet().stream().sorted().toList();
    if (!fields.has("method")) {
      fields.missing("method", "one of " + String.join(", ", methods));
    }
    List<String> own = method == null ? null : METHODS.get(method);
    if (method != null && own == null) {
      problems.add(
          fields.at("method"),
          what
              + ", merge: no method '"
              + method
              + "'"
              + Suggestion.among(method, methods, "methods"));
    }
    if (own != null) {
      for (String field : MERGE.subList(2, MERGE.size())) {
        if (fields.has(field) && !own.contains(field)) {
          problems.add(
              fields.at(field),
              what
                  + ", merge: method "
                  + method
                  + " has no '"
                  + field
                  + "'; it has "
                  + String.join(", ", own));
        }
      }
    }
    List<Double> weights = weights(what, fields.mapping("weights"), from);
    double share = fields.number("share", 0.5, s -> s >= 0 && s <= 1, "from 0 to 1");
    double density = fields.number("density", 0.5, d -> d > 0 && d <= 1, "above 0 and at most 1");
    double scale = fields.number("scale", 1, Double::isFinite, "");
    long seed = fields.integer("seed", 1, 0, 1L << 53); // canonical JSON holds numbers as doubles
    double offDiagonal =
        fields.number(
            "off-diagonal",
            MergeMethod.RegMean.DEFAULT_OFF_DIAGONAL,
            d -> d >= 0 && d <= 1,
            "from 0 to 1");
    int tokens =
        (int) fields.integer("tokens", MergeMethod.RegMean.DEFAULT_TOKENS, 1, 1_000_000_000);
    if (fields.has("from") && (from.size() < 2 || ("slerp".equals(method) && from.size() != 2))) {
      problems.add(
          fields.at("from"),
          what
              + ", merge: "
              + ("slerp".equals(method) ? "slerp is of two lines" : "names fewer than two lines"));
    }
    if (method == null || own == null || problems.errors() > before) {
      return null;
    }
    try {
      return new Merging(
          from,
          switch (method) {
            case "linear" -> new MergeMethod.Linear(weights);
            case "slerp" -> new MergeMethod.Slerp(share);
            case "task" -> new MergeMethod.TaskArithmetic(weights);
            case "ties" -> new MergeMethod.Ties(weights, density, scale);
            case "dare" -> new MergeMethod.Dare(weights, density, seed);
            default -> new MergeMethod.RegMean(weights, offDiagonal, tokens);
          });
    } catch (IllegalArgumentException e) {
      problems.add(fields.at("weights"), what + ", merge: " + e.getMessage());
      return null;
    }
  }

  /** One for each line; 1 where none is said. */
  private List<Double> weights(String what, Node.@Nullable Mapping mapping, List<String> from) {
    if (mapping == null) {
      return Collections.nCopies(from.size(), 1.0);
    }
    Fields fields = new Fields(mapping, what + ", merge, weights", from, problems);
    return from.stream().map(line -> fields.number(line, 1, Double::isFinite, "")).toList();
  }
}
