package dev.cambium.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.ledger.EcosystemLock;
import dev.cambium.ledger.LockedException;
import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.data.DataException;
import dev.cambium.loop.explain.Wave;
import dev.cambium.loop.plan.Plan;
import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Item;
import dev.cambium.model.Progress;
import dev.cambium.model.Row;
import dev.cambium.model.Rung;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CampaignTest {

  @TempDir Path temp;
  private Town town;

  @BeforeEach
  void town() {
    town = new Town(temp.resolve("town"));
  }

  private static Map<String, Fact.LineSettled> byLine(Cambium.RunReport report) {
    Map<String, Fact.LineSettled> settled = new TreeMap<>();
    report.settlements().forEach(s -> settled.put(s.line(), s));
    return settled;
  }

  private static VersionRef stable(Cambium cambium, String line) {
    return cambium.state().channel(line, Channel.STABLE).orElseThrow();
  }

  @Test
  void aFleetIsFoundedParentsFirstAndEverythingIsRecorded() throws IOException {
    try (Cambium cambium = town.create()) {
      town.found(cambium);
      Plan plan = cambium.plan();
      assertThat(plan.steps())
          .extracting(Plan.Step::line)
          .containsExactly("cards", "router", "desk", "loans");
      Cambium.RunReport report = cambium.run(Approver.ALWAYS, Progress.NONE);
      assertThat(report.outcome()).isEqualTo(Fact.CampaignOutcome.RELEASED);
      assertThat(Town.stable(cambium).keySet())
          .containsExactly("base", "cards", "desk", "loans", "router");
      assertThat(report.verdicts()).allMatch(v -> v.decision() == Decision.PASS);
      assertThat(cambium.version(stable(cambium, "desk")).parent())
          .isEqualTo(stable(cambium, "router"));
      assertThat(cambium.verify(Progress.NONE).findings()).isEmpty();
      assertThat(cambium.why(stable(cambium, "router")).toString())
          .contains("cards@1", "base@1", "train", "founding");
      assertThat(cambium.run(Approver.ALWAYS, Progress.NONE).campaign())
          .as("nothing is left to do")
          .isNull();
    }
  }

  @Test
  void newDataPassesDownByReuseWithEarlyCutoffAndLeavesOtherBranchesAlone() throws IOException {
    try (Cambium cambium = town.create()) {
      town.found(cambium);
      cambium.run(Approver.ALWAYS, Progress.NONE);
      Digest loans = Town.stable(cambium).get("loans");
      List<Item> items = new ArrayList<>(Town.items("c", "card", Town.ITEMS, "yes"));
      items.addAll(Town.items("n", "new card", 40, "new"));
      town.suite("cards", items);
      cambium.signalData(
          town.rows("new", Town.rows("new card", 40, "new")), "cards", false, false, "new");
      Plan plan = cambium.plan();
      assertThat(plan.unaffected()).contains("loans", "base");
      town.executed.clear();
      Map<String, Fact.LineSettled> settled = byLine(cambium.run(Approver.ALWAYS, Progress.NONE));
      assertThat(settled.get("cards").settlement()).isEqualTo(Fact.Settlement.RELEASED);
      assertThat(settled.get("router").settlement()).isEqualTo(Fact.Settlement.KEPT);
      assertThat(settled.get("router").rung()).isEqualTo(Rung.REUSE);
      assertThat(settled.get("desk").settlement()).isEqualTo(Fact.Settlement.KEPT);
      assertThat(settled.get("desk").reason()).contains("early cutoff");
      assertThat(town.executed).filteredOn("train"::equals).hasSize(1);
      assertThat(Town.stable(cambium).get("loans")).isEqualTo(loans);
      assertThat(cambium.version(stable(cambium, "router")).parent())
          .isEqualTo(stable(cambium, "cards"));
    }
  }

  @Test
  void aPoisonedDropIsRejectedNamingTheSliceAndNothingBelowMoves() throws IOException {
    try (Cambium cambium = town.create()) {
      town.found(cambium);
      cambium.run(Approver.ALWAYS, Progress.NONE);
      SortedMap<String, Digest> before = Town.stable(cambium);
      List<Row> poison =
          Town.rows("card", Town.ITEMS, "no").stream()
              .filter(r -> Integer.parseInt(r.tags().get("key").split(" ")[1]) % 4 == 1)
              .toList();
      cambium.signalData(town.rows("poison", poison), "cards", false, false, "poison");
      Cambium.RunReport report = cambium.run(Approver.ALWAYS, Progress.NONE);
      assertThat(report.outcome()).isEqualTo(Fact.CampaignOutcome.REJECTED);
      Map<String, Fact.LineSettled> settled = byLine(report);
      assertThat(settled.get("cards").settlement()).isEqualTo(Fact.Settlement.REJECTED);
      assertThat(settled.get("cards").reason()).contains("kind = k1");
      assertThat(settled.get("router").settlement()).isEqualTo(Fact.Settlement.CUT_OFF);
      assertThat(Town.stable(cambium)).isEqualTo(before);
      assertThat(report.verdicts().get(0).negativeFlips()).isEqualTo(Town.ITEMS / 4);
      assertThat(report.verdicts().get(0).capabilities().get(0).flips().inCommon())
          .anyMatch(t -> t.startsWith("kind = k1"));
      // What was rejected is not replayed later.
      cambium.signalData(
          town.rows("more", Town.rows("new card", 10, "new")), "cards", false, false, "more");
      cambium.run(Approver.ALWAYS, Progress.NONE);
      assertThat(cambium.version(stable(cambium, "cards")).data()).hasSize(2);
    }
  }

  /** A contract for the foundation, which a new one is judged by. */
  private void judgeFoundations() throws IOException {
    Files.writeString(
        town.directory.resolve("ecosystem.yaml"),
        Town.YAML
            .replace(
                "base: { tier: foundation }",
                "base: { tier: foundation, contract: { capabilities: [general] } }")
            .replace(
                "capabilities:\n  card-facts",
                "capabilities:\n  general: { owner: x, suite: suites/general.jsonl, scorer:"
                    + " exact-match, margin: 0.05, floor: 0 }\n  card-facts")
            .replace(
                "cards: { tier: industrial, parent: base, recipe: tune, contract: { ",
                "cards: { tier: industrial, parent: base, recipe: tune, contract: { inherit:"
                    + " false, ")
            .replace(
                "loans: { tier: industrial, parent: base, recipe: tune, contract: { ",
                "loans: { tier: industrial, parent: base, recipe: tune, contract: { inherit:"
                    + " false, "));
    town.suite("general", Town.items("g", "general", Town.ITEMS, "x"));
  }

  @Test
  void aNewFoundationIsJudgedAndCarriedToEveryDescendant() throws IOException {
    try (Cambium cambium = town.create()) {
      town.found(cambium);
      cambium.run(Approver.ALWAYS, Progress.NONE);
      judgeFoundations();
      VersionRef v2 =
          cambium.importVersion(
              Town.model(temp.resolve("m2"), 2), "base", Tier.FOUNDATION, null, "m2");
      cambium.signalUpstream(v2, "upgrade");
      Plan plan = cambium.plan();
      assertThat(plan.steps()).hasSize(5);
      town.executed.clear();
      Cambium.RunReport report = cambium.run(Approver.ALWAYS, Progress.NONE);
      assertThat(report.outcome()).isEqualTo(Fact.CampaignOutcome.RELEASED);
      Map<String, Fact.LineSettled> settled = byLine(report);
      assertThat(settled.get("cards").rung()).isEqualTo(Rung.TRANSPLANT);
      assertThat(settled.get("loans").rung()).isEqualTo(Rung.TRANSPLANT);
      assertThat(settled.get("router").rung()).isEqualTo(Rung.REUSE);
      assertThat(settled.get("desk").rung()).isEqualTo(Rung.REUSE);
      assertThat(town.executed).doesNotContain("train");
      assertThat(stable(cambium, "base")).isEqualTo(v2);
      assertThat(cambium.builtOnEarlier()).isEmpty();
      assertThat(cambium.verify(Progress.NONE).findings()).isEmpty();
    }
  }

  @Test
  void anAdapterThatDoesNotFitANewBaseIsNoEndOfTheCampaign() throws IOException {
    try (Cambium cambium = town.create()) {
      town.found(cambium);
      cambium.run(Approver.ALWAYS, Progress.NONE);
      judgeFoundations();
      // On a carried model only an adapter acts that was made for it.
      town.memorizer.fits =
          (model, adapter) -> !table(model).contains("#alpha") || table(adapter).contains("#dist");
      VersionRef v2 =
          cambium.importVersion(
              Town.model(temp.resolve("m2"), 2), "base", Tier.FOUNDATION, null, "m2");
      cambium.signalUpstream(v2, "upgrade");
      Cambium.RunReport report = cambium.run(Approver.ALWAYS, Progress.NONE);
      Map<String, Fact.LineSettled> settled = byLine(report);
      assertThat(settled.get("cards").rung()).isEqualTo(Rung.TRANSPLANT);
      assertThat(settled.get("router").rung()).isEqualTo(Rung.DISTILL);
      assertThat(settled.get("router").settlement()).isEqualTo(Fact.Settlement.RELEASED);
      assertThat(report.outcome()).isEqualTo(Fact.CampaignOutcome.RELEASED);
      // Where nothing fits, the line stays where it was, and is told why.
      town.memorizer.fits = (model, adapter) -> !table(model).contains("#alpha");
      VersionRef v3 =
          cambium.importVersion(
              Town.model(temp.resolve("m3"), 3), "base", Tier.FOUNDATION, null, "m3");
      cambium.signalUpstream(v3, "upgrade again");
      Map<String, Fact.LineSettled> later = byLine(cambium.run(Approver.ALWAYS, Progress.NONE));
      assertThat(later.get("router").settlement()).isEqualTo(Fact.Settlement.HELD);
      assertThat(later.get("router").reason()).contains("cannot be judged", "other shapes");
      assertThat(later.get("loans").settlement()).isEqualTo(Fact.Settlement.RELEASED);
    }
  }

  private static String table(Path version) {
    try {
      return Files.readString(version.resolve("table.json"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void whatCannotBeTransplantedIsTaughtByItsEarlierSelfBeforeItIsRetrained() throws IOException {
    try (Cambium cambium = town.create()) {
      town.found(cambium);
      cambium.run(Approver.ALWAYS, Progress.NONE);
      judgeFoundations();
      town.memorizer.refuses = Set.of("transplant", "align");
      VersionRef v2 =
          cambium.importVersion(
              Town.model(temp.resolve("m2"), 2), "base", Tier.FOUNDATION, null, "m2");
      Plan supposed = cambium.planUpgrade(VersionRef.parse("base@3"));
      assertThat(cambium.state().openSignals()).as("nothing has changed").isEmpty();
      cambium.signalUpstream(v2, "upgrade");
      Plan plan = cambium.plan();
      assertThat(supposed.steps())
          .extracting(Plan.Step::line)
          .isEqualTo(plan.steps().stream().map(Plan.Step::line).toList());
      Plan.Step cards =
          plan.steps().stream().filter(s -> s.line().equals("cards")).findFirst().orElseThrow();
      assertThat(cards.rungs())
          .containsExactly(Rung.TRANSPLANT, Rung.ALIGN, Rung.DISTILL, Rung.RETRAIN);
      assertThat(cards.expected()).isBetween(cards.seconds(), cards.worstSeconds());
      town.executed.clear();
      Cambium.RunReport report = cambium.run(Approver.ALWAYS, Progress.NONE);
      assertThat(report.outcome()).isEqualTo(Fact.CampaignOutcome.RELEASED);
      Map<String, Fact.LineSettled> settled = byLine(report);
      assertThat(settled.get("cards").rung()).isEqualTo(Rung.DISTILL);
      assertThat(settled.get("router").rung()).isEqualTo(Rung.REUSE);
      assertThat(town.executed).contains("align", "distill").doesNotContain("train");
      assertThat(cambium.why(stable(cambium, "cards")).toString()).contains("taught by cards@1");
      Wave wave = cambium.wave(java.util.Objects.requireNonNull(report.campaign()));
      Wave.OfLine ofCards =
          wave.lines().stream().filter(l -> l.line().equals("cards")).findFirst().orElseThrow();
      assertThat(ofCards.released()).isNotNull();
      assertThat(ofCards.released().kept()).isEqualTo(1.0);
      assertThat(ofCards.retraining()).isNotNull();
      assertThat(wave.measured()).isTrue();
      assertThat(wave.making()).as("two distillations of half a second").isEqualTo(1.0);
      List<Fact.ChannelMoved> back = cambium.rollback("base", true, "all of it");
      assertThat(back)
          .extracting(Fact.ChannelMoved::line)
          .containsExactlyInAnyOrder("base", "cards", "router", "desk", "loans");
      assertThat(cambium.verify(Progress.NONE).findings()).isEmpty();
    }
  }

  @Test
  void aCrashAtAnyJobIsResumedToTheSameDigests() throws IOException {
    SortedMap<String, Digest> expected;
    int jobs;
    town.chunk = 3;
    try (Cambium cambium = town.create()) {
      town.found(cambium);
      cambium.run(Approver.ALWAYS, Progress.NONE);
      expected = Town.stable(cambium);
      jobs = town.executed.size();
    }
    assertThat(jobs).isGreaterThan(15);
    for (int point = 0; point < jobs; point++) {
      Town again = new Town(temp.resolve("crash" + point));
      again.chunk = 3;
      again.memorizer.dieAfter = point;
      again.memorizer.dieBeforeResult = point % 2 == 0;
      try (Cambium cambium = again.create()) {
        again.found(cambium);
        assertThatThrownBy(() -> cambium.run(Approver.ALWAYS, Progress.NONE))
            .isInstanceOf(Memorizer.Killed.class);
      }
      again.resume(expected, jobs);
    }
  }

  @Test
  void decisionPointsWaitAreAskedOnceAndCanDecline() throws IOException {
    try (Cambium cambium = town.create()) {
      Files.writeString(
          town.directory.resolve("ecosystem.yaml"),
          Town.YAML.replace("seed: 3 }", "seed: 3, approve: [retrain] }"));
      town.found(cambium);
      Cambium.RunReport waiting = cambium.run(Approver.NOBODY, Progress.NONE);
      assertThat(waiting.outcome()).isNull();
      assertThat(waiting.waitingFor()).isEqualTo("cards");
      List<String> asked = new ArrayList<>();
      Cambium.RunReport report =
          cambium.run(
              (point, question) -> {
                asked.add(point);
                return java.util.Optional.of(
                    new Approver.Answer(!point.equals("loans"), "said so"));
              },
              Progress.NONE);
      assertThat(asked).containsExactly("cards", "router", "loans");
      Map<String, Fact.LineSettled> settled = byLine(report);
      assertThat(settled.get("cards").settlement()).isEqualTo(Fact.Settlement.RELEASED);
      assertThat(settled.get("loans").settlement()).isEqualTo(Fact.Settlement.HELD);
      assertThat(settled.get("loans").reason()).contains("declined: said so");
      assertThat(report.outcome()).isEqualTo(Fact.CampaignOutcome.INCONCLUSIVE);
    }
  }

  @Test
  void aRollbackIsOneStepAndCanTakeDescendantsWithIt() throws IOException {
    try (Cambium cambium = town.create()) {
      town.found(cambium);
      cambium.run(Approver.ALWAYS, Progress.NONE);
      SortedMap<String, Digest> before = Town.stable(cambium);
      assertThatThrownBy(() -> cambium.rollback("cards", false, "oops"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("nothing to go back to");
      cambium.signalData(
          town.rows("new", Town.rows("new card", 40, "new")), "cards", false, false, "new");
      cambium.run(Approver.ALWAYS, Progress.NONE);
      List<Fact.ChannelMoved> moves = cambium.rollback("cards", true, "oops");
      assertThat(moves)
          .extracting(Fact.ChannelMoved::line)
          .containsExactly("cards", "router", "desk");
      assertThat(Town.stable(cambium)).isEqualTo(before);
      assertThat(cambium.builtOnEarlier()).isEmpty();
    }
  }

  @Test
  void rowsThatASuiteContainsAreRefusedAndWithTheFlagTheItemsDoNotCount() throws IOException {
    try (Cambium cambium = town.create()) {
      List<Item> items = Town.items("c", "card", Town.ITEMS, "yes");
      List<Row> rows = new ArrayList<>(Town.rows("card", Town.ITEMS, "yes"));
      rows.add(Row.qa("leak", items.get(7).messages().get(0).content(), "yes", Map.of()));
      Path file = town.rows("leaky", rows);
      long records = cambium.state().size();
      assertThatThrownBy(() -> cambium.signalData(file, "cards", false, false, ""))
          .isInstanceOf(DataException.class)
          .hasMessageContaining(items.get(7).id())
          .hasMessageContaining("--allow-overlap");
      assertThat(cambium.state().size()).isEqualTo(records);
      assertThat(cambium.signalData(file, "cards", false, true, "").overlaps()).hasSize(1);
    }
  }

  @Test
  void theLockNamesItsHolderAndAVersionCannotBePromotedTwice() throws IOException {
    try (Cambium cambium = town.create()) {
      town.found(cambium);
      try (EcosystemLock lock =
          EcosystemLock.acquire(town.directory, "something long", InstantSource.system())) {
        assertThat(lock).isNotNull();
        assertThatThrownBy(() -> cambium.run(Approver.ALWAYS, Progress.NONE))
            .isInstanceOf(LockedException.class)
            .hasMessageContaining("something long");
      }
      assertThatThrownBy(
              () ->
                  cambium.promote(VersionRef.parse("base@1"), Channel.STABLE, null, Progress.NONE))
          .hasMessageContaining("stable already");
    }
  }

  @Test
  void twoOpenInstancesSeeEachOthersFacts() throws IOException {
    try (Cambium one = town.create();
        Cambium two = town.open()) {
      VersionRef v2 =
          one.importVersion(Town.model(temp.resolve("m2"), 2), "base", Tier.FOUNDATION, null, "m2");
      assertThat(two.version(v2).note()).isEqualTo("m2");
      assertThatThrownBy(() -> two.signalUpstream(VersionRef.parse("base@9"), "no such version"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("base@9");
    }
  }

  @Test
  void garbageCollectionKeepsEverythingThatARecordReaches() throws IOException {
    try (Cambium cambium = town.create()) {
      town.found(cambium);
      cambium.run(Approver.ALWAYS, Progress.NONE);
      cambium.gc();
      assertThat(cambium.verify(Progress.NONE).findings()).isEmpty();
      Path out = temp.resolve("out");
      assertThat(cambium.export(stable(cambium, "cards"), out).files())
          .allSatisfy(f -> assertThat(out.resolve(f.path())).exists());
    }
  }
}
