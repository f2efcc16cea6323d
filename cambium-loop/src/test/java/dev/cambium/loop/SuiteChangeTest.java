package dev.cambium.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Item;
import dev.cambium.model.Progress;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A suite that changes after something was released by it: with approval, and without. */
class SuiteChangeTest {

  private static final int CHANGED = 40;

  @TempDir Path temp;
  private Town town;

  @BeforeEach
  void town() {
    town = new Town(temp.resolve("town"));
  }

  private static SortedMap<String, Digest> suites(Cambium cambium) {
    return cambium.state().ecosystem().orElseThrow().fact().suites();
  }

  /** The suite of cards in which some items have another answer. */
  private void newRules() throws IOException {
    List<Item> items = new ArrayList<>(Town.items("c", "card", Town.ITEMS, "yes"));
    for (int i = 0; i < CHANGED; i++) {
      Item item = items.get(i);
      items.set(i, Item.qa(item.id(), item.messages().get(0).content(), "seven", item.tags()));
    }
    town.suite("cards", items);
  }

  private void teachNewRules(Cambium cambium) throws IOException {
    cambium.signalData(
        town.rows("rules", Town.rows("card", CHANGED, "seven")), "cards", false, false, "rules");
  }

  private static VersionRef stable(Cambium cambium) {
    return cambium.state().channel("cards", Channel.STABLE).orElseThrow();
  }

  private static Verdict verdict(Cambium.RunReport report) {
    return report.verdicts().stream()
        .filter(v -> v.candidate().line().equals("cards"))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void aSuiteIsFreeUntilSomethingIsReleasedByIt() throws IOException {
    try (Cambium cambium = town.create()) {
      Digest before = suites(cambium).get("card-facts");
      newRules();
      cambium.declare();
      assertThat(suites(cambium).get("card-facts")).isNotEqualTo(before);
      assertThat(cambium.suiteChanges()).isEmpty();
    }
  }

  @Test
  void withoutApprovalGatesGoOnWithTheSuiteAsItWas() throws IOException {
    try (Cambium cambium = town.create()) {
      town.found(cambium);
      cambium.run(Approver.ALWAYS, Progress.NONE);
      VersionRef released = stable(cambium);
      Digest before = suites(cambium).get("card-facts");
      newRules();
      assertThat(cambium.suiteChanges())
          .singleElement()
          .satisfies(
              change -> {
                assertThat(change.capability()).isEqualTo("card-facts");
                assertThat(change.items()).hasSize(CHANGED);
                assertThat(change.summary()).startsWith(CHANGED + " replaced, 0 retired");
              });
      assertThat(suites(cambium).get("card-facts")).isEqualTo(before);
      long records = cambium.state().size();
      cambium.declare();
      assertThat(cambium.state().size()).as("said once").isEqualTo(records);
      teachNewRules(cambium);
      Cambium.RunReport report = cambium.run(Approver.ALWAYS, Progress.NONE);
      Verdict verdict = verdict(report);
      assertThat(verdict.decision()).isEqualTo(Decision.FAIL);
      assertThat(verdict.reason()).contains("nobody has approved that", "cambium suite card-facts");
      assertThat(verdict.capabilities().get(0).suite()).isEqualTo(before);
      assertThat(verdict.negativeFlips()).isPositive();
      assertThat(stable(cambium)).isEqualTo(released);
      town.suite("cards", Town.items("c", "card", Town.ITEMS, "yes"));
      assertThat(cambium.suiteChanges()).as("taken back").isEmpty();
    }
  }

  @Test
  void anApprovedChangeIsNoRegressionAndWhoApprovedItIsTold() throws IOException {
    try (Cambium cambium = town.create()) {
      town.found(cambium);
      cambium.run(Approver.ALWAYS, Progress.NONE);
      VersionRef before = stable(cambium);
      newRules();
      assertThatThrownBy(() -> cambium.approveSuites(List.of("card-facts"), false, " "))
          .hasMessageContaining("say why");
      assertThatThrownBy(() -> cambium.approveSuites(List.of("card-fact"), false, "x"))
          .hasMessageContaining("card-facts");
      assertThat(cambium.approveSuites(List.of("card-facts"), false, "the fee is 7 now"))
          .hasSize(1);
      assertThat(cambium.suiteChanges()).isEmpty();
      long records = cambium.state().size();
      cambium.declare();
      assertThat(cambium.state().size()).isEqualTo(records);
      teachNewRules(cambium);
      Cambium.RunReport report = cambium.run(Approver.ALWAYS, Progress.NONE);
      Verdict verdict = verdict(report);
      assertThat(verdict.decision()).as(verdict.reason()).isEqualTo(Decision.PASS);
      assertThat(verdict.reference()).isEqualTo(before);
      assertThat(verdict.negativeFlips()).isZero();
      assertThat(verdict.intendedFlips()).isPositive();
      VersionRef after = stable(cambium);
      assertThat(after).isNotEqualTo(before);
      assertThat(cambium.why(after).toString())
          .contains("intended flip", "the fee is 7 now", "suite changed");
      // The released version is the new reference, and nothing has changed since.
      cambium.signalData(
          town.rows("other", Town.rows("new card", 30, "new")), "cards", false, false, "other");
      assertThat(verdict(cambium.run(Approver.ALWAYS, Progress.NONE)).capabilities().get(0))
          .satisfies(capability -> assertThat(capability.intended()).isNull());
      assertThat(cambium.verify(Progress.NONE).findings()).isEmpty();
    }
  }

  @Test
  void whoStaysWithTheOldRuleIsNotReleasedAfterTheChange() throws IOException {
    try (Cambium cambium = town.create()) {
      town.found(cambium);
      cambium.run(Approver.ALWAYS, Progress.NONE);
      newRules();
      cambium.approveSuites(List.of("card-facts"), false, "the fee is 7 now");
      cambium.signalData(
          town.rows("other", Town.rows("new card", 30, "new")), "cards", false, false, "other");
      Cambium.RunReport report = cambium.run(Approver.ALWAYS, Progress.NONE);
      assertThat(verdict(report).reason()).contains("what the changed suite asks for is not known");
      assertThat(report.outcome()).isEqualTo(Fact.CampaignOutcome.REJECTED);
    }
  }

  @Test
  void anApplicationWhoseOwnSuiteChangedDoesNotInheritAnothersEvidence() throws IOException {
    try (Cambium cambium = town.create()) {
      town.found(cambium);
      cambium.run(Approver.ALWAYS, Progress.NONE);
      List<Item> items = new ArrayList<>(Town.items("d", "route", Town.ITEMS, "desk"));
      items.replaceAll(
          item -> Item.qa(item.id(), item.messages().get(0).content(), "hall", item.tags()));
      town.suite("desk", items);
      List<String> changed = cambium.suiteChanges().stream().map(SuiteChange::capability).toList();
      assertThat(changed).hasSize(1);
      cambium.approveSuites(changed, false, "the desk has moved");
      cambium.signalData(
          town.rows("other", Town.rows("new card", 30, "new")), "cards", false, false, "other");
      Cambium.RunReport report = cambium.run(Approver.ALWAYS, Progress.NONE);
      assertThat(report.settlements())
          .filteredOn(s -> s.line().equals("desk"))
          .singleElement()
          .satisfies(s -> assertThat(s.settlement()).isEqualTo(Fact.Settlement.REJECTED));
    }
  }
}
