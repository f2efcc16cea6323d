package dev.cambium.bench.upgrade;

import dev.cambium.artifact.safetensors.SafetensorsFile;
import dev.cambium.artifact.safetensors.TensorInfo;
import dev.cambium.engine.text.RowEncoder;
import dev.cambium.ledger.Recorded;
import dev.cambium.loop.Cambium;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import dev.cambium.model.Distillation;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What making candidates computes: weights × tokens, a pass forwards being 1, backwards 2 for all
 * weights and 1 for an adapter. Distilling counts the student's training, the teacher's pass over
 * the same rows and one pass for answers that the student gives itself; aligning a pass of both
 * bases over the calibration text; a search the items that it scores. Rows count with the mean
 * length of the line's rows in the model's own tokens. Evaluations of gates are left out, since
 * whatever is made has to pass one. Counted, not timed, so that what else a machine does moves
 * nothing; wall time is told beside it.
 *
 * @param operations weights × tokens × passes
 * @param seconds wall time of the same actions
 */
record Effort(double operations, double seconds) {

  static final Effort NONE = new Effort(0, 0);

  /** Rows that a mean length is taken from. */
  private static final int SAMPLE = 300;

  private static final int LONGEST = 512;

  /** What the engine reads for a comparison of two bases at most: so many tokens. */
  private static final double CALIBRATION_TOKENS = 2048;

  /** The same on the way between two bases, and at how many points. */
  private static final double CROSSING_TOKENS = 512;

  private static final double CROSSING_POINTS = 5;

  Effort plus(Effort other) {
    return new Effort(operations + other.operations, seconds + other.seconds);
  }

  /** A model as it reads a line's rows. */
  record Reading(double weights, double tokens) {

    static Reading of(Path model, List<Row> rows) throws IOException {
      return new Reading(weights(model), tokens(model, rows));
    }

    double pass() {
      return weights * tokens;
    }

    private static double weights(Path model) throws IOException {
      double count = 0;
      try (Stream<Path> files = Files.list(model)) {
        for (Path file : files.filter(f -> f.toString().endsWith(".safetensors")).toList()) {
          try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
            count += tensors.tensors().values().stream().mapToLong(TensorInfo::elements).sum();
          }
        }
      }
      return count;
    }

    private static double tokens(Path model, List<Row> rows) throws IOException {
      try (RowEncoder encoder = RowEncoder.load(model)) {
        return rows.stream()
            .limit(SAMPLE)
            .mapToInt(row -> encoder.row(row, LONGEST).ids().length)
            .average()
            .orElse(0);
      }
    }
  }

  private static double rows(Recipe recipe) {
    return (double) recipe.steps() * recipe.batchRows() * recipe.accumulation();
  }

  private static double passes(Recipe recipe) {
    return recipe.method() == Recipe.Method.FULL ? 3 : 2;
  }

  static double training(Recipe recipe, Reading student) {
    return rows(recipe) * passes(recipe) * student.pass();
  }

  static double distilling(Recipe recipe, Distillation how, Reading student, Reading teacher) {
    double asked = how.labels() == 1 ? 0 : teacher.pass();
    double each = (passes(recipe) + how.onPolicy()) * student.pass() + asked;
    return rows(recipe) * each;
  }

  /**
   * A line as its old version and as its candidates read its rows.
   *
   * @param before its version before the upgrade
   * @param rows that it has learnt
   */
  record Sides(VersionRef before, Reading old, Reading now, int rows) {}

  /** The efforts of a campaign, line by line; lines that took none are not in it. */
  static Map<String, Effort> of(Cambium cambium, String campaign, Map<String, Sides> sides) {
    Map<Digest, String> lines = new HashMap<>();
    sides.forEach((line, side) -> lines.put(cambium.version(side.before()).manifest(), line));
    Map<Digest, String> makers = new HashMap<>();
    for (Recorded<Fact.VersionRegistered> made : cambium.state().versionsOf(campaign)) {
      if (made.fact().action() != null) {
        makers.put(made.fact().action(), made.fact().version().line());
      }
    }
    Set<Digest> gates =
        new HashSet<>(cambium.state().ecosystem().orElseThrow().fact().suites().values());
    long from = cambium.state().campaign(campaign).orElseThrow().opened().index();
    List<Recorded<Fact.ActionFinished>> actions =
        cambium.state().actionsWithin(from, cambium.state().size(), Integer.MAX_VALUE);
    // A search scores the old version and its candidates on rows of the line that were set aside.
    Map<Digest, String> searches = new HashMap<>();
    for (Recorded<Fact.ActionFinished> done : actions) {
      if (spec(cambium, done) instanceof Action.Evaluate evaluate
          && !gates.contains(evaluate.suite())
          && lines.containsKey(evaluate.version())) {
        searches.put(evaluate.suite(), lines.get(evaluate.version()));
      }
    }
    Map<List<Digest>, String> crossings = new HashMap<>();
    sides.forEach((line, side) -> crossings.put(cambium.version(side.before()).data(), line));
    Map<String, Effort> efforts = new HashMap<>();
    for (Recorded<Fact.ActionFinished> done : actions) {
      Action action = spec(cambium, done);
      String line = null;
      if (action instanceof Action.Align align) {
        line = lines.get(align.tuned());
      } else if (action instanceof Action.Transplant transplant) {
        line = lines.get(transplant.tuned());
      } else if (action instanceof Action.Crossing crossing) {
        line = crossings.get(crossing.text());
      } else if (action instanceof Action.Distill distill) {
        line = lines.get(distill.teacher());
      } else if (action instanceof Action.Evaluate evaluate) {
        line = searches.get(evaluate.suite());
      } else if (action instanceof Action.Prompt) {
        continue; // is made of evaluations
      } else {
        line = makers.get(done.fact().action());
      }
      Sides of = line == null ? null : sides.get(line);
      if (line != null && of != null) {
        efforts.merge(
            line, new Effort(operations(action, of), done.fact().seconds()), Effort::plus);
      }
    }
    return efforts;
  }

  private static double operations(Action action, Sides of) {
    if (action instanceof Action.Train train) {
      return training(train.recipe(), of.now());
    }
    if (action instanceof Action.Distill distill) {
      Distillation how = distill.recipe().distill();
      return distilling(
          distill.recipe(), how == null ? Distillation.DEFAULT : how, of.now(), of.old());
    }
    if (action instanceof Action.Align) {
      double tokens = Math.min(CALIBRATION_TOKENS, of.rows() * of.old().tokens());
      return tokens * (of.old().weights() + of.now().weights());
    }
    if (action instanceof Action.Crossing) {
      return CROSSING_TOKENS * CROSSING_POINTS * of.now().weights();
    }
    if (action instanceof Action.Evaluate evaluate) {
      return (evaluate.to() - evaluate.from()) * of.now().pass();
    }
    return 0;
  }

  private static Action spec(Cambium cambium, Recorded<Fact.ActionFinished> done) {
    return Json.read(cambium.store().bytes(done.fact().spec()), Action.class);
  }
}
