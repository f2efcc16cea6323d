package dev.cambium.loop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.ledger.Recorded;
import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.data.RowFile;
import dev.cambium.model.Action;
import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole campaigns of lines whose recipes keep more than the last training taught. */
class KeepingTest {

  @TempDir Path temp;

  private Cambium founded(Town town, String protect) throws IOException {
    String yaml = Town.YAML;
    if (protect.contains("rehearse")) {
      yaml = yaml.replace(", replay-share: 0.5", "");
    }
    Cambium cambium =
        town.create(
            yaml.replace(
                    "method: full, steps: 1,",
                    "method: full, steps: 10, protect: { " + protect + " },")
                .replace(
                    "suites/cards.jsonl, scorer: exact-match, margin: 0.05",
                    "suites/cards.jsonl, scorer: exact-match, margin: 0.3")
                .replace("slices: { by: [kind], margin: 0.3", "slices: { by: [kind], margin: 0.9"));
    town.found(cambium);
    assertThat(cambium.run(Approver.ALWAYS, Progress.NONE).outcome())
        .isEqualTo(Fact.CampaignOutcome.RELEASED);
    return cambium;
  }

  /** Two in five of what was right before is to become wrong. */
  private static List<Row> poison() {
    return Town.rows("card", Town.ITEMS, "no").stream()
        .filter(row -> Integer.parseInt(row.tags().get("key").split(" ")[1]) % 5 < 2)
        .toList();
  }

  @Test
  void theLargestGainThatPassesEveryGateIsReleased() throws IOException {
    Town town = new Town(temp.resolve("town"));
    try (Cambium cambium = founded(town, "interpolate-search: [0.2, 1]")) {
      VersionRef before = cambium.state().channel("cards", Channel.STABLE).orElseThrow();
      cambium.signalData(town.rows("new", poison()), "cards", false, false, "a wave");
      cambium.run(Approver.ALWAYS, Progress.NONE);
      VersionRef stable = cambium.state().channel("cards", Channel.STABLE).orElseThrow();
      // The whole way gained most and broke too much; a fifth of it passed.
      VersionRef whole = new VersionRef("cards", before.number() + 1);
      assertThat(stable).isEqualTo(new VersionRef("cards", before.number() + 2));
      assertThat(decision(cambium, whole)).isNotEqualTo(Decision.PASS);
      assertThat(decision(cambium, stable)).isEqualTo(Decision.PASS);
      assertThat(cambium.version(whole).note())
          .contains(
              "1.00 of the way from its start, score on new rows held out by share 1.00: 1.000");
      assertThat(cambium.version(stable).note()).contains("0.20 of the way");
      assertThat(cambium.telemetry().of(stable))
          .as("its telemetry is that of the training that it lies on the way of")
          .isPresent();
      assertThat(cambium.why(stable).toString()).contains("times 0.20");
      assertThat(cambium.verify(Progress.NONE).findings()).isEmpty();
    }
  }

  /** The recipe takes ten steps of four rows, for what is new. */
  @Test
  void whatIsRehearsedTakesStepsOfItsOwn() throws IOException {
    Town town = new Town(temp.resolve("town"));
    try (Cambium cambium = founded(town, "rehearse: 0.5")) {
      VersionRef first = cambium.state().channel("cards", Channel.STABLE).orElseThrow();
      assertThat(training(cambium, first).recipe().steps())
          .as("nothing to rehearse yet")
          .isEqualTo(10);
      double planned = cambium.plan().seconds();
      cambium.signalData(town.rows("new", poison()), "cards", false, true, "a wave");
      assertThat(cambium.plan().seconds()).isGreaterThan(planned);
      cambium.run(Approver.ALWAYS, Progress.NONE);
      VersionRef second = new VersionRef("cards", first.number() + 1);
      Action.Train train = training(cambium, second);
      List<Row> held =
          train.mix().stream()
              .flatMap(share -> RowFile.decode(cambium.store().bytes(share.data())).stream())
              .filter(row -> row.messages().get(1).content().equals("yes"))
              .toList();
      assertThat(held).as("three in five rows are not contradicted").hasSizeBetween(400, 576);
      Recipe recipe = train.recipe();
      assertThat(recipe.steps()).isEqualTo(10 + (int) Math.ceil(0.5 * held.size() / 4));
      assertThat(recipe.replayShare()).isEqualTo((recipe.steps() - 10.0) / recipe.steps());
      assertThat(cambium.why(second).toString()).contains(recipe.steps() + " steps of 4 rows");
    }
  }

