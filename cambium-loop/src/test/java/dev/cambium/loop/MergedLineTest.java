package dev.cambium.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.plan.Plan;
import dev.cambium.model.Channel;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Progress;
import dev.cambium.model.Row;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A line that is merged from others: {@link Town} with a counter that knows cards and loans. */
class MergedLineTest {

  private static final String COUNTER =
      """
        counter: { tier: industrial, parent: base, merge: { from: [cards, loans], method: ties, density: 0.2 }, contract: { capabilities: [card-facts, loan-facts] } }
        window: { tier: application, parent: counter, application: apps/window.yaml, contract: { inherit: false, capabilities: [window] } }
      """;

  @TempDir Path temp;
  private Town town;

  @BeforeEach
  void town() {
    town = new Town(temp.resolve("town"));
  }

  private static Cambium create(Town town) throws IOException {
    Cambium cambium = town.create();
    Files.writeString(town.directory.resolve("apps/window.yaml"), "prompt: 'card{input}'\n");
    town.suite("window", Town.items("w", "", Town.ITEMS, "yes"));
    declare(town, "density: 0.2");
    return cambium;
  }

  private static void declare(Town town, String parameter) throws IOException {
    Files.writeString(
        town.directory.resolve("ecosystem.yaml"),
        Town.YAML
                .replace("chunk: 20", "chunk: " + town.chunk)
                .replace(
                    "lines:\n",
                    "  window: { owner: a, suite: suites/window.jsonl, scorer: exact-match,"
                        + " margin: 0.05, floor: 0.5 }\nlines:\n")
            + COUNTER.replace("density: 0.2", parameter));
  }

  private static Map<String, Fact.LineSettled> run(Cambium cambium) {
    Map<String, Fact.LineSettled> settled = new TreeMap<>();
    cambium
        .run(Approver.ALWAYS, Progress.NONE)
        .settlements()
        .forEach(s -> settled.put(s.line(), s));
    return settled;
  }

  private static Fact.VersionRegistered stable(Cambium cambium, String line) {
    return cambium.version(cambium.state().channel(line, Channel.STABLE).orElseThrow());
  }

  private static List<VersionRef> refs(String... versions) {
    return java.util.Arrays.stream(versions).map(VersionRef::parse).toList();
  }

  @Test
  void itIsMergedAfterItsSourcesJudgedAndRecorded() throws IOException {
    try (Cambium cambium = create(town)) {
      assertThat(cambium.plan().waiting().get("counter"))
          .isEqualTo("cards, loans: no stable version to merge from yet");
      town.found(cambium);
      Plan plan = cambium.plan();
      assertThat(plan.steps())
          .extracting(Plan.Step::line)
          .containsExactly("cards", "router", "desk", "loans", "counter", "window");
      assertThat(plan.steps().get(4).cause()).isEqualTo(Plan.Cause.MERGE);
      Map<String, Fact.LineSettled> settled = run(cambium);
      assertThat(settled.get("counter").settlement()).isEqualTo(Fact.Settlement.RELEASED);
      assertThat(settled.get("window").settlement()).isEqualTo(Fact.Settlement.RELEASED);
      Fact.VersionRegistered counter = stable(cambium, "counter");
      assertThat(counter.kind()).isEqualTo(VersionKind.MODEL);
      assertThat(counter.parent()).isEqualTo(VersionRef.parse("base@1"));
      assertThat(counter.sources()).isEqualTo(refs("cards@1", "loans@1"));
      // Whatever any of its sources has seen it has seen.
      List<Digest> seen = new ArrayList<>(stable(cambium, "cards").data());
      seen.addAll(stable(cambium, "loans").data());
      assertThat(counter.data()).containsExactlyElementsOf(seen);
      assertThat(cambium.state().descendants(VersionRef.parse("loans@1")))
          .isEqualTo(refs("counter@1", "window@1"));
      assertThat(cambium.state().ancestors(VersionRef.parse("window@1")))
          .isEqualTo(refs("counter@1", "base@1", "cards@1", "loans@1"));
      assertThat(cambium.state().mergedFrom(VersionRef.parse("cards@1")))
          .extracting(v -> v.fact().version())
          .isEqualTo(refs("counter@1"));
      assertThat(cambium.why(counter.version()).toString())
          .contains(
              "source", "cards@1", "loans@1", "merged by", "\"method\":\"ties\"", "as changes");
      assertThat(cambium.reach().missing()).isEmpty();
      cambium.gc();
      assertThat(cambium.verify(Progress.NONE).findings()).isEmpty();
      assertThat(cambium.run(Approver.ALWAYS, Progress.NONE).campaign())
          .as("nothing is left to do")
          .isNull();
    }
  }

