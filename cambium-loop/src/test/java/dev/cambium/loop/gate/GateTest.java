package dev.cambium.loop.gate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cambium.loop.headroom.Headroom;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Item;
import dev.cambium.model.Json;
import dev.cambium.model.Judgement;
import dev.cambium.model.Outcome;
import dev.cambium.model.Progress;
import dev.cambium.model.Scorer;
import dev.cambium.model.ScorerKind;
import dev.cambium.model.VersionRef;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;

class GateTest {

  private static final List<String> INTENTS =
      List.of("lost", "limit", "fee", "pin", "block", "travel", "apply", "close");

  private final Map<Digest, BiFunction<Item, Integer, Outcome>> behaviours = new HashMap<>();
  private int evaluated;

  private final OutcomeSource source =
      (version, suite, scorer, from, to, progress) -> {
        List<Outcome> outcomes = new ArrayList<>();
        for (int i = from; i < to; i++) {
          outcomes.add(behaviours.get(version).apply(suite.items().get(i), i));
          evaluated++;
        }
        return new OutcomeSource.Piece(outcomes, 0.01 * (to - from));
      };

  private final Gate gate = new Gate(source, 0.05, 25);

  private static Suite suite(int items) {
    List<Item> list = new ArrayList<>();
    for (int i = 0; i < items; i++) {
      String intent = INTENTS.get(i % INTENTS.size());
      list.add(
          Item.qa("i" + i, "how about " + intent + " no " + i, intent, Map.of("intent", intent)));
    }
    return Suite.of(list);
  }

  private static Requirement requirement(Suite suite, Double floor) {
    return new Requirement(
        "intents",
        suite,
        Scorer.of(ScorerKind.EXACT_MATCH),
        0.05,
        floor,
        List.of("intent"),
        0.3,
        5);
  }

  private Gate.Subject subject(String name, BiFunction<Item, Integer, Outcome> behaviour) {
    Digest digest = Digest.ofText(name);
    behaviours.put(digest, behaviour);
    return new Gate.Subject(VersionRef.parse(name), digest, 1_000_000);
  }

  private static Outcome right(Item item) {
    return new Outcome(item.id(), Judgement.RIGHT, 1, String.valueOf(item.answer()));
  }

  private static Outcome wrong(Item item, String output) {
    return new Outcome(item.id(), Judgement.WRONG, 0, output);
  }

  private Verdict judge(
      Gate.Subject candidate, Gate.Subject reference, Requirement... requirements) {
    return gate.judge(
        candidate,
        reference,
        List.of(requirements),
        Gate.Budgets.NONE,
        Map.of(),
        null,
        Progress.NONE);
  }

  private static Headroom headroom(
      double point, double lower, double upper, int censored, int diverged, boolean decisive) {
    return new Headroom(
        VersionRef.parse("base@1"),
        new Headroom.Ratio(point, lower, upper),
        new Headroom.Ratio(point + 0.1, lower + 0.1, upper + 0.1),
        0.9,
        9,
        27,
        24,
        censored,
        1,
        diverged,
        0,
        decisive,
        2,
        2,
        50.0,
        Digest.ofText("probe"),
        Digest.ofText("reference"),
        Digest.ofText("tasks"),
        List.of());
  }

  private Verdict judged(Verdict.OfHeadroom headroom) {
    Suite suite = suite(400);
    return gate.judge(
        subject("bank@2", (item, i) -> right(item)),
        subject("bank@1", (item, i) -> right(item)),
        List.of(requirement(suite, null)),
        Gate.Budgets.NONE,
        Map.of(),
        headroom,
        Progress.NONE);
  }

