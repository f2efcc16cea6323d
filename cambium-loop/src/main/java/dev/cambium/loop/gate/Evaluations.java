package dev.cambium.loop.gate;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.loop.action.ActionResult;
import dev.cambium.loop.action.ActionRunner;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import dev.cambium.model.Json;
import dev.cambium.model.Outcome;
import dev.cambium.model.Progress;
import dev.cambium.model.Scorer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Outcomes of versions on suites, piece by piece and each piece once. */
public final class Evaluations implements OutcomeSource {

  private final ActionRunner actions;
  private final ArtifactStore store;

  public Evaluations(ActionRunner actions, ArtifactStore store) {
    this.actions = actions;
    this.store = store;
  }

  @Override
  public Piece run(
      Digest version, Suite suite, Scorer scorer, int from, int to, Progress progress) {
    ActionResult result =
        actions.run(new Action.Evaluate(version, suite.digest(), scorer, from, to), progress);
    List<Outcome> outcomes =
        new String(store.bytes(result.output(ActionRunner.OUTCOMES)), StandardCharsets.UTF_8)
            .lines()
            .map(line -> Json.read(line.getBytes(StandardCharsets.UTF_8), Outcome.class))
            .toList();
    if (outcomes.size() != to - from) {
      throw new IllegalStateException(
          "evaluation of items " + from + " to " + to + " gave " + outcomes.size() + " outcomes");
    }
    for (int i = 0; i < outcomes.size(); i++) {
      String expected = suite.items().get(from + i).id();
      if (!outcomes.get(i).item().equals(expected)) {
        throw new IllegalStateException(
            "evaluation gave an outcome for " + outcomes.get(i).item() + ", expected " + expected);
      }
    }
    return new Piece(outcomes, result.seconds());
  }
}