  @Test
  void aSourcesReleaseMergesAnew() throws IOException {
    try (Cambium cambium = create(town)) {
      town.found(cambium);
      run(cambium);
      cambium.signalData(
          town.rows("new", Town.rows("new loan", 40, "new")), "loans", false, false, "new");
      assertThat(cambium.plan().steps())
          .extracting(Plan.Step::line)
          .containsExactly("loans", "counter", "window");
      town.executed.clear();
      Map<String, Fact.LineSettled> settled = run(cambium);
      assertThat(settled.get("counter").settlement()).isEqualTo(Fact.Settlement.RELEASED);
      assertThat(town.executed).filteredOn("merge"::equals).hasSize(1);
      assertThat(stable(cambium, "counter").sources()).isEqualTo(refs("cards@1", "loans@2"));
      assertThat(stable(cambium, "counter").predecessor()).isEqualTo(VersionRef.parse("counter@1"));
      assertThat(stable(cambium, "window").parent()).isEqualTo(VersionRef.parse("counter@2"));
    }
  }

  @Test
  void afterARollbackOfASourceItWaitsForAPerson() throws IOException {
    try (Cambium cambium = create(town)) {
      town.found(cambium);
      run(cambium);
      cambium.signalData(
          town.rows("new", Town.rows("new loan", 40, "new")), "loans", false, false, "new");
      run(cambium);
      cambium.rollback("loans", false, "a test");
      assertThat(cambium.builtOnEarlier())
          .containsEntry(VersionRef.parse("counter@2"), VersionRef.parse("loans@2"));
      Plan plan = cambium.plan();
      // What merging the two gives was merged before: a person may release it.
      assertThat(plan.steps()).isEmpty();
      assertThat(plan.waiting().get("counter"))
          .contains("counter@1 was merged from cards@1, loans@1 and is not released");
    }
  }

  @Test
  void whenASourceIsRejectedItIsCutOff() throws IOException {
    try (Cambium cambium = create(town)) {
      town.found(cambium);
      run(cambium);
      SortedMap<String, Digest> before = Town.stable(cambium);
      List<Row> poison = Town.rows("card", Town.ITEMS, "no");
      cambium.signalData(town.rows("poison", poison), "cards", false, false, "poison");
      Map<String, Fact.LineSettled> settled = run(cambium);
      assertThat(settled.get("cards").settlement()).isEqualTo(Fact.Settlement.REJECTED);
      assertThat(settled.get("counter").settlement()).isEqualTo(Fact.Settlement.CUT_OFF);
      assertThat(settled.get("counter").reason()).contains("stayed at [cards@1, loans@1]");
      assertThat(settled.get("window").settlement()).isEqualTo(Fact.Settlement.CUT_OFF);
      assertThat(Town.stable(cambium)).isEqualTo(before);
    }
  }

  @Test
  void anotherMethodMergesAnewAndWhatTheGateRejectsIsNotTriedAgain() throws IOException {
    try (Cambium cambium = create(town)) {
      town.found(cambium);
      run(cambium);
      declare(town, "density: 0.5");
      assertThat(cambium.plan().steps()).extracting(Plan.Step::line).contains("counter");
      Map<String, Fact.LineSettled> settled = run(cambium);
      assertThat(settled.get("counter").settlement()).isEqualTo(Fact.Settlement.RELEASED);
      // A rule that cards learnt anew contradicts what the counter's own contract asks.
      List<Row> other = new ArrayList<>();
      for (Row row : Town.rows("loan", Town.ITEMS, "no")) {
        other.add(row);
      }
      cambium.signalData(town.rows("odd", other), "cards", false, false, "odd");
      declareOrder(town);
      settled = run(cambium);
      assertThat(settled.get("cards").settlement()).isEqualTo(Fact.Settlement.RELEASED);
      assertThat(settled.get("counter").settlement()).isEqualTo(Fact.Settlement.REJECTED);
      assertThat(cambium.plan().steps()).isEmpty();
      assertThat(cambium.plan().waiting().get("counter")).contains("is not released");
    }
  }