  @Test
  void aHeadroomUnderItsFloorHoldsWhatIsOtherwiseFine() {
    Verdict fine = judged(Verdict.OfHeadroom.of(0.9, headroom(1, 0.95, 1.05, 0, 0, true)));
    assertThat(fine.decision()).isEqualTo(Decision.PASS);
    assertThat(fine.reason()).contains("headroom 1.00 [0.95, 1.05] by steps, above the floor");

    Verdict worse = judged(Verdict.OfHeadroom.of(0.9, headroom(0.7, 0.6, 0.8, 5, 0, true)));
    assertThat(worse.decision()).isEqualTo(Decision.INCONCLUSIVE);
    assertThat(worse.capabilities().get(0).decision()).isEqualTo(Decision.PASS);
    assertThat(worse.reason())
        .isEqualTo(
            "headroom 0.70 [0.60, 0.80] by steps, below the floor of 0.90: it learns worse than"
                + " base@1; 5 of 27 runs never reached their threshold and count as 24 steps");

    Verdict unsure = judged(Verdict.OfHeadroom.of(0.9, headroom(0.95, 0.85, 1.05, 0, 0, true)));
    assertThat(unsure.decision()).isEqualTo(Decision.INCONCLUSIVE);
    assertThat(unsure.reason()).contains("not shown to be above the floor of 0.90");
  }

  @Test
  void aProbeThatSaysNothingIsNeverAPass() {
    Verdict diverged = judged(Verdict.OfHeadroom.of(0.9, headroom(1, 0.95, 1.05, 2, 2, true)));
    assertThat(diverged.decision()).isEqualTo(Decision.INCONCLUSIVE);
    assertThat(diverged.reason()).contains("of 27 runs of the probe 2 diverged");
    Verdict vague = judged(Verdict.OfHeadroom.of(0.9, headroom(1, 0.95, 1.05, 20, 0, false)));
    assertThat(vague.decision()).isEqualTo(Decision.INCONCLUSIVE);
    assertThat(vague.reason()).contains("never reached their threshold within 24 steps");
    Verdict failed = judged(Verdict.OfHeadroom.failed(0.9, "probe failed: no template"));
    assertThat(failed.decision()).isEqualTo(Decision.INCONCLUSIVE);
    assertThat(failed.reason()).contains("not measured: probe failed: no template");
    // Measured and not gated.
    assertThat(judged(Verdict.OfHeadroom.of(0, headroom(0.5, 0.4, 0.6, 20, 3, false))).decision())
        .isEqualTo(Decision.PASS);
    assertThat(judged(Verdict.OfHeadroom.failed(0, "x")).decision()).isEqualTo(Decision.PASS);
  }

  @Test
  void theWorseOfBothMeasuresCounts() {
    Headroom measured = headroom(1, 0.95, 1.05, 3, 0, true);
    assertThat(measured.lower()).isEqualTo(0.95);
    assertThat(measured.costShare()).isEqualTo(0.04);
    assertThat(measured.summary())
        .isEqualTo(
            "steps 1.00 [0.95, 1.05], area 1.10 [1.05, 1.15] of base@1; 9 tasks, 27 runs, censored"
                + " at 24 steps: 3, of the foundation 1; 2.0 s, 4.0 % of the update");
    assertThat(Json.read(Json.canonical(measured), Headroom.class)).isEqualTo(measured);
  }

  @Test
  void anUnchangedCandidatePassesBeforeTheSuiteIsUsedUp() {
    Suite suite = suite(400);
    Gate.Subject before = subject("bank@1", (item, i) -> right(item));
    Gate.Subject after = subject("bank@2", (item, i) -> right(item));
    Verdict verdict = judge(after, before, requirement(suite, null));
    assertThat(verdict.decision()).isEqualTo(Decision.PASS);
    assertThat(verdict.items()).isLessThan(200);
    assertThat(evaluated).isLessThan(400);
    assertThat(verdict.capabilities().get(0).nonInferiority().holding())
        .hasSize(verdict.items())
        .last()
        .satisfies(last -> assertThat(last).isGreaterThan(2.9));
  }

  @Test
  void aCollapsedSliceFailsAndIsNamedWithWhatItsFlipsHaveInCommon() {
    Suite suite = suite(240);
    Gate.Subject before = subject("bank@1", (item, i) -> right(item));
    Gate.Subject after =
        subject(
            "bank@2",
            (item, i) -> "lost".equals(item.answer()) ? wrong(item, "limit") : right(item));
    Verdict verdict = judge(after, before, requirement(suite, null));
    assertThat(verdict.decision()).isEqualTo(Decision.FAIL);
    Verdict.OfCapability capability = verdict.capabilities().get(0);
    assertThat(capability.slices())
        .filteredOn(Verdict.OfSlice::collapsed)
        .extracting(Verdict.OfSlice::value)
        .containsExactly("lost");
    assertThat(capability.flips().negative()).isEqualTo(30);
    assertThat(capability.flips().inCommon())
        .anyMatch(t -> t.startsWith("intent = lost: 30 of 30"))
        .anyMatch(t -> t.startsWith("now answers 'limit'"));
    assertThat(verdict.reason()).contains("intent = lost");
    assertThat(capability.evaluated()).as("all items, to find the cause").isEqualTo(240);
  }

