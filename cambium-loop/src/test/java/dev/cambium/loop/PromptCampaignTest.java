package dev.cambium.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.data.SearchItems;
import dev.cambium.loop.explain.ItemOutcomes;
import dev.cambium.loop.gate.Suite;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.loop.plan.Plan;
import dev.cambium.model.Action;
import dev.cambium.model.Application;
import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Item;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.Progress;
import dev.cambium.model.Row;
import dev.cambium.model.Rung;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An application whose model, made anew, answers to another wording only. */
class PromptCampaignTest {

  private static final int ITEMS = Town.ITEMS;

  /** A quarter of the suite. */
  private static final int SEARCHED = ITEMS / 4;

  private static final String WORDINGS =
      """
      prompt: 'r {input}'
      search: { prompts: ['say {input}', 'please {input}'], max-new-tokens: [8] }
      """;

  /** A town whose desk asks its model what the model's own contract does not ask. */
  @TempDir static Path founded;

  @TempDir Path temp;
  private Town town;

  @BeforeAll
  static void found() throws IOException {
    Town town = new Town(founded.resolve("town"));
    try (Cambium cambium = town.create()) {
      town.suite("routes", Town.items("r", "own route", ITEMS, "desk"));
      cambium.signalData(
          town.rows("cards", Town.rows("card", ITEMS, "yes")), "cards", false, false, "founding");
      List<Row> rows = new ArrayList<>(Town.rows("own route", ITEMS, "desk"));
      rows.addAll(Town.rows("r route", ITEMS, "desk"));
      cambium.signalData(town.rows("routes", rows), "router", false, false, "founding");
      cambium.run(Approver.ALWAYS, Progress.NONE);
    }
  }

  @BeforeEach
  void town() {
    town = new Town(temp.resolve("town"));
  }

  /** A copy of that town, whose application says what may be tried of it. */
  private static Cambium founded(Town town, String application) throws IOException {
    DirectoryTree.copy(founded.resolve("town"), town.directory);
    application(town, application);
    return town.open();
  }

  private static void application(Town town, String yaml) throws IOException {
    Files.writeString(town.directory.resolve("apps/desk.yaml"), yaml);
  }

  /** Teaches the router that what the desk asks has another answer, and something else. */
  private static void reword(Town town, Cambium cambium, List<Row> instead) throws IOException {
    List<Row> rows = new ArrayList<>(Town.rows("r route", ITEMS, "elsewhere"));
    rows.addAll(instead);
    cambium.signalData(town.rows("reworded", rows), "router", false, false, "reworded");
  }

  private static Fact.LineSettled desk(Cambium.RunReport report) {
    return report.settlements().stream()
        .filter(s -> s.line().equals("desk"))
        .findFirst()
        .orElseThrow();
  }

  private static VersionRef stable(Cambium cambium) {
    return cambium.state().channel("desk", Channel.STABLE).orElseThrow();
  }

  private static Application application(Cambium cambium, VersionRef version) {
    Manifest manifest =
        Json.read(cambium.store().bytes(cambium.version(version).manifest()), Manifest.class);
    return Json.read(
        cambium.store().bytes(manifest.file(Application.FILE).orElseThrow().digest()),
        Application.class);
  }

  private static Action.Prompt search(Cambium cambium, VersionRef version) {
    Digest spec =
        cambium.state().action(cambium.version(version).action()).orElseThrow().fact().spec();
    return (Action.Prompt) Json.read(cambium.store().bytes(spec), Action.class);
  }

  private static Set<String> searched(Cambium cambium, Action.Prompt search) {
    Set<String> ids = new HashSet<>();
    for (Action.SearchPart part : search.parts()) {
      Suite.read(cambium.store().bytes(part.suite())).items().forEach(item -> ids.add(item.id()));
    }
    return ids;
  }

  private static Verdict.OfCapability verdict(Cambium cambium, VersionRef version) {
    Digest evidence = cambium.state().verdicts(version).get(0).fact().evidence();
    return Json.read(cambium.store().bytes(evidence), Verdict.class).capabilities().get(0);
  }

