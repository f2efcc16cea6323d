package dev.cambium.loop.campaign;

import dev.cambium.ledger.LedgerState;
import dev.cambium.loop.declaration.CapabilityDeclaration;
import dev.cambium.loop.declaration.Line;
import dev.cambium.loop.gate.Evaluations;
import dev.cambium.loop.gate.Suite;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Item;
import dev.cambium.model.Message;
import dev.cambium.model.Outcome;
import dev.cambium.model.Progress;
import dev.cambium.model.Row;
import dev.cambium.model.Scorer;
import dev.cambium.model.ScorerKind;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Scores that a search among candidates goes by, on the rows held out when data arrived. They
 * choose what is judged; they are no verdict.
 */
final class Scoring {

  /** Enough to tell candidates apart before the gate judges one of them. */
  private static final int SEARCH_ITEMS = 60;

  private final Workspace workspace;
  private final Evaluations evaluations;
  private final TrainingMix mixes;

  Scoring(Workspace workspace, Evaluations evaluations) {
    this.workspace = workspace;
    this.evaluations = evaluations;
    this.mixes = new TrainingMix(workspace.store());
  }

  /** Rows set aside when data arrived, as items; none if there are none. */
  @Nullable Suite heldOut(List<Digest> data) {
    Map<Digest, Digest> heldOut = new HashMap<>();
    for (LedgerState.SignalState signal : workspace.ledger().state().signals()) {
      Fact.SignalReceived fact = signal.received().fact();
      if (fact.train() != null && fact.heldOut() != null) {
        heldOut.put(fact.train(), fact.heldOut());
      }
    }
    // Calls are no text that a scorer could compare.
    List<Row> rows =
        mixes.holding(data, heldOut).stream().filter(row -> row.tools().isEmpty()).toList();
    if (rows.isEmpty()) {
      return null;
    }
    Suite all = Suite.of(rows.stream().map(Scoring::item).toList());
    Suite searched = Suite.of(all.items().subList(0, Math.min(SEARCH_ITEMS, all.items().size())));
    workspace.store().put(searched.bytes());
    return searched;
  }

  private static Item item(Row row) {
    if (row.text() != null) {
      return new Item(row.id(), row.text(), List.of(), null, List.of(), row.tags());
    }
    List<Message> messages = row.messages();
    return new Item(
        row.id(),
        null,
        messages.subList(0, messages.size() - 1),
        messages.get(messages.size() - 1).content(),
        List.of(),
        row.tags());
  }

  /** Generation as in the line's contract where that fits rows, likelihood otherwise. */
  Scorer scorer(Line line, @Nullable Suite heldOut) {
    boolean text =
        heldOut != null && heldOut.items().stream().anyMatch(item -> item.text() != null);
    if (!text) {
      for (String name : workspace.declaration().contract(line.name()).capabilities()) {
        CapabilityDeclaration capability = workspace.declaration().capability(name);
        if (capability.scorer().kind() == ScorerKind.EXACT_MATCH) {
          return capability.scorer();
        }
      }
      return Scorer.of(ScorerKind.EXACT_MATCH);
    }
    return Scorer.of(ScorerKind.LIKELIHOOD);
  }

  /** Mean score of a version on a suite, in [0, 1]. */
  double score(Digest version, Suite suite, Scorer scorer, Line line, Progress progress) {
    List<Outcome> outcomes =
        evaluations
            .run(version, suite, scorer, 0, suite.items().size(), Trainings.named(line, progress))
            .outcomes();
    return outcomes.stream().mapToDouble(Outcome::score).average().orElse(0);
  }
}