  /** Of two answers the memorizer keeps the last source's: let that be cards. */
  private static void declareOrder(Town town) throws IOException {
    Path file = town.directory.resolve("ecosystem.yaml");
    Files.writeString(
        file, Files.readString(file).replace("from: [cards, loans]", "from: [loans, cards]"));
  }

  @Test
  void aNewFoundationIsMergedAfterItsSourcesWereCarried() throws IOException {
    try (Cambium cambium = create(town)) {
      town.found(cambium);
      run(cambium);
      VersionRef base =
          cambium.importVersion(
              Town.model(temp.resolve("m2"), 2), "base", Tier.FOUNDATION, null, "m2");
      cambium.promote(base, Channel.STABLE, "a test", Progress.NONE);
      cambium.signalUpstream(base, "for all");
      Map<String, Fact.LineSettled> settled = run(cambium);
      assertThat(settled.get("counter").settlement()).isEqualTo(Fact.Settlement.RELEASED);
      Fact.VersionRegistered counter = stable(cambium, "counter");
      assertThat(counter.parent()).isEqualTo(base);
      assertThat(counter.sources()).isEqualTo(refs("cards@2", "loans@2"));
      assertThat(stable(cambium, "cards").parent()).isEqualTo(base);
      assertThat(settled.get("window").settlement()).isEqualTo(Fact.Settlement.KEPT);
      assertThat(cambium.builtOnEarlier()).isEmpty();
    }
  }

  @Test
  void aCrashAtAnyJobIsResumedToTheSameDigests() throws IOException {
    SortedMap<String, Digest> expected;
    int jobs;
    town.chunk = 10;
    try (Cambium cambium = create(town)) {
      town.found(cambium);
      run(cambium);
      expected = Town.stable(cambium);
      jobs = town.executed.size();
    }
    assertThat(expected).containsKey("counter");
    int merge = town.executed.indexOf("merge");
    for (int point = merge - 1; point < Math.min(jobs, merge + 3); point++) {
      for (boolean before : new boolean[] {true, false}) {
        Town again = new Town(temp.resolve("crash" + point + before));
        again.chunk = 10;
        again.memorizer.dieAfter = point;
        again.memorizer.dieBeforeResult = before;
        try (Cambium cambium = create(again)) {
          again.found(cambium);
          assertThatThrownBy(() -> cambium.run(Approver.ALWAYS, Progress.NONE))
              .isInstanceOf(Memorizer.Killed.class);
        }
        again.memorizer = new Memorizer(again.executed);
        try (Cambium cambium = again.open()) {
          run(cambium);
          assertThat(Town.stable(cambium)).isEqualTo(expected);
          assertThat(again.executed).as("nothing is done twice").hasSize(jobs);
        }
      }
    }
  }

  @Test
  void aRollbackOfASourceTakesWhatIsMergedFromItWithIt() throws IOException {
    try (Cambium cambium = create(town)) {
      town.found(cambium);
      run(cambium);
      SortedMap<String, Digest> before = Town.stable(cambium);
      cambium.signalData(
          town.rows("new", Town.rows("new loan", 40, "new")), "loans", false, false, "new");
      run(cambium);
      assertThat(cambium.rollback("loans", true, "oops"))
          .extracting(Fact.ChannelMoved::line)
          .containsExactly("loans", "counter", "window");
      assertThat(Town.stable(cambium)).isEqualTo(before);
      assertThat(cambium.builtOnEarlier()).isEmpty();
    }
  }

  @Test
  void itIsNotTrained() throws IOException {
    try (Cambium cambium = create(town)) {
      Path rows = town.rows("new", Town.rows("new loan", 40, "new"));
      assertThatThrownBy(() -> cambium.signalData(rows, "counter", false, false, "new"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("made by merging and is not trained; signal data for one of cards");
    }
  }
}
