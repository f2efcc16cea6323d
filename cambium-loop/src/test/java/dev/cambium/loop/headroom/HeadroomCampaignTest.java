package dev.cambium.loop.headroom;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.engine.ModelInitializer;
import dev.cambium.ledger.Recorded;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.Pretraining;
import dev.cambium.loop.action.EngineExecutor;
import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.data.RowFile;
import dev.cambium.loop.data.SuiteFile;
import dev.cambium.loop.explain.LineHistory;
import dev.cambium.loop.explain.WhyNode;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.loop.governor.Readings;
import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Fact;
import dev.cambium.model.Item;
import dev.cambium.model.Json;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Campaigns whose contract asks for headroom, with the real engine on a small model. */
class HeadroomCampaignTest {

  private static final List<String> THINGS =
      List.of("card", "loan", "account", "transfer", "letter", "key", "phone", "code");
  private static final List<String> STATES = List.of("lost", "late", "new", "wrong", "blocked");

  @TempDir static Path shared;
  @TempDir Path directory;

  @BeforeAll
  static void pretrain() throws IOException {
    List<Row> text = new ArrayList<>();
    for (String thing : THINGS) {
      for (String state : STATES) {
        text.add(Row.qa("t" + text.size(), "the " + thing + " is", state, Map.of()));
      }
    }
    Path rows = shared.resolve("text.jsonl");
    Files.write(rows, RowFile.encode(text));
    Recipe recipe =
        new Recipe(
            Recipe.Method.FULL, null, 60, 16, 1, 48, 5e-3, 0.1, Recipe.Schedule.COSINE, 0, 1, 0);
    Pretraining.run(
        rows,
        null,
        new ModelInitializer.Shape(2, 32, 2, 2, 64, 300, 96),
        recipe,
        1,
        shared.resolve("base"),
        Progress.NONE);
  }

  private Cambium create(String recipe, String headroom) throws IOException {
    Files.createDirectories(directory.resolve("suites"));
    List<Item> items = new ArrayList<>();
    for (String thing : THINGS) {
      for (String state : STATES) {
        items.add(
            Item.qa(
                "i" + items.size(), "please, the " + thing + " seems " + state, thing, Map.of()));
      }
    }
    Files.write(directory.resolve("suites/things.jsonl"), SuiteFile.encode(items));
    String yaml =
        """
        name: small
        recipes:
          tune: { method: full, batch-rows: 16, max-tokens: 48, replay-share: 0.3, %s }
        capabilities:
          things: { owner: t, suite: suites/things.jsonl, scorer: likelihood, margin: 0.5, floor: 0.0001 }
        lines:
          base: { tier: foundation }
          desk: { tier: industrial, parent: base, recipe: tune, contract: { capabilities: [things], headroom: %s } }
        """
            .formatted(recipe, headroom);
    Files.writeString(directory.resolve("ecosystem.yaml"), yaml);
    Cambium cambium =
        Cambium.create(directory, yaml, "tester", InstantSource.system(), EngineExecutor::new);
    cambium.importVersion(shared.resolve("base"), "base", Tier.FOUNDATION, null, "made");
    cambium.promote(VersionRef.parse("base@1"), Channel.STABLE, "the only one", Progress.NONE);
    return cambium;
  }

  private void signal(Cambium cambium, String opening) throws IOException {
    List<Row> rows = new ArrayList<>();
    for (String thing : THINGS) {
      for (String state : STATES) {
        rows.add(
            Row.qa("d" + rows.size(), opening + " " + thing + " is " + state, thing, Map.of()));
      }
    }
    Path file = directory.resolve("rows-" + opening + ".jsonl");
    Files.write(file, RowFile.encode(rows));
    cambium.signalData(file, "desk", false, true, opening);
  }

  private static Stream<WhyNode> all(WhyNode node) {
    return Stream.concat(
        Stream.of(node), node.because().stream().flatMap(HeadroomCampaignTest::all));
  }

