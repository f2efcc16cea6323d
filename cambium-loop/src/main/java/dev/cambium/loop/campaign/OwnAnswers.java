package dev.cambium.loop.campaign;

import dev.cambium.loop.action.ActionResult;
import dev.cambium.loop.action.ActionRunner;
import dev.cambium.loop.data.RowFile;
import dev.cambium.loop.declaration.Line;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import dev.cambium.model.Progress;
import dev.cambium.model.Row;
import dev.cambium.model.Scorer;
import dev.cambium.model.ScorerKind;
import java.util.List;

/**
 * What a version answers itself, to be learnt again as it is: replay that lies on the model's own
 * policy, and the teaching of a model that begins anew.
 */
final class OwnAnswers {

  private final Workspace workspace;
  private final Trainings trainings;

  OwnAnswers(Workspace workspace, Trainings trainings) {
    this.workspace = workspace;
    this.trainings = trainings;
  }

  /** What a version answers itself to questions, where the line's scorer finds it right. */
  List<Row> right(
      Line line, Digest version, List<Row> questions, double temperature, Progress progress) {
    if (questions.isEmpty()) {
      return List.of();
    }
    Digest asked = workspace.store().put(RowFile.encode(questions));
    ActionResult result =
        workspace
            .actions()
            .run(
                new Action.Answer(version, asked, judging(line), temperature, trainings.seed(line)),
                Trainings.named(line, progress));
    return RowFile.decode(workspace.store().bytes(result.output(ActionRunner.ANSWERS)));
  }

  /** A scorer of the line's contract that judges what is generated; comparison without one. */
  private Scorer judging(Line line) {
    return workspace.declaration().contract(line.name()).capabilities().stream()
        .map(name -> workspace.declaration().capability(name).scorer())
        .filter(scorer -> scorer.kind().generates())
        .findFirst()
        .orElse(Scorer.of(ScorerKind.EXACT_MATCH));
  }
}