  @Test
  void aWordingThatTheNewModelAnswersIsFoundAndJudgedByOtherItems() throws IOException {
    try (Cambium cambium = founded(town, WORDINGS)) {
      assertThat(stable(cambium)).isEqualTo(VersionRef.parse("desk@1"));
      reword(town, cambium, Town.rows("please route", ITEMS, "desk"));
      Plan.Step step =
          cambium.plan().steps().stream()
              .filter(s -> s.line().equals("desk"))
              .findFirst()
              .orElseThrow();
      assertThat(step.rungs()).containsExactly(Rung.REUSE, Rung.PROMPT);
      assertThat(step.worstSeconds())
          .as("both are judged, and the search costs something")
          .isGreaterThan(2 * step.seconds());
      Cambium.RunReport report = cambium.run(Approver.ALWAYS, Progress.NONE);

      assertThat(desk(report).settlement()).isEqualTo(Fact.Settlement.RELEASED);
      assertThat(desk(report).rung()).isEqualTo(Rung.PROMPT);
      VersionRef found = stable(cambium);
      assertThat(application(cambium, found).prompt()).isEqualTo("please {input}");
      assertThat(application(cambium, found).maxNewTokens())
          .as("of two that are as good, the one that changes less")
          .isEqualTo(application(cambium, VersionRef.parse("desk@1")).maxNewTokens());

      Action.Prompt search = search(cambium, found);
      Set<String> searched = searched(cambium, search);
      assertThat(search.candidates()).hasSize(6);
      assertThat(searched).hasSize(SEARCHED);
      Verdict.OfCapability capability = verdict(cambium, found);
      assertThat(capability.total()).isEqualTo(ITEMS - SEARCHED);
      assertThat(capability.searched()).isNotEmpty().isSubsetOf(searched);
      List<ItemOutcomes.OfItem> judged =
          cambium.outcomes(List.of(found)).get(0).capabilities().get(0).items();
      assertThat(judged)
          .filteredOn(item -> !item.leftOut())
          .hasSize(capability.evaluated())
          .noneMatch(item -> searched.contains(item.item().id()));

      assertThat(cambium.version(found).note())
          .contains("prompt 'please {input}': 1.000 on 30 items")
          .contains("score of 6 wordings", "as it is: 0.000 on 16 items")
          .contains("desk@1 before: 1.000 on 30 items");
      assertThat(cambium.why(found).toString())
          .contains("6 wordings of desk@1 on router@2", "1.000 on 30 items, the best")
          .contains("prompt 'say {input}'", "0.000 on 8 items");
      assertThat(cambium.reach().missing()).as("what no explanation names").isEmpty();
      assertThat(cambium.verify(Progress.NONE).findings()).isEmpty();
      cambium.gc();
      assertThat(cambium.verify(Progress.NONE).findings()).isEmpty();
    }
  }

  @Test
  void theFileStillSaysWhatItSaidAndAnEditOfItIsAnEdit() throws IOException {
    try (Cambium cambium = founded(town, WORDINGS)) {
      reword(town, cambium, Town.rows("please route", ITEMS, "desk"));
      cambium.run(Approver.ALWAYS, Progress.NONE);
      VersionRef found = stable(cambium);
      assertThat(cambium.run(Approver.ALWAYS, Progress.NONE).campaign())
          .as("what was found is not taken back for what the file says")
          .isNull();
      application(town, "prompt: 'please {input}'\n");
      assertThat(cambium.plan().steps()).as("the file says what is released").isEmpty();
      application(town, "prompt: 'own {input}'\n");
      assertThat(cambium.plan().steps())
          .extracting(Plan.Step::cause)
          .containsExactly(Plan.Cause.DECLARE);
      application(town, WORDINGS);

      // What the wording was chosen by stays out of the verdicts on it, whatever it runs on.
      cambium.signalData(
          town.rows("more", Town.rows("other route", ITEMS, "desk")),
          "router",
          false,
          false,
          "more");
      Cambium.RunReport report = cambium.run(Approver.ALWAYS, Progress.NONE);
      assertThat(desk(report).settlement()).isEqualTo(Fact.Settlement.KEPT);
      assertThat(stable(cambium)).isNotEqualTo(found);
      assertThat(verdict(cambium, stable(cambium)).total()).isEqualTo(ITEMS - SEARCHED);
      assertThat(cambium.plan().steps()).isEmpty();
    }
  }

