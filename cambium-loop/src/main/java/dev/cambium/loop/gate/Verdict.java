package dev.cambium.loop.gate;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.cambium.loop.headroom.Headroom;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.ScorerKind;
import dev.cambium.model.VersionRef;
import dev.cambium.stats.SequentialTest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * What a gate decided and everything it saw; an artifact of the ledger.
 *
 * @param candidate the version judged
 * @param reference the version it would replace; none for a first release
 * @param decision the whole: PASS only if every part passed
 * @param reason one sentence for people
 * @param capabilities each contracted capability
 * @param budgets each contracted budget
 * @param inherited set when nothing was run because the parent behaved alike; see {@link Inherited}
 * @param waiver set when a person accepted a first release that no capability measures
 * @param headroom how well the candidate still learns; none if the contract does not ask, or
 *     nothing is there to compare it with
 */
public record Verdict(
    VersionRef candidate,
    @Nullable VersionRef reference,
    Decision decision,
    String reason,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<OfCapability> capabilities,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<OfBudget> budgets,
    @Nullable Inherited inherited,
    @Nullable Waiver waiver,
    @Nullable OfHeadroom headroom) {

  /** A verdict for which no headroom was measured. */
  public Verdict(
      VersionRef candidate,
      @Nullable VersionRef reference,
      Decision decision,
      String reason,
      List<OfCapability> capabilities,
      List<OfBudget> budgets,
      @Nullable Inherited inherited,
      @Nullable Waiver waiver) {
    this(candidate, reference, decision, reason, capabilities, budgets, inherited, waiver, null);
  }

  @SuppressWarnings("ConstantValue") // absent in JSON is null here
  public Verdict {
    capabilities = capabilities == null ? List.of() : List.copyOf(capabilities);
    budgets = budgets == null ? List.of() : List.copyOf(budgets);
  }

  /**
   * All items that were right in the reference and are wrong in the candidate, those aside of which
   * an approved change of a suite asks for another answer.
   */
  public int negativeFlips() {
    return capabilities.stream().mapToInt(c -> c.flips().negative()).sum();
  }

  /** All items that the candidate has right as a changed suite wants it, and the reference not. */
  public int intendedFlips() {
    return capabilities.stream()
        .map(OfCapability::intended)
        .filter(Objects::nonNull)
        .mapToInt(Intended::flips)
        .sum();
  }

  /** All items whose verdict differs between the two versions, for whatever reason. */
  public int flips() {
    return intendedFlips()
        + capabilities.stream()
            .mapToInt(
                c ->
                    c.flips().negative()
                        + c.flips().positive()
                        + (c.intended() == null ? 0 : c.intended().lost()))
            .sum();
  }

  /** Mean score of the candidate over the capabilities that were evaluated; 0 if none was. */
  public double score() {
    return measured().orElse(0);
  }

  /** Mean score of the candidate over the capabilities that were evaluated, if one was. */
  public OptionalDouble measured() {
    return capabilities.stream()
        .filter(c -> c.evaluated() > 0)
        .mapToDouble(OfCapability::candidateScore)
        .average();
  }

  /** All items that the decision used. */
  public int items() {
    return capabilities.stream().mapToInt(OfCapability::items).sum();
  }

  /**
   * Early cutoff: the parent was kept and answered every evaluated item as before, so its child was
   * not run.
   *
   * @param evidence the parent's verdict
   * @param items on how many items the parent's answers were compared
   */
  public record Inherited(Digest evidence, int items) {}

  /** A person's word in place of a measurement. */
  public record Waiver(String actor, String reason) {}

  /**
   * One capability.
   *
   * @param suite artifact of the items
   * @param margin how much the mean score may fall
   * @param floor lowest acceptable mean score; none if the contract names none
   * @param alpha error rate of each test
   * @param decision of this capability
   * @param reason one sentence
   * @param items how many items the decision used
   * @param evaluated how many were evaluated in all; more than {@code items} after a FAIL, to find
   *     the cause
   * @param total how many the suite has
   * @param candidateScore mean score over the evaluated items
   * @param referenceScore mean score of the reference on the same items
   * @param low lower end of an anytime-valid interval (level 1 − alpha) for the candidate's mean
   * @param high its upper end
   * @param nonInferiority course of the evidence against the reference; none without one
   * @param aboveFloor course of the evidence against the floor; none without one
   * @param moreItems for INCONCLUSIVE: estimate of how many more items would decide; none if
   *     unknowable at the observed rate
   * @param fixedSample companions that assume a sample size fixed beforehand; for comparison only
   * @param slices those of the contract's tags
   * @param flips items whose verdict changed
   * @param undecidable items that the scorer could not judge in the candidate
   * @param contaminated items left out because training data or a prompt's examples contained them
   * @param searched items left out because a prompt of one of the two was chosen by them
   * @param noise the engine's own noise, from the reference against itself; none without one
   * @param secondsPerItem mean wall time of an item of the candidate
   * @param intended what a change of the suite since the reference was released asks for; none if
   *     it has not changed. Flips, slices and the evidence against the reference leave its items
   *     out
   */
  public record OfCapability(
      String capability,
      Digest suite,
      ScorerKind scorer,
      double margin,
      @Nullable Double floor,
      double alpha,
      Decision decision,
      String reason,
      int items,
      int evaluated,
      int total,
      double candidateScore,
      @Nullable Double referenceScore,
      double low,
      double high,
      @Nullable Course nonInferiority,
      @Nullable Course aboveFloor,
      @Nullable Integer moreItems,
      @Nullable FixedSample fixedSample,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<OfSlice> slices,
      Flips flips,
      int undecidable,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<String> contaminated,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<String> searched,
      @Nullable NoiseFloor noise,
      double secondsPerItem,
      @Nullable Intended intended) {

    @SuppressWarnings("ConstantValue") // absent in JSON is null here
    public OfCapability {
      slices = slices == null ? List.of() : List.copyOf(slices);
      contaminated = contaminated == null ? List.of() : List.copyOf(contaminated);
      searched = searched == null ? List.of() : List.copyOf(searched);
    }
  }

  /**
   * Somebody's yes to a change of a suite.
   *
   * @param actor who
   * @param reason why
   * @param record of the ledger that says so
   */
  public record Approval(String actor, String reason, long record) {}

  /**
   * How a candidate stands to a suite that has changed since the reference was released. Items that
   * have another answer now, or are new, are held to the new answer alone.
   *
   * @param from artifact of the suite that the reference was released by
   * @param approvals of what led to the suite in force
   * @param replaced items of the suite that have another question or answer now
   * @param added items of it that are new and ask for something new
   * @param retired items that are no more
   * @param compared how many of the evaluated items the versions were compared on
   * @param comparedCandidate the candidate's mean score on these; none if there are none
   * @param comparedReference the reference's
   * @param judged how many of the evaluated items are replaced or added
   * @param right how many of these the candidate has right
   * @param floor the share of these that it must have right
   * @param pValue anytime-valid, of "has that share right"; small means broken
   * @param broken whether it is shown that less is right
   * @param flips how many of these it has right and the reference not
   * @param lost how many of these the reference has right and it not
   * @param examples of the flips, at most 50
   * @param missed those that it has wrong, at most 50
   */
  public record Intended(
      Digest from,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Approval> approvals,
      int replaced,
      int added,
      int retired,
      int compared,
      @Nullable Double comparedCandidate,
      @Nullable Double comparedReference,
      int judged,
      int right,
      double floor,
      double pValue,
      boolean broken,
      int flips,
      int lost,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<IntendedFlip> examples,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<IntendedFlip> missed) {
    @SuppressWarnings("ConstantValue") // absent in JSON is null here
    public Intended {
      approvals = approvals == null ? List.of() : List.copyOf(approvals);
      examples = examples == null ? List.of() : List.copyOf(examples);
      missed = missed == null ? List.of() : List.copyOf(missed);
    }

    /** What changed, for people. */
    public String change() {
      List<String> parts = new ArrayList<>();
      if (replaced > 0) {
        parts.add(replaced + " replaced");
      }
      if (added > 0) {
        parts.add(added + " added");
      }
      if (retired > 0) {
        parts.add(retired + " retired");
      }
      return parts.isEmpty() ? "as before" : String.join(", ", parts);
    }
  }

  /**
   * One item that a changed suite asks otherwise.
   *
   * @param former the right answer until then; none for an item that is new
   * @param answer the right answer now
   * @param before what the reference answered
   * @param after what the candidate answered
   */
  public record IntendedFlip(
      String item,
      String input,
      @Nullable String former,
      @Nullable String answer,
      String before,
      String after) {}

  /**
   * What changes without a change: the reference evaluated twice, the second time in batches of
   * another size. Differences between versions that are not larger than this mean nothing.
   *
   * @param items evaluated twice
   * @param flips whose judgement differed
   * @param largest difference of an item's score
   */
  public record NoiseFloor(int items, int flips, double largest) {}

  /**
   * How the evidence of one test grew: natural logarithms of the wealths after each item, to three
   * digits. Reaching ln(1/alpha) decides.
   *
   * @param holding evidence that the requirement holds
   * @param breaking evidence that it is broken
   */
  public record Course(List<Double> holding, List<Double> breaking) {
    public Course {
      holding = List.copyOf(holding);
      breaking = List.copyOf(breaking);
    }

    static @Nullable Course of(@Nullable SequentialTest test) {
      return test == null
          ? null
          : new Course(rounded(test.holdingLogEValues()), rounded(test.breakingLogEValues()));
    }

    private static List<Double> rounded(double[] values) {
      return Arrays.stream(values).mapToObj(v -> Math.rint(v * 1000) / 1000 + 0.0).toList();
    }
  }

  /**
   * What tests with a fixed sample size say of the same items.
   *
   * @param mcnemarP exact McNemar test, two-sided
   * @param wilsonLow Wilson interval (95 %) of the candidate's share of right answers
   * @param wilsonHigh its upper end
   * @param differenceLow paired bootstrap interval (95 %) of the mean difference
   * @param differenceHigh its upper end
   */
  public record FixedSample(
      @Nullable Double mcnemarP,
      double wilsonLow,
      double wilsonHigh,
      @Nullable Double differenceLow,
      @Nullable Double differenceHigh) {}

  /**
   * The items that share a tag's value.
   *
   * @param tag such as {@code intent}
   * @param value such as {@code card-lost}
   * @param pValue anytime-valid, of "keeps at least 1 − slice margin of what was right"; small
   *     means collapsed
   * @param collapsed whether it fails the gate, after Holm's correction over all slices
   */
  public record OfSlice(
      String tag,
      String value,
      int items,
      double candidateScore,
      double referenceScore,
      double pValue,
      boolean collapsed) {}

  /**
   * Items whose verdict changed.
   *
   * @param negative right before, wrong now
   * @param positive wrong before, right now
   * @param examples the negative ones, at most 50
   * @param inCommon what the negative ones share that the others do not, for people
   */
  public record Flips(
      int negative,
      int positive,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Flip> examples,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<String> inCommon) {
    @SuppressWarnings("ConstantValue") // absent in JSON is null here
    public Flips {
      examples = examples == null ? List.of() : List.copyOf(examples);
      inCommon = inCommon == null ? List.of() : List.copyOf(inCommon);
    }
  }

  /** One item that was right and is wrong. */
  public record Flip(
      String item,
      String input,
      @Nullable String answer,
      String before,
      String after,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) Map<String, String> tags) {
    @SuppressWarnings("ConstantValue") // absent in JSON is null here
    public Flip {
      tags = tags == null ? Map.of() : Map.copyOf(tags);
    }
  }

  /**
   * One budget.
   *
   * @param budget its name, with the unit
   */
  public record OfBudget(String budget, double limit, double found, Decision decision) {}

  /**
   * Headroom against the contract's floor. Falling short of it holds a release and does not fail
   * it: what the version can do is not worse for it.
   *
   * @param floor for the lower end of the interval; 0 for a measurement that decides nothing
   * @param decision PASS or INCONCLUSIVE
   * @param reason one sentence
   * @param measured none if nothing could be measured
   */
  public record OfHeadroom(
      double floor, Decision decision, String reason, @Nullable Headroom measured) {

    /** Judges what was measured. */
    public static OfHeadroom of(double floor, Headroom measured) {
      String found =
          String.format(
              Locale.ROOT,
              "headroom %s by %s",
              measured.worse(),
              measured.worse().equals(measured.steps()) ? "steps" : "area");
      if (floor == 0) {
        return new OfHeadroom(floor, Decision.PASS, found + ", no floor", measured);
      }
      String problem = null;
      if (measured.diverged() + measured.foundationDiverged() > 0) {
        problem =
            String.format(
                Locale.ROOT,
                "of %d runs of the probe %d diverged, and %d of the foundation's: a loss or"
                    + " gradient was no finite number; a lower learning-rate under the contract's"
                    + " headroom may help",
                measured.runs(),
                measured.diverged(),
                measured.foundationDiverged());
      } else if (!measured.decisive()) {
        problem =
            String.format(
                Locale.ROOT,
                "most of %d runs of the probe never reached their threshold within %d steps, nor did"
                    + " the foundation's, so there is nothing to compare; more steps or another"
                    + " learning-rate under the contract's headroom may help",
                measured.runs(),
                measured.horizon());
      } else if (measured.upper() < floor) {
        problem =
            String.format(
                Locale.ROOT,
                "%s, below the floor of %.2f: it learns worse than %s",
                found,
                floor,
                measured.foundation());
      } else if (measured.lower() < floor) {
        problem =
            String.format(
                Locale.ROOT,
                "%s, not shown to be above the floor of %.2f; more tasks under the contract's"
                    + " headroom narrow the interval",
                found,
                floor);
      }
      if (problem != null && measured.censored() > 0) {
        problem +=
            String.format(
                Locale.ROOT,
                "; %d of %d runs never reached their threshold and count as %d steps",
                measured.censored(),
                measured.runs(),
                measured.horizon());
      }
      return problem == null
          ? new OfHeadroom(
              floor,
              Decision.PASS,
              String.format(Locale.ROOT, "%s, above the floor of %.2f", found, floor),
              measured)
          : new OfHeadroom(floor, Decision.INCONCLUSIVE, problem, measured);
    }

    /** A probe that gave nothing. */
    public static OfHeadroom failed(double floor, String why) {
      return new OfHeadroom(
          floor,
          floor == 0 ? Decision.PASS : Decision.INCONCLUSIVE,
          "headroom was not measured: " + why,
          null);
    }
  }
}