  @Test
  void epochsTakeAsManyStepsAsThereAreNewRows() throws IOException {
    Town town = new Town(temp.resolve("town"));
    try (Cambium cambium = founded(town, "rehearse: 0.5")) {
      Path file = town.directory.resolve("ecosystem.yaml");
      Files.writeString(
          file,
          Files.readString(file)
              .replace("steps: 10, protect: { rehearse: 0.5 }", "epochs: 2, replay-share: 0.2"));
      double before = cambium.plan().seconds();
      cambium.signalData(
          town.rows("new", Town.rows("new card", 40, "new")), "cards", false, false, "new");
      assertThat(cambium.plan().seconds()).isGreaterThan(before);
      cambium.run(Approver.ALWAYS, Progress.NONE);
      VersionRef stable = cambium.state().channel("cards", Channel.STABLE).orElseThrow();
      Action.Train train = training(cambium, stable);
      long fresh =
          RowFile.decode(cambium.store().bytes(train.mix().get(0).data())).stream()
              .filter(row -> row.messages().get(1).content().equals("new"))
              .count();
      assertThat(fresh).isGreaterThan(200);
      assertThat(train.recipe().steps()).isEqualTo((int) Math.ceil(2 * fresh / 0.8 / 4));
    }
  }

  private static Action.Train training(Cambium cambium, VersionRef version) {
    Digest action = Objects.requireNonNull(cambium.version(version).action());
    Digest spec = cambium.state().action(action).orElseThrow().fact().spec();
    return (Action.Train) Json.read(cambium.store().bytes(spec), Action.class);
  }

  @Test
  void aPlanCountsWhatKeepingTakes() throws IOException {
    Town town = new Town(temp.resolve("town"));
    String keeping = "interpolate-search: [0.2, 1], on-policy: { share: 0.1, temperature: 0 }";
    try (Cambium cambium = founded(town, keeping)) {
      cambium.signalData(town.rows("new", poison()), "cards", false, false, "a wave");
      double with = cambium.plan().steps().get(0).seconds();
      Path file = town.directory.resolve("ecosystem.yaml");
      Files.writeString(file, Files.readString(file).replace(" protect: { " + keeping + " },", ""));
      // Two transplants of half a second each; their evaluations and the answers come on top.
      assertThat(with).isGreaterThan(cambium.plan().steps().get(0).seconds() + 1);
    }
  }

  private static Decision decision(Cambium cambium, VersionRef version) {
    List<Recorded<Fact.VerdictReached>> verdicts = cambium.state().verdicts(version);
    return verdicts.get(verdicts.size() - 1).fact().decision();
  }

  @Test
  void whatTheReleasedVersionSaysItselfIsReplayedAndExplained() throws IOException {
    Town town = new Town(temp.resolve("town"));
    try (Cambium cambium = founded(town, "on-policy: { share: 0.1, temperature: 1 }")) {
      cambium.signalData(
          town.rows("new", Town.rows("new card", 40, "new")), "cards", false, false, "new");
      town.executed.clear();
      cambium.run(Approver.ALWAYS, Progress.NONE);
      VersionRef stable = cambium.state().channel("cards", Channel.STABLE).orElseThrow();
      assertThat(town.executed).contains("answer");
      assertThat(cambium.version(stable).note()).contains("replayed 8 answers of cards@1");
      assertThat(cambium.why(stable).toString())
          .contains("what cards@1 answers itself, where it is right by exact-match");
      assertThat(cambium.verify(Progress.NONE).findings()).isEmpty();
    }
  }
}
