package dev.cambium.loop.campaign;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.artifact.LocalArtifactStore;
import dev.cambium.ledger.Ledger;
import dev.cambium.ledger.Recorded;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.Memorizer;
import dev.cambium.loop.Town;
import dev.cambium.loop.action.ActionRunner;
import dev.cambium.loop.action.VersionFiles;
import dev.cambium.loop.data.RowFile;
import dev.cambium.loop.declaration.Declaration;
import dev.cambium.loop.gate.Evaluations;
import dev.cambium.loop.governor.Choice;
import dev.cambium.loop.governor.Mode;
import dev.cambium.loop.governor.Readings;
import dev.cambium.model.Action;
import dev.cambium.model.Channel;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Progress;
import dev.cambium.model.Protection;
import dev.cambium.model.Row;
import dev.cambium.model.Rung;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ways of making a candidate that keep what a line knows, on models that are tables. */
class CandidatesTest {

  @TempDir Path temp;
  private Town town;
  private Ledger ledger;
  private ArtifactStore store;
  private VersionFiles versions;
  private ActionRunner actions;
  private Declaration declaration;
  private Learning learning;
  private Carrying carrying;

  /** A town that has learnt what it is founded on, with other recipes. */
  private void founded(String tune, String adapt) throws IOException {
    town = new Town(temp.resolve("town"));
    String yaml =
        Town.YAML
            .replace("method: full, steps: 1,", "method: full, steps: 10" + tune + ",")
            .replace("alpha: 4 }, steps: 1,", "alpha: 4 }, steps: 10" + adapt + ",");
    try (Cambium cambium = town.create(yaml)) {
      town.found(cambium);
      assertThat(cambium.run(Approver.ALWAYS, Progress.NONE).outcome())
          .isEqualTo(Fact.CampaignOutcome.RELEASED);
    }
    open();
  }

  private void open() {
    ledger = Ledger.open(town.directory(), InstantSource.system());
    store = LocalArtifactStore.open(town.directory().resolve(".cambium/objects"));
    versions = new VersionFiles(store, town.directory().resolve(".cambium/cache"));
    actions =
        new ActionRunner(
            ledger,
            store,
            versions,
            town.memorizer(),
            town.directory().resolve(".cambium/jobs"),
            "tester");
    declaration = Declaration.load(town.directory());
    Workspace workspace = new Workspace(ledger, store, versions, actions, declaration, "tester");
    Evaluations evaluations = new Evaluations(actions, store);
    learning = new Learning(workspace, evaluations);
    carrying = new Carrying(workspace, evaluations);
  }

  @AfterEach
  void close() {
    ledger.close();
  }

  private VersionRef stable(String line) {
    return ledger.state().channel(line, Channel.STABLE).orElseThrow();
  }

  private Fact.VersionRegistered version(VersionRef ref) {
    return ledger.state().version(ref).orElseThrow().fact();
  }

  private Digest data(List<Row> rows) {
    return store.put(RowFile.encode(rows));
  }

  private Action action(Digest key) {
    Recorded<Fact.ActionFinished> found = ledger.state().action(key).orElseThrow();
    return Json.read(store.bytes(found.fact().spec()), Action.class);
  }

  private Action.Train train(Candidate candidate) {
    return (Action.Train) action(candidate.action());
  }

  private List<Row> rows(Action.DataShare share) {
    return RowFile.decode(store.bytes(share.data()));
  }

  private Map<String, String> table(Candidate candidate) throws IOException {
    Path file = versions.directory(candidate.manifest().digest()).resolve("table.json");
    Map<String, String> table = new java.util.TreeMap<>();
    Json.mapper()
        .readTree(file.toFile())
        .properties()
        .forEach(e -> table.put(e.getKey(), e.getValue().asText()));
    return table;
  }

  private Candidate learn(List<Digest> fresh) {
    return learning.learn(
        declaration.line("cards"), stable("cards"), stable("base"), fresh, Progress.NONE);
  }

  // ---- answers of the line's own ----

  @Test
  void whatTheReleasedVersionAnswersRightJoinsTheMix() throws Exception {
    founded(", protect: { on-policy: { share: 0.05, temperature: 0.5 } }", "");
    town.executed().clear();
    Digest fresh = data(Town.rows("new card", 20, "new"));
    Candidate candidate = learn(List.of(fresh));
    assertThat(town.executed()).containsExactly("answer", "train");
    Action.Train train = train(candidate);
    assertThat(train.mix()).hasSize(3);
    assertThat(train.mix().get(0).weight()).isCloseTo(0.95 * 0.5, within(1e-12));
    assertThat(train.mix().get(2).weight()).isCloseTo(0.05, within(1e-12));
    // Ten steps of four rows, a twentieth of them, and twice as many asked.
    assertThat(rows(train.mix().get(2)))
        .hasSize(4)
        .allMatch(row -> row.tags().get("own").equals("yes"));
    assertThat(candidate.note()).contains("replayed 4 answers of cards@1, of 4 asked");
    assertThat(train.recipe().protect()).as("no part of the training's identity").isNull();
    assertThat(candidate.data())
        .as("it has seen what was recorded, and nothing else")
        .hasSize(2)
        .endsWith(fresh);
    learn(List.of(fresh));
    assertThat(town.executed()).as("it is not asked twice").hasSize(2);
  }

