package dev.cambium.loop.declaration;

import dev.cambium.loop.data.Suggestion;
import dev.cambium.loop.declaration.Policy.DecisionPoint;
import dev.cambium.model.Channel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads the policy: how releases are judged, their stages, and what waits for an approval. */
final class PolicyReader {

  private static final List<String> POLICY = List.of("alpha", "chunk", "seed", "stages", "approve");

  private final Problems problems;

  PolicyReader(Problems problems) {
    this.problems = problems;
  }

  /** The policy, the usual one where the declaration is silent. */
  Policy read(Node.@Nullable Mapping mapping) {
    Policy usual = Policy.DEFAULT;
    if (mapping == null) {
      return usual;
    }
    Fields fields = new Fields(mapping, "policy", POLICY, problems);
    double alpha =
        fields.number("alpha", usual.alpha(), a -> a > 0 && a <= 0.5, "above 0 and at most 0.5");
    int chunk = (int) fields.integer("chunk", usual.chunk(), 1, 100_000);
    long seed = fields.integer("seed", usual.seed(), Long.MIN_VALUE, Long.MAX_VALUE);
    List<Channel> stages = new ArrayList<>();
    fields
        .texts("stages")
        .forEach(
            (label, place) -> {
              List<String> known = Arrays.stream(Channel.values()).map(Channel::label).toList();
              if (known.contains(label)) {
                stages.add(Channel.parse(label));
              } else {
                problems.add(
                    place,
                    "policy: no stage '" + label + "'" + Suggestion.among(label, known, "stages"));
              }
            });
    boolean sorted = stages.equals(stages.stream().sorted().toList());
    if (fields.has("stages")
        && (stages.isEmpty() || stages.get(stages.size() - 1) != Channel.STABLE || !sorted)) {
      problems.add(
          fields.at("stages"),
          "policy: stages must be in the order candidate, canary, stable and end with stable");
    }
    Set<DecisionPoint> approve = new LinkedHashSet<>();
    fields
        .texts("approve")
        .forEach(
            (label, place) -> {
              List<String> known =
                  Arrays.stream(DecisionPoint.values()).map(DecisionPoint::label).toList();
              if (known.contains(label)) {
                approve.add(DecisionPoint.values()[known.indexOf(label)]);
              } else {
                problems.add(
                    place,
                    "policy: no decision point '"
                        + label
                        + "'"
                        + Suggestion.among(label, known, "decision points"));
              }
            });
    return new Policy(alpha, chunk, seed, fields.has("stages") ? stages : usual.stages(), approve);
  }
}