  @Test
  void everyCandidateIsMeasuredOnceAgainstItsFoundation() throws IOException {
    try (Cambium cambium =
        create(
            "steps: 30, learning-rate: 0.004",
            "{ floor: 0.2, tasks: 1, seeds: 3, steps: 12, learning-rate: 0.01 }")) {
      assertThat(cambium.state().recentActions("probe", 9))
          .as("nothing for a foundation")
          .isEmpty();
      signal(cambium, "my");
      Cambium.RunReport report = cambium.run(Approver.ALWAYS, Progress.NONE);
      assertThat(report.outcome()).isEqualTo(Fact.CampaignOutcome.RELEASED);
      Verdict.OfHeadroom headroom = report.verdicts().get(0).headroom();
      assertThat(headroom.decision()).isEqualTo(Decision.PASS);
      Headroom measured = headroom.measured();
      assertThat(measured.foundation()).isEqualTo(VersionRef.parse("base@1"));
      assertThat(measured.tasks()).isEqualTo(3);
      assertThat(measured.runs()).isEqualTo(9);
      assertThat(measured.lower()).isLessThanOrEqualTo(measured.point());
      assertThat(measured.point()).isLessThanOrEqualTo(measured.upper());
      assertThat(measured.costShare()).isPositive();
      assertThat(measured.curves())
          .extracting(Headroom.Curve::kind)
          .containsExactlyElementsOf(ProbeTasks.KINDS);
      assertThat(report.verdicts().get(0).reason()).contains("headroom", "above the floor");

      // The next version's probe is its own; the foundation's is known.
      signal(cambium, "our");
      assertThat(cambium.plan().steps().get(0).update().readings().headroom())
          .as("what the governor goes by")
          .isEqualTo(
              new Readings.Estimate(
                  measured.point(), measured.lower(), measured.upper(), "desk@1"));
      cambium.run(Approver.ALWAYS, Progress.NONE);
      List<Recorded<Fact.ActionFinished>> probes = cambium.state().recentActions("probe", 9);
      assertThat(probes).hasSize(3);

      LineHistory history = cambium.history("desk");
      assertThat(history.versions()).hasSize(2).allMatch(v -> v.measured().isPresent());
      assertThat(LineHistory.lastHeadroom(cambium.state(), cambium.store(), "desk"))
          .isEqualTo(history.versions().get(1).measured());
      assertThat(LineHistory.lastHeadroom(cambium.state(), cambium.store(), "base")).isEmpty();
      assertThat(Json.read(Json.canonical(measured), Headroom.class)).isEqualTo(measured);

      WhyNode why = cambium.why(VersionRef.parse("desk@2"));
      WhyNode node = all(why).filter(n -> n.kind().equals("headroom")).findFirst().orElseThrow();
      assertThat(node.detail()).contains("headroom", "steps", "area", "of the update");
      assertThat(node.because()).extracting(WhyNode::kind).containsExactly("probe", "probe");
      assertThat(all(why).filter(n -> n.kind().equals("attempt"))).isEmpty();
      assertThat(cambium.verify(Progress.NONE).intact()).isTrue();
    }
  }

  @Test
  void aCandidateThatLearnsWorseIsHeldAlthoughItCanDoWhatItMust() throws IOException {
    // So high a rate leaves large weights that small steps no longer move.
    try (Cambium cambium =
        create(
            "steps: 60, learning-rate: 0.3, clip-norm: 0",
            "{ floor: 0.9, tasks: 1, seeds: 3, steps: 12, learning-rate: 0.01 }")) {
      signal(cambium, "my");
      Cambium.RunReport report = cambium.run(Approver.ALWAYS, Progress.NONE);
      assertThat(report.outcome()).isEqualTo(Fact.CampaignOutcome.INCONCLUSIVE);
      Verdict verdict = report.verdicts().get(0);
      assertThat(verdict.capabilities())
          .allMatch(c -> c.decision() == Decision.PASS, "its accuracy is fine");
      assertThat(verdict.headroom().decision()).isEqualTo(Decision.INCONCLUSIVE);
      assertThat(verdict.headroom().measured().upper()).isLessThan(0.9);
      assertThat(verdict.headroom().measured().censored()).isPositive();
      assertThat(verdict.reason())
          .contains("below the floor of 0.90: it learns worse than base@1")
          .contains("never reached their threshold and count as 12 steps");
      Fact.LineSettled settled = report.settlements().get(0);
      assertThat(settled.settlement()).isEqualTo(Fact.Settlement.HELD);
      assertThat(settled.reason()).contains("it learns worse than base@1");
      assertThat(cambium.state().channel("desk", Channel.STABLE)).isEmpty();
      assertThat(cambium.history("desk").versions().get(0).released()).isFalse();
    }
  }
}