  @Test
  void whatNewDataContradictIsNotAskedAndWithoutAnAnswerThereIsNoShare() throws Exception {
    founded(", protect: { on-policy: { share: 0.1, temperature: 0 } }", "");
    // The same questions with other answers: nothing of the past holds.
    List<Row> other =
        Town.rows("card", Town.ITEMS, "yes").stream()
            .map(r -> Row.qa(r.id() + "x", r.messages().get(0).content(), "no", r.tags()))
            .toList();
    town.executed().clear();
    Action.Train train = train(learn(List.of(data(other))));
    assertThat(town.executed()).containsExactly("train");
    assertThat(train.mix()).hasSize(1);
  }

  // ---- where a training ends ----

  @Test
  void theEndThatGainsMostComesFirstAndWithoutNewRowsHeldOutTheWholeWay() throws Exception {
    founded(", protect: { interpolate-search: [0.5, 1] }", "");
    searched(null);
  }

  @Test
  void endsAreSearchedForWhereTheGovernorSaysSoToo() throws Exception {
    founded("", "");
    Protection search = Protection.NONE.withInterpolateSearch(List.of(0.5, 1.0));
    searched(new Choice(Mode.PROTECT, Mode.PROTECT, search, List.of(), Readings.NONE, null));
  }

  private void searched(@Nullable Choice update) throws Exception {
    Digest fresh = data(Town.rows("new card", 20, "new"));
    assertThat(learning.ends(declaration.line("cards"), update)).isEqualTo(2);
    Candidate first =
        learning.learn(
            declaration.line("cards"),
            stable("cards"),
            stable("base"),
            List.of(fresh),
            0,
            update,
            Progress.NONE);
    Candidate second =
        learning.learn(
            declaration.line("cards"),
            stable("cards"),
            stable("base"),
            List.of(fresh),
            1,
            update,
            Progress.NONE);
    assertThat(action(first.action())).isInstanceOf(Action.Train.class);
    assertThat(first.note()).contains("1.00 of the way");
    Action.Transplant between = (Action.Transplant) action(second.action());
    assertThat(between.oldBase())
        .isEqualTo(between.newBase())
        .isEqualTo(version(stable("cards")).manifest());
    assertThat(between.tuned()).isEqualTo(first.manifest().digest());
    assertThat(between.alpha()).isEqualTo(0.5);
    assertThat(second.manifest().parent()).isEqualTo(version(stable("base")).manifest());
    assertThat(table(second).keySet().stream().filter(key -> key.startsWith("new card")).count())
        .isBetween(1L, 19L);
  }

  // ---- anew from the parent ----

  @Test
  void aRebaseTeachesTheParentWhatTheLineAnswersItself() throws Exception {
    founded("", "");
    Digest fresh = data(Town.rows("new card", 20, "new"));
    town.executed().clear();
    Candidate candidate =
        learning.rebase(
            declaration.line("cards"),
            stable("cards"),
            stable("base"),
            List.of(fresh),
            Progress.NONE);
    assertThat(town.executed()).containsExactly("answer", "train");
    Action.Train train = train(candidate);
    assertThat(train.start()).isEqualTo(version(stable("base")).manifest());
    assertThat(train.adapter()).isNull();
    List<Row> taught = train.mix().stream().flatMap(share -> rows(share).stream()).toList();
    assertThat(taught.stream().filter(row -> row.tags().containsKey("own"))).hasSize(40);
    assertThat(taught.stream().map(Row::id).distinct()).hasSameSizeAs(taught);
    assertThat(candidate.manifest().kind()).isEqualTo(VersionKind.MODEL);
    assertThat(candidate.note()).contains("begun anew from base@1, taught by cards@1: 40 of 40");
    assertThat(table(candidate)).containsEntry("new card 3", "new").containsEntry("card 3", "yes");
  }

  @Test
  void aRebaseOfAnAdapterBeginsWithAFreshOne() throws Exception {
    founded("", "");
    Candidate candidate =
        learning.rebase(
            declaration.line("router"),
            stable("router"),
            stable("cards"),
            List.of(),
            Progress.NONE);
    assertThat(train(candidate).adapter()).isNull();
    assertThat(train(candidate).start()).isEqualTo(version(stable("cards")).manifest());
    assertThat(candidate.manifest().kind()).isEqualTo(VersionKind.ADAPTER);
    assertThatThrownBy(
            () ->
                learning.rebase(
                    declaration.line("base"), stable("base"), null, List.of(), Progress.NONE))
        .isInstanceOf(NotApplicableException.class)
        .hasMessageContaining("a foundation has nothing to begin anew from");
  }