  @Test
  void aSmallSliceThatCollapsesFailsALargeSuiteThatHoldsOnTheWhole() {
    List<Item> items = new ArrayList<>();
    for (int i = 0; i < 800; i++) {
      String intent = i % 25 == 0 ? "rare" : "common" + i % 20;
      items.add(Item.qa("i" + i, "question " + i, intent, Map.of("intent", intent)));
    }
    Suite suite = Suite.of(items);
    Gate.Subject before = subject("bank@1", (item, i) -> right(item));
    Gate.Subject after =
        subject(
            "bank@2", (item, i) -> "rare".equals(item.answer()) ? wrong(item, "x") : right(item));
    Requirement strict =
        new Requirement(
            "intents",
            suite,
            Scorer.of(ScorerKind.EXACT_MATCH),
            0.05,
            null,
            List.of("intent"),
            0.3,
            14);
    Verdict verdict = judge(after, before, strict);
    assertThat(verdict.decision()).isEqualTo(Decision.FAIL);
    assertThat(verdict.reason()).contains("intent = rare");
  }

  @Test
  void aSliceThatLooksCollapsedHoldsTheReleaseEvenIfItIsTooSmallToBeSure() {
    List<Item> items = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      String intent = i % 66 == 0 ? "rare" : "common";
      items.add(Item.qa("i" + i, "question " + i, intent, Map.of("intent", intent)));
    }
    Suite suite = Suite.of(items);
    Gate.Subject before = subject("bank@1", (item, i) -> right(item));
    Gate.Subject after =
        subject(
            "bank@2", (item, i) -> "rare".equals(item.answer()) ? wrong(item, "x") : right(item));
    Verdict verdict = judge(after, before, requirement(suite, null));
    assertThat(verdict.decision()).isNotEqualTo(Decision.PASS);
    assertThat(verdict.reason()).contains("intent = rare");
  }

  @Test
  void tooFewItemsAreInconclusiveAndSayHowManyMoreWouldDecide() {
    Suite suite = suite(20);
    Gate.Subject before = subject("bank@1", (item, i) -> right(item));
    Gate.Subject after = subject("bank@2", (item, i) -> right(item));
    Verdict verdict = judge(after, before, requirement(suite, null));
    assertThat(verdict.decision()).isEqualTo(Decision.INCONCLUSIVE);
    assertThat(verdict.capabilities().get(0).moreItems()).isBetween(10, 200);
  }

  @Test
  void undecidableAnswersNeverHelp() {
    Suite suite = suite(400);
    Gate.Subject before = subject("bank@1", (item, i) -> right(item));
    Gate.Subject after =
        subject("bank@2", (item, i) -> new Outcome(item.id(), Judgement.UNDECIDABLE, 0, ""));
    Verdict verdict = judge(after, before, requirement(suite, 0.5));
    assertThat(verdict.decision()).isNotEqualTo(Decision.PASS);
    assertThat(verdict.capabilities().get(0).undecidable()).isGreaterThan(0);
  }

  @Test
  void aFirstReleaseIsHeldToItsFloorAndWithoutOneNothingIsShown() {
    Suite suite = suite(200);
    Gate.Subject good = subject("bank@1", (item, i) -> i % 10 == 0 ? wrong(item, "") : right(item));
    assertThat(judge(good, null, requirement(suite, 0.6)).decision()).isEqualTo(Decision.PASS);
    Gate.Subject bad = subject("bank@2", (item, i) -> i % 2 == 0 ? wrong(item, "") : right(item));
    assertThat(judge(bad, null, requirement(suite, 0.8)).decision()).isEqualTo(Decision.FAIL);
    Verdict unmeasured = judge(good, null, requirement(suite, null));
    assertThat(unmeasured.decision()).isEqualTo(Decision.INCONCLUSIVE);
    assertThat(unmeasured.reason()).contains("floor");
    assertThat(judge(good, null).decision()).isEqualTo(Decision.INCONCLUSIVE);
  }

  @Test
  void contaminatedItemsAreLeftOutAndNamed() {
    Suite suite = suite(400);
    Set<String> leaked = Set.of("i1", "i2", "i3");
    Gate.Subject before =
        subject("bank@1", (item, i) -> leaked.contains(item.id()) ? right(item) : wrong(item, ""));
    Gate.Subject after = subject("bank@2", (item, i) -> wrong(item, ""));
    Verdict verdict =
        gate.judge(
            after,
            before,
            List.of(requirement(suite, null)),
            Gate.Budgets.NONE,
            Map.of("intents", leaked),
            null,
            Progress.NONE);
    assertThat(verdict.negativeFlips()).isZero();
    assertThat(verdict.capabilities().get(0).total()).isEqualTo(397);
  }

  @Test
  void itemsThatAPromptWasChosenByAreLeftOutAndNamed() {
    Suite suite = suite(400);
    Set<String> searched = Set.of("i1", "i2", "i3");
    // It has right what it was chosen by, and nothing else.
    Gate.Subject after =
        subject(
            "bank@2", (item, i) -> searched.contains(item.id()) ? right(item) : wrong(item, ""));
    Gate.Subject before =
        subject(
            "bank@1", (item, i) -> searched.contains(item.id()) ? wrong(item, "") : right(item));
    Requirement usual = requirement(suite, null);
    Verdict verdict =
        judge(
            after,
            before,
            new Requirement(
                usual.capability(),
                suite,
                usual.scorer(),
                usual.margin(),
                null,
                usual.sliceTags(),
                usual.sliceMargin(),
                usual.sliceItems(),
                null,
                searched,
                null));
    Verdict.OfCapability capability = verdict.capabilities().get(0);
    assertThat(verdict.decision()).isEqualTo(Decision.FAIL);
    assertThat(capability.candidateScore()).isZero();
    assertThat(capability.total()).isEqualTo(397);
    assertThat(capability.searched()).containsExactlyInAnyOrderElementsOf(searched);
    assertThat(capability.contaminated()).isEmpty();
    assertThat(Json.read(Json.canonical(verdict), Verdict.class)).isEqualTo(verdict);
  }

  @Test
  void aBrokenBudgetFailsWhateverTheAccuracy() {
    Suite suite = suite(400);
    Gate.Subject before = subject("bank@1", (item, i) -> right(item));
    Gate.Subject after = subject("bank@2", (item, i) -> right(item));
    Verdict verdict =
        gate.judge(
            after,
            before,
            List.of(requirement(suite, null)),
            new Gate.Budgets(0.5, null),
            Map.of(),
            null,
            Progress.NONE);
    assertThat(verdict.decision()).isEqualTo(Decision.FAIL);
    assertThat(verdict.reason()).contains("max-size-mb: 1.000, at most 0.5000");
  }

  @Test
  void candidatesAtTheEdgeOfTheMarginAreRarelyReleased() {
    int passes = 0;
    int runs = 200;
    Suite suite = suite(300);
    for (int run = 0; run < runs; run++) {
      Random random = new Random(run);
      Gate.Subject before = subject("bank@1", (item, i) -> right(item));
      Gate.Subject after =
          subject(
              "bank@2", (item, i) -> random.nextDouble() < 0.05 ? wrong(item, "") : right(item));
      Requirement whole =
          new Requirement(
              "intents", suite, Scorer.of(ScorerKind.EXACT_MATCH), 0.05, null, List.of(), 0.3, 5);
      passes += judge(after, before, whole).decision() == Decision.PASS ? 1 : 0;
    }
    // Bound 0.05; three standard errors of a share over 200 runs are 0.046.
    assertThat(passes / (double) runs).isLessThanOrEqualTo(0.05 + 0.046);
  }

  @Test
  void theNoiseFloorIsTheReferenceAgainstItself() {
    Suite suite = suite(400);
    int[] calls = new int[1];
    Gate.Subject before =
        subject(
            "bank@1", // answers one item differently each time it is asked
            (item, i) -> i == 3 && calls[0]++ % 2 == 1 ? wrong(item, "noise") : right(item));
    Gate.Subject after = subject("bank@2", (item, i) -> right(item));
    Verdict.NoiseFloor noise =
        judge(after, before, requirement(suite, null)).capabilities().get(0).noise();
    assertThat(noise).isEqualTo(new Verdict.NoiseFloor(25, 1, 1));
  }

  @Test
  void verdictsSurviveTheRoundTrip() {
    Suite suite = suite(100);
    Gate.Subject before = subject("bank@1", (item, i) -> right(item));
    Gate.Subject after =
        subject("bank@2", (item, i) -> i % 3 == 0 ? wrong(item, "n") : right(item));
    Verdict verdict = judge(after, before, requirement(suite, 0.2));
    assertThat(Json.read(Json.canonical(verdict), Verdict.class)).isEqualTo(verdict);
  }

  @Test
  void theOrderOfASuiteDoesNotDependOnTheOrderOfItsFile() {
    List<Item> items = new ArrayList<>(suite(50).items());
    Suite suite = Suite.of(items);
    java.util.Collections.reverse(items);
    assertThat(Suite.of(items)).isEqualTo(suite);
    assertThat(Suite.read(suite.bytes())).isEqualTo(suite);
  }

  /** The first items of a suite with another answer. */
  private static Suite changed(Suite suite, int items, String answer) {
    List<Item> list = new ArrayList<>();
    for (Item item : suite.items()) {
      boolean changes = Integer.parseInt(item.id().substring(1)) < items;
      list.add(
          changes
              ? Item.qa(item.id(), item.messages().get(0).content(), answer, item.tags())
              : item);
    }
    return Suite.of(list);
  }

  private static Requirement revised(Suite then, Suite now, Double floor) {
    Verdict.Approval approval = new Verdict.Approval("kim", "the fee is 7 now", 12);
    return new Requirement(
        "intents",
        now,
        Scorer.of(ScorerKind.EXACT_MATCH),
        0.05,
        floor,
        List.of(),
        0.3,
        5,
        Revision.of(then, List.of(new Revision.Step(now, false, approval))),
        Set.of(),
        null);
  }

  /** Answers as a suite wants it. */
  private static BiFunction<Item, Integer, Outcome> knowing(Suite suite) {
    Map<String, String> answers = new HashMap<>();
    suite.items().forEach(item -> answers.put(item.id(), String.valueOf(item.answer())));
    return (item, i) -> {
      String said = answers.getOrDefault(item.id(), "?");
      return said.equals(item.answer()) ? right(item) : wrong(item, said);
    };
  }

  @Test
  void whatAnApprovedChangeAsksForIsNoRegression() {
    Suite then = suite(400);
    Suite now = changed(then, 60, "seven");
    Verdict verdict =
        judge(
            subject("bank@2", knowing(now)),
            subject("bank@1", knowing(then)),
            revised(then, now, null));
    assertThat(verdict.decision()).isEqualTo(Decision.PASS);
    assertThat(verdict.negativeFlips()).isZero();
    Verdict.OfCapability capability = verdict.capabilities().get(0);
    assertThat(capability.flips().positive()).as("a changed rule is no merit either").isZero();
    Verdict.Intended intended = capability.intended();
    assertThat(intended.replaced()).isEqualTo(60);
    assertThat(intended.judged()).isPositive().isEqualTo(intended.right());
    assertThat(intended.compared()).isEqualTo(verdict.items() - intended.judged());
    assertThat(verdict.intendedFlips()).isEqualTo(intended.judged());
    assertThat(intended.approvals()).extracting(Verdict.Approval::actor).containsExactly("kim");
    assertThat(intended.examples())
        .isNotEmpty()
        .allSatisfy(
            flip -> {
              assertThat(flip.answer()).isEqualTo("seven").isEqualTo(flip.after());
              assertThat(flip.former()).isEqualTo(flip.before()).isIn(INTENTS);
            });
    assertThat(Json.read(Json.canonical(verdict), Verdict.class)).isEqualTo(verdict);
  }

  @Test
  void whatAChangedRuleGainsCannotPayForWhatIsLostElsewhere() {
    Suite then = suite(400);
    Suite now = changed(then, 200, "seven");
    BiFunction<Item, Integer, Outcome> knows = knowing(now);
    Gate.Subject after =
        subject(
            "bank@2",
            (item, i) -> // a fifth of what still holds is lost
            Integer.parseInt(item.id().substring(1)) >= 360
                    ? wrong(item, "?")
                    : knows.apply(item, i));
    Gate.Subject before = subject("bank@1", knowing(then));
    Verdict verdict = judge(after, before, revised(then, now, null));
    assertThat(verdict.decision()).isEqualTo(Decision.FAIL);
    assertThat(verdict.negativeFlips()).isEqualTo(40);
    assertThat(verdict.reason()).contains("before 1.000 on 200 items that still hold");
    Requirement whole =
        new Requirement(
            "intents", now, Scorer.of(ScorerKind.EXACT_MATCH), 0.05, null, List.of(), 0.3, 5);
    assertThat(judge(after, before, whole).decision())
        .as("compared on all items, the mean has risen")
        .isEqualTo(Decision.PASS);
  }

  @Test
  void aCandidateThatStaysWithTheOldRuleDoesNotPass() {
    Suite then = suite(400);
    Suite now = changed(then, 60, "seven");
    Gate.Subject before = subject("bank@1", knowing(then));
    Gate.Subject after = subject("bank@2", knowing(then));
    Verdict verdict = judge(after, before, revised(then, now, null));
    assertThat(verdict.decision()).isEqualTo(Decision.FAIL);
    assertThat(verdict.reason()).contains("what the changed suite asks for is not known");
    assertThat(verdict.negativeFlips()).isZero();
    assertThat(verdict.capabilities().get(0).intended().missed()).isNotEmpty();
    Suite little = changed(then, 2, "seven");
    Verdict held = judge(after, before, revised(then, little, null));
    assertThat(held.decision()).as("two items prove nothing").isEqualTo(Decision.INCONCLUSIVE);
    assertThat(held.reason()).contains("too few right");
  }

  @Test
  void aSuiteOfWhichNothingHoldsNeedsAFloor() {
    Suite then = suite(200);
    Suite now = changed(then, 200, "seven");
    Gate.Subject before = subject("bank@1", knowing(then));
    Gate.Subject after = subject("bank@2", knowing(now));
    Verdict open = judge(after, before, revised(then, now, null));
    assertThat(open.decision()).isEqualTo(Decision.INCONCLUSIVE);
    assertThat(open.reason()).contains("every item was replaced");
    assertThat(judge(after, before, revised(then, now, 0.6)).decision()).isEqualTo(Decision.PASS);
  }

  @Test
  void whatHoldsIsFoundOverAllStepsOfAChange() {
    Suite then = suite(10);
    Suite middle = changed(then, 3, "seven");
    List<Item> last = new ArrayList<>(then.items());
    last.removeIf(item -> item.id().equals("i9"));
    last.replaceAll(item -> item.id().equals("i1") ? middle(item) : item);
    List<Item> grown = new ArrayList<>(last);
    grown.add(Item.qa("more", "more of the same", "fee", Map.of()));
    Suite now = Suite.of(grown);
    List<Item> further = new ArrayList<>(grown);
    further.add(Item.qa("new", "something new", "gold", Map.of()));
    Suite end = Suite.of(further);
    Revision revision =
        Revision.of(
            then,
            List.of(
                new Revision.Step(middle, false, null),
                new Revision.Step(now, true, null),
                new Revision.Step(end, false, null)));
    assertThat(revision.replaced().keySet()).as("changed back is as before").containsExactly("i1");
    assertThat(revision.retired()).extracting(Item::id).containsExactly("i9");
    assertThat(revision.comparable()).containsExactly("more");
    assertThat(revision.added()).containsExactly("new");
  }

  private static Item middle(Item item) {
    return Item.qa(item.id(), item.messages().get(0).content(), "seven", item.tags());
  }
}
