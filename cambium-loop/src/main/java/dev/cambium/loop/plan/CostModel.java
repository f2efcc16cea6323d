package dev.cambium.loop.plan;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.ledger.LedgerState;
import dev.cambium.ledger.Recorded;
import dev.cambium.model.Action;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.Recipe;
import dev.cambium.model.VersionKind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * What actions cost, from what recorded ones cost: seconds per row and step of training, seconds
 * per evaluated item, seconds per transplant, merge and alignment. Medians over the latest records,
 * since machines are noisy and get faster.
 */
public final class CostModel {

  private static final int LATEST = 50;

  /**
   * Used until something is recorded; a plan says that it rests on no record. A rough guess for two
   * cores: something for each piece of work, and something for each byte of the model's files.
   */
  private static final double SECONDS_PER_ROW = 0.004;

  private static final double SECONDS_PER_ITEM = 0.03;
  private static final double TRANSPLANT_SECONDS = 2;
  private static final double SECONDS_PER_ROW_AND_BYTE = 5e-10;
  private static final double SECONDS_PER_ITEM_AND_BYTE = 5e-10;
  private static final double TRANSPLANT_SECONDS_PER_BYTE = 1e-8;
  private static final double ALIGN_SECONDS_PER_BYTE = 1e-7;

  /** A row of distilling by a row of training: the teacher's pass and the student's own answers. */
  private static final double DISTILLED_ROW = 2;

  /** What decides how long a row takes. */
  private record Way(Recipe.Method method, Recipe.Precision precision) {
    static Way of(Recipe recipe) {
      return new Way(recipe.method(), recipe.precision());
    }
  }

  private final Map<Way, List<Double>> perRow = new HashMap<>();
  private final List<Double> perItem = new ArrayList<>();
  private final List<Double> transplants = new ArrayList<>();
  private final List<Double> merges = new ArrayList<>();
  private final List<Double> alignments = new ArrayList<>();
  private final Map<Way, List<Double>> perDistilledRow = new HashMap<>();
  private final long modelBytes;

  private CostModel(long modelBytes) {
    this.modelBytes = modelBytes;
  }

  /** Learns from the latest recorded actions. */
  public static CostModel of(LedgerState state, ArtifactStore store) {
    CostModel model = new CostModel(largestModel(state, store));
    for (String kind : List.of("train", "evaluate", "transplant", "merge", "align", "distill")) {
      for (Recorded<Fact.ActionFinished> recorded : state.recentActions(kind, LATEST)) {
        model.learn(recorded.fact(), store);
      }
    }
    return model;
  }

  /** Of the foundations: what is trained from one has its size. */
  private static long largestModel(LedgerState state, ArtifactStore store) {
    return state.foundations().stream()
        .map(Recorded::fact)
        .filter(version -> version.kind() == VersionKind.MODEL)
        .mapToLong(version -> Json.read(store.bytes(version.manifest()), Manifest.class).size())
        .max()
        .orElse(0);
  }

  private void learn(Fact.ActionFinished fact, ArtifactStore store) {
    Action action = Json.read(store.bytes(fact.spec()), Action.class);
    if (action instanceof Action.Train train) {
      perRow
          .computeIfAbsent(Way.of(train.recipe()), w -> new ArrayList<>())
          .add(fact.seconds() / rowSteps(train.recipe()));
    } else if (action instanceof Action.Evaluate evaluate) {
      perItem.add(fact.seconds() / (evaluate.to() - evaluate.from()));
    } else if (action instanceof Action.Merge) {
      merges.add(fact.seconds());
    } else if (action instanceof Action.Distill distill) {
      perDistilledRow
          .computeIfAbsent(Way.of(distill.recipe()), w -> new ArrayList<>())
          .add(fact.seconds() / rowSteps(distill.recipe()));
    } else if (action instanceof Action.Align) {
      alignments.add(fact.seconds());
    } else if (action instanceof Action.Transplant) {
      transplants.add(fact.seconds());
    }
  }

  private static double rowSteps(Recipe recipe) {
    return (double) recipe.steps() * recipe.batchRows();
  }

  /** Seconds of a training. */
  public double training(Recipe recipe) {
    return rowSteps(recipe)
        * median(perRow.getOrDefault(Way.of(recipe), List.of()))
            .orElse(SECONDS_PER_ROW + modelBytes * SECONDS_PER_ROW_AND_BYTE);
  }

  /** Seconds of an evaluation of some items. */
  public double evaluation(int items) {
    return items
        * median(perItem).orElse(SECONDS_PER_ITEM + modelBytes * SECONDS_PER_ITEM_AND_BYTE);
  }

  /** Seconds of one transplant, without its evaluation. */
  public double transplant() {
    return median(transplants)
        .orElse(TRANSPLANT_SECONDS + modelBytes * TRANSPLANT_SECONDS_PER_BYTE);
  }

  /** Seconds of one merge; without a record, those of a transplant, which reads as much. */
  public double merge() {
    return median(merges).orElse(transplant());
  }

  /** Seconds of one alignment, without its evaluation. */
  public double alignment() {
    return median(alignments).orElse(TRANSPLANT_SECONDS + modelBytes * ALIGN_SECONDS_PER_BYTE);
  }

  /** Seconds of a distillation by a line's recipe; see {@link Recipe#distilling}. */
  public double distillation(Recipe recipe) {
    Recipe taken = recipe.distilling();
    return median(perDistilledRow.getOrDefault(Way.of(taken), List.of()))
            .orElse(DISTILLED_ROW * training(taken) / rowSteps(taken))
        * rowSteps(taken);
  }

  /** Whether a training of this kind has been recorded. */
  public boolean knows(Recipe recipe) {
    return perRow.containsKey(Way.of(recipe));
  }

  private static OptionalDouble median(List<Double> values) {
    if (values.isEmpty()) {
      return OptionalDouble.empty();
    }
    List<Double> sorted = values.stream().sorted().toList();
    return OptionalDouble.of(sorted.get(sorted.size() / 2));
  }
}