  // ---- adapters into weights ----

  @Test
  void anAdapterBecomesAWholeModelThatTheLineGoesOnWith() throws Exception {
    founded("", "");
    Candidate candidate =
        learning.consolidate(
            declaration.line("router"), stable("router"), stable("cards"), Progress.NONE);
    assertThat(candidate.manifest().kind()).isEqualTo(VersionKind.MODEL);
    assertThat(candidate.manifest().parent()).isEqualTo(version(stable("cards")).manifest());
    assertThat(candidate.data()).isEqualTo(version(stable("router")).data());
    assertThat(table(candidate)).containsEntry("r route 3", "desk").containsEntry("card 3", "yes");
    assertThatThrownBy(
            () ->
                learning.consolidate(
                    declaration.line("cards"), stable("cards"), stable("base"), Progress.NONE))
        .isInstanceOf(NotApplicableException.class)
        .hasMessageContaining("is no adapter");
  }

  /** Makes a candidate a version that follows the stable one. */
  private VersionRef registered(String line, Candidate candidate) {
    VersionRef before = stable(line);
    VersionRef ref = new VersionRef(line, before.number() + 1);
    ledger.append(
        "tester",
        List.of(
            new Fact.VersionRegistered(
                ref,
                candidate.manifest().digest(),
                candidate.manifest().kind(),
                version(before).parent(),
                before,
                null,
                candidate.action(),
                null,
                candidate.data(),
                candidate.note())),
        List.of());
    return ref;
  }

  @Test
  void aConsolidatedLineGoesOnLearningAndIsCarriedAsAWholeModel() throws Exception {
    founded("", "");
    VersionRef whole =
        registered(
            "router",
            learning.consolidate(
                declaration.line("router"), stable("router"), stable("cards"), Progress.NONE));
    Digest fresh = data(Town.rows("r new", 20, "new"));
    town.executed().clear();
    Candidate learnt =
        learning.learn(
            declaration.line("router"), whole, stable("cards"), List.of(fresh), Progress.NONE);
    assertThat(town.executed()).containsExactly("train", "consolidate");
    assertThat(learnt.manifest().kind()).isEqualTo(VersionKind.MODEL);
    assertThat(table(learnt)).containsEntry("r new 3", "new").containsEntry("r route 3", "desk");

    town.executed().clear();
    Candidate retrained =
        carrying.carry(
            declaration.line("router"),
            whole,
            stable("cards"),
            Rung.RETRAIN,
            learnt.manifest().digest(),
            Progress.NONE);
    assertThat(town.executed()).containsExactly("train", "consolidate");
    assertThat(retrained.rung()).isEqualTo(Rung.RETRAIN);
    assertThat(retrained.manifest().kind()).isEqualTo(VersionKind.MODEL);
    Candidate anew =
        carrying.carry(
            declaration.line("router"), whole, stable("cards"), Rung.RETRAIN, null, Progress.NONE);
    assertThat(anew.manifest().kind()).as("a fresh adapter").isEqualTo(VersionKind.ADAPTER);
  }

  @Test
  void aKilledConsolidationGoesOn() throws Exception {
    founded("", "");
    Memorizer memorizer = town.memorizer();
    for (boolean beforeResult : List.of(true, false)) {
      memorizer.dieAfter(town.executed().size(), beforeResult);
      assertThatThrownBy(
              () ->
                  learning.consolidate(
                      declaration.line("router"), stable("router"), stable("cards"), Progress.NONE))
          .isInstanceOf(Memorizer.Killed.class);
      memorizer.dieAfter(-1, false);
      close();
      open();
    }
    Candidate candidate =
        learning.consolidate(
            declaration.line("router"), stable("router"), stable("cards"), Progress.NONE);
    assertThat(table(candidate)).containsEntry("r route 3", "desk");
    assertThat(ledger.state().recentActions("consolidate", 9)).hasSize(1);
  }

  @Test
  void learningAfterConsolidationIsAFreshAdapterWrittenInAsWell() throws Exception {
    founded("", "");
    Digest fresh = data(Town.rows("r new", 20, "new"));
    town.executed().clear();
    Candidate candidate =
        learning.learnConsolidated(
            declaration.line("router"),
            stable("router"),
            stable("cards"),
            List.of(fresh),
            null,
            Progress.NONE);
    assertThat(town.executed()).containsExactly("consolidate", "train", "consolidate");
    assertThat(candidate.manifest().kind()).isEqualTo(VersionKind.MODEL);
    assertThat(candidate.manifest().parent()).isEqualTo(version(stable("cards")).manifest());
    assertThat(table(candidate))
        .containsEntry("r new 3", "new")
        .containsEntry("r route 3", "desk")
        .containsEntry("card 3", "yes");
    Action.Consolidate last = (Action.Consolidate) action(candidate.action());
    assertThat(versions.manifest(last.adapter()).parent()).isEqualTo(last.model());
    assertThat(candidate.note()).startsWith("trained").endsWith("written into the weights");
  }
}