  @Test
  void whereNoWordingDoesTheLineStaysAsItWas() throws IOException {
    try (Cambium cambium = founded(town, WORDINGS)) {
      SortedMap<String, Digest> before = Town.stable(cambium);
      reword(town, cambium, Town.rows("kindly route", ITEMS, "desk"));
      Cambium.RunReport report = cambium.run(Approver.ALWAYS, Progress.NONE);
      assertThat(desk(report).settlement()).isEqualTo(Fact.Settlement.REJECTED);
      assertThat(desk(report).reason())
          .contains("prompt: no wording comes near what desk@1 had")
          .contains("score of 6 wordings on items set aside, as it is: 0.000 on 8 items")
          .contains("desk@1 before: 1.000 on 8 items");
      assertThat(cambium.why("desk").toString())
          .as("what was looked at is told also where nothing came of it")
          .contains("6 wordings of desk@1", "prompt 'please {input}', max-new-tokens 8");
      assertThat(Town.stable(cambium).get("desk")).isEqualTo(before.get("desk"));
      assertThat(cambium.state().versions("desk")).as("nothing was made to be judged").hasSize(2);
      assertThat(cambium.verify(Progress.NONE).findings()).isEmpty();
    }
  }

  @Test
  void whatIsGoodOnTheItemsOfTheSearchOnlyIsNotLetThrough() throws IOException {
    try (Cambium cambium = founded(town, WORDINGS)) {
      SortedMap<String, Digest> before = Town.stable(cambium);
      Set<String> known = new HashSet<>();
      for (Item item :
          SearchItems.of(Town.items("d", "route", ITEMS, "desk"), SEARCHED, 3 /* the policy's */)) {
        known.add("please " + item.tags().get("key"));
      }
      reword(
          town,
          cambium,
          Town.rows("please route", ITEMS, "desk").stream()
              .filter(row -> known.contains(row.tags().get("key")))
              .toList());
      Cambium.RunReport report = cambium.run(Approver.ALWAYS, Progress.NONE);
      assertThat(desk(report).settlement()).isEqualTo(Fact.Settlement.REJECTED);
      assertThat(Town.stable(cambium).get("desk")).isEqualTo(before.get("desk"));
      VersionRef tried = VersionRef.parse("desk@3");
      assertThat(cambium.version(tried).note()).contains("'please {input}': 1.000 on 30 items");
      assertThat(verdict(cambium, tried).decision()).isEqualTo(Decision.FAIL);
      assertThat(verdict(cambium, tried).candidateScore()).isZero();
    }
  }

  @Test
  void examplesAreTriedToo() throws IOException {
    Item given = Town.items("d", "route", ITEMS, "desk").get(7);
    String examples =
        "prompt: 'r {input}'\nsearch: { shots: [1, 2], examples: [{ input: another, answer: desk },"
            + " { input: '"
            + given.messages().get(0).content()
            + "', answer: desk }] }\n";
    try (Cambium cambium = founded(town, examples)) {
      reword(town, cambium, Town.rows("after 2: r route", ITEMS, "desk"));
      Cambium.RunReport report = cambium.run(Approver.ALWAYS, Progress.NONE);
      assertThat(desk(report).rung()).isEqualTo(Rung.PROMPT);
      assertThat(application(cambium, stable(cambium)).examples()).hasSize(2);
      assertThat(verdict(cambium, stable(cambium)).contaminated()).containsExactly(given.id());
      assertThat(searched(cambium, search(cambium, stable(cambium)))).doesNotContain(given.id());
      assertThat(cambium.version(stable(cambium)).note()).contains("with 2 examples");
    }
  }

  @Test
  void aSearchThatWasKilledGoesOnAndScoresNothingTwice() throws IOException {
    SortedMap<String, Digest> expected;
    int jobs;
    try (Cambium cambium = founded(town, WORDINGS)) {
      reword(town, cambium, Town.rows("please route", ITEMS, "desk"));
      cambium.run(Approver.ALWAYS, Progress.NONE);
      expected = Town.stable(cambium);
      jobs = town.executed.size();
    }
    int judging = 8; // pieces of 20 items: two of the new router, six of the desk as it was
    assertThat(jobs).isGreaterThan(judging + 20);
    for (int point = judging; point < jobs; point += 9) {
      Town again = new Town(temp.resolve("crash" + point));
      try (Cambium cambium = founded(again, WORDINGS)) {
        reword(again, cambium, Town.rows("please route", ITEMS, "desk"));
        again.memorizer.dieAfter(point, point % 2 == 0);
        assertThatThrownBy(() -> cambium.run(Approver.ALWAYS, Progress.NONE))
            .isInstanceOf(Memorizer.Killed.class);
      }
      again.resume(expected, jobs);
    }
  }
}
