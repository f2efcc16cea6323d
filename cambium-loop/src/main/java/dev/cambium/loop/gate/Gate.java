package dev.cambium.loop.gate;

import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Item;
import dev.cambium.model.Judgement;
import dev.cambium.model.Outcome;
import dev.cambium.model.Progress;
import dev.cambium.model.VersionRef;
import dev.cambium.stats.Finding;
import dev.cambium.stats.FloorTest;
import dev.cambium.stats.Holm;
import dev.cambium.stats.Interval;
import dev.cambium.stats.McNemar;
import dev.cambium.stats.NonInferiorityTest;
import dev.cambium.stats.PairedBootstrap;
import dev.cambium.stats.Wilson;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Judges a candidate against its contract.
 *
 * <p><b>What is decided.</b> A candidate passes if every capability passes, and a capability passes
 * if its mean score is shown to lie above the reference's minus the margin and, where the contract
 * names one, above the floor. It fails if the opposite of either is shown, or if a slice has
 * collapsed. A pass waits while a slice's observed score lies below the reference's by more than
 * the slice margin. Anything else is INCONCLUSIVE, which holds the release. No evidence is never a
 * pass.
 *
 * <p>A headroom that is not shown to lie above the contract's floor makes an otherwise good
 * candidate INCONCLUSIVE: it is held, not failed.
 *
 * <p><b>Error rates.</b> To pass, <em>every</em> capability must be shown to hold, so each is
 * tested at alpha and the probability to release a candidate that breaks any of them is at most
 * alpha (an intersection–union test; Berger, 1982). To fail, <em>one</em> suffices, so the findings
 * "broken" are corrected by Holm over all capabilities, and those about slices by Holm over all
 * slices of all capabilities. The tests are anytime-valid, so items are looked at piece by piece
 * and evaluation stops where the answer is clear.
 *
 * <p><b>Where the suite has changed</b> since the reference was released ({@link Revision}), the
 * two are compared on the items that still hold, and on these alone. Of the others, the candidate
 * must have a share right: a PASS waits while it has less, and it fails once that is shown, which
 * counts among the findings "broken" of its capability. So a changed rule is no regression, and
 * what is gained by it cannot pay for what was lost elsewhere.
 *
 * <p><b>After a FAIL</b> the failing capability's remaining items are evaluated too: not for the
 * decision, which stands, but to say which slice broke, which items flipped and what they have in
 * common.
 */
public final class Gate {

  private static final double COMPANION_LEVEL = 0.95;
  private static final int BOOTSTRAP_DRAWS = 2000;

  private final OutcomeSource outcomes;
  private final double alpha;
  private final int piece;

  /**
   * @param alpha bound on the probability of a false release, in (0, 1)
   * @param piece items evaluated between two looks
   */
  public Gate(OutcomeSource outcomes, double alpha, int piece) {
    this.outcomes = outcomes;
    this.alpha = alpha;
    this.piece = piece;
  }

  /**
   * A version to judge or to compare with.
   *
   * @param bytes size of its own files
   */
  public record Subject(VersionRef ref, Digest manifest, long bytes) {}

  /**
   * Budgets of the contract.
   *
   * @param maxMegabytes for the version's own files
   * @param maxMillisPerItem mean wall time of an evaluated item
   */
  public record Budgets(@Nullable Double maxMegabytes, @Nullable Double maxMillisPerItem) {
    /** No budget. */
    public static final Budgets NONE = new Budgets(null, null);
  }

  /**
   * Judges.
   *
   * @param reference the version that would be replaced; none for a first release
   * @param contaminated items that training data or a prompt's examples contained, by capability;
   *     left out
   * @param headroom how well the candidate still learns; none where nothing is asked
   */
  public Verdict judge(
      Subject candidate,
      @Nullable Subject reference,
      List<Requirement> requirements,
      Budgets budgets,
      Map<String, Set<String>> contaminated,
      Verdict.@Nullable OfHeadroom headroom,
      Progress progress) {
    List<Trial> trials = new ArrayList<>();
    for (Requirement requirement : requirements) {
      trials.add(
          new Trial(
              candidate,
              reference,
              requirement,
              contaminated.getOrDefault(requirement.capability(), Set.of())));
    }
    boolean failed = false;
    for (Trial trial : trials) {
      while (!failed && !trial.settled() && trial.more()) {
        trial.advance(progress);
        failed = broken(trials);
      }
      if (failed) {
        break; // one broken capability decides; the others need no more items
      }
    }
    mark(trials);
    for (Trial trial : trials) {
      if (trial.decision == Decision.FAIL) {
        while (trial.more()) {
          trial.advance(progress);
        }
      }
    }
    mark(trials); // decisions stand; collapsed slices are named from all items
    List<Verdict.OfCapability> capabilities = trials.stream().map(Trial::verdict).toList();
    List<Verdict.OfBudget> ofBudgets = budgets(candidate, budgets, capabilities);
    return summarize(candidate, reference, capabilities, ofBudgets, headroom);
  }

  /** Whether any capability or slice is shown to be broken, after correction. */
  private boolean broken(List<Trial> trials) {
    mark(trials);
    return trials.stream().anyMatch(trial -> trial.decision == Decision.FAIL);
  }

  private void mark(List<Trial> trials) {
    double[] pValues = trials.stream().mapToDouble(Trial::brokenP).toArray();
    boolean[] rejected = pValues.length == 0 ? new boolean[0] : Holm.rejected(alpha, pValues);
    List<SliceTrial> slices = trials.stream().flatMap(t -> t.judgedSlices().stream()).toList();
    double[] sliceP = slices.stream().mapToDouble(SliceTrial::pValue).toArray();
    boolean[] collapsed = sliceP.length == 0 ? new boolean[0] : Holm.rejected(alpha, sliceP);
    for (int i = 0; i < slices.size(); i++) {
      slices.get(i).collapsed |= collapsed[i];
    }
    for (int i = 0; i < trials.size(); i++) {
      trials.get(i).decide(rejected[i]);
    }
  }

  private static List<Verdict.OfBudget> budgets(
      Subject candidate, Budgets budgets, List<Verdict.OfCapability> capabilities) {
    List<Verdict.OfBudget> found = new ArrayList<>();
    if (budgets.maxMegabytes() != null) {
      double megabytes = candidate.bytes() / 1e6;
      found.add(
          new Verdict.OfBudget(
              "max-size-mb",
              budgets.maxMegabytes(),
              megabytes,
              megabytes <= budgets.maxMegabytes() ? Decision.PASS : Decision.FAIL));
    }
    if (budgets.maxMillisPerItem() != null) {
      int items = capabilities.stream().mapToInt(Verdict.OfCapability::evaluated).sum();
      double seconds =
          capabilities.stream().mapToDouble(c -> c.secondsPerItem() * c.evaluated()).sum();
      double millis = items == 0 ? Double.NaN : 1000 * seconds / items;
      Decision decision =
          items == 0
              ? Decision.INCONCLUSIVE
              : millis <= budgets.maxMillisPerItem() ? Decision.PASS : Decision.FAIL;
      found.add(
          new Verdict.OfBudget(
              "max-ms-per-item", budgets.maxMillisPerItem(), items == 0 ? 0 : millis, decision));
    }
    return found;
  }

  private static Verdict summarize(
      Subject candidate,
      @Nullable Subject reference,
      List<Verdict.OfCapability> capabilities,
      List<Verdict.OfBudget> budgets,
      Verdict.@Nullable OfHeadroom headroom) {
    List<String> fails = new ArrayList<>();
    List<String> open = new ArrayList<>();
    for (Verdict.OfCapability capability : capabilities) {
      if (capability.decision() == Decision.FAIL) {
        fails.add(capability.capability() + ": " + capability.reason());
      } else if (capability.decision() == Decision.INCONCLUSIVE) {
        open.add(capability.capability() + ": " + capability.reason());
      }
    }
    for (Verdict.OfBudget budget : budgets) {
      if (budget.decision() != Decision.PASS) {
        (budget.decision() == Decision.FAIL ? fails : open)
            .add(
                String.format(
                    Locale.ROOT,
                    "budget %s: %.4g, at most %.4g allowed",
                    budget.budget(),
                    budget.found(),
                    budget.limit()));
      }
    }
    if (headroom != null && headroom.decision() != Decision.PASS) {
      open.add(headroom.reason());
    }
    Decision decision;
    String reason;
    if (!fails.isEmpty()) {
      decision = Decision.FAIL;
      reason = String.join("; ", fails);
    } else if (capabilities.isEmpty()) {
      decision = Decision.INCONCLUSIVE;
      reason =
          "the contract names no capability, so nothing shows that "
              + candidate.ref()
              + " is fit for release; add one to the line's contract in ecosystem.yaml";
    } else if (!open.isEmpty()) {
      decision = Decision.INCONCLUSIVE;
      reason = String.join("; ", open);
    } else {
      decision = Decision.PASS;
      reason =
          String.format(
              Locale.ROOT,
              "%d capabilit%s hold%s on %d items",
              capabilities.size(),
              capabilities.size() == 1 ? "y" : "ies",
              capabilities.size() == 1 ? "s" : "",
              capabilities.stream().mapToInt(Verdict.OfCapability::items).sum());
      if (headroom != null) {
        reason += "; " + headroom.reason();
      }
    }
    return new Verdict(
        candidate.ref(),
        reference == null ? null : reference.ref(),
        decision,
        reason,
        capabilities,
        budgets,
        null,
        null,
        headroom);
  }

  /**
   * The items of one slice. What is tested is retention: of the items that the reference had right,
   * at least {@code 1 − margin} stay right. Items that it had wrong cannot make up for those that
   * are lost, and a few losses in a small slice say much more against retention than against a mean
   * difference, which might have gone either way.
   */
  private static final class SliceTrial {
    final String tag;
    final String value;
    final int total;
    final int needed;
    final FloorTest retention;
    double candidate;
    double reference;
    double retained;
    int rightBefore;
    int items;
    boolean collapsed;

    /**
     * @param level the test plays for 1/level; what its slice must reach after correction
     */
    SliceTrial(String tag, String value, int total, Requirement requirement, double level) {
      this.tag = tag;
      this.value = value;
      this.total = total;
      this.needed = Math.min(total, requirement.sliceItems());
      this.retention = FloorTest.planned(1 - requirement.sliceMargin(), level, total);
    }

    void observe(Outcome now, Outcome then) {
      items++;
      candidate += now.score();
      reference += then.score();
      if (then.judgement() != Judgement.RIGHT) {
        return;
      }
      rightBefore++;
      retained += now.score();
      if (now.judgement() == Judgement.UNDECIDABLE) {
        retention.observeWithin(0, 1);
      } else {
        retention.observe(now.score());
      }
    }

    double pValue() {
      return retention.count() == 0 ? 1 : retention.breaking().pValue();
    }

    /**
     * Whether less was retained than is tolerated, as far as seen; not yet a proof. A slice that
     * was hardly ever right has nothing to lose.
     */
    boolean suspicious() {
      return rightBefore >= needed && retained / rightBefore < retention.threshold();
    }

    /** Seen often enough, and not looking collapsed: a PASS waits until that is so. */
    boolean clear() {
      return items >= needed && !suspicious();
    }

    String fall() {
      return String.format(
          Locale.ROOT,
          "slice %s = %s fell from %.2f to %.2f on %d items",
          tag,
          value,
          items == 0 ? 0 : reference / items,
          items == 0 ? 0 : candidate / items,
          items);
    }
  }

  /** The items that a changed suite asks otherwise: the candidate's answers to them alone. */
  private static final class IntendedTrial {
    final int total;
    final int needed;
    final FloorTest floor;
    double score;
    int right;

    IntendedTrial(int total, Requirement requirement, double alpha) {
      this.total = total;
      this.needed = Math.min(total, requirement.sliceItems());
      this.floor = FloorTest.planned(requirement.intendedFloor(), alpha, total);
    }

    void observe(Outcome now) {
      score += now.score();
      right += now.judgement() == Judgement.RIGHT ? 1 : 0;
      if (now.judgement() == Judgement.UNDECIDABLE) {
        floor.observeWithin(0, 1);
      } else {
        floor.observe(now.score());
      }
    }

    long items() {
      return floor.count();
    }

    double pValue() {
      return floor.count() == 0 ? 1 : floor.breaking().pValue();
    }

    /** Whether it is shown that less than the share is right. */
    boolean broken() {
      return floor.finding() == Finding.BROKEN;
    }

    /** Less than the share that is asked for, as far as seen. */
    boolean suspicious() {
      return items() >= needed && score / items() < floor.threshold();
    }

    /** Seen often enough, and enough of them right: a PASS waits until that is so. */
    boolean clear() {
      return items() >= needed && !suspicious();
    }

    String standing() {
      return String.format(
          Locale.ROOT,
          "%d of %d items that the suite asks otherwise now are right, %.0f %% must be",
          right,
          items(),
          100 * floor.threshold());
    }
  }

  /** One capability under test. */
  private final class Trial {
    final Subject candidate;
    final @Nullable Subject reference;
    final Requirement requirement;
    final List<String> contaminated = new ArrayList<>();
    final List<String> searched = new ArrayList<>();
    final List<Item> items = new ArrayList<>();
    final List<Outcome> after = new ArrayList<>();
    final List<Outcome> before = new ArrayList<>();
    final Map<String, SliceTrial> slices = new TreeMap<>();
    final @Nullable Revision revision;
    final @Nullable IntendedTrial intended;
    final @Nullable NonInferiorityTest nonInferiority;
    final @Nullable FloorTest floor;
    final Set<String> excluded;
    final int usable;
    Verdict.@Nullable NoiseFloor noise;
    Decision decision = Decision.INCONCLUSIVE;
    int decidedAt;
    int next;
    double seconds;

    Trial(
        Subject candidate,
        @Nullable Subject reference,
        Requirement requirement,
        Set<String> excluded) {
      this.candidate = candidate;
      this.reference = reference;
      this.requirement = requirement;
      this.excluded = excluded;
      List<Item> all = requirement.suite().items();
      List<Item> used =
          all.stream()
              .filter(item -> !excluded.contains(item.id()))
              .filter(item -> !requirement.searched().contains(item.id()))
              .toList();
      usable = used.size();
      revision = reference == null ? null : requirement.revision();
      List<Item> compared = used.stream().filter(item -> !intends(item)).toList();
      int otherwise = usable - compared.size();
      intended = otherwise == 0 ? null : new IntendedTrial(otherwise, requirement, alpha);
      nonInferiority =
          reference == null || (revision != null && compared.isEmpty())
              ? null
              : NonInferiorityTest.planned(
                  requirement.margin(), alpha, Math.max(1, compared.size()));
      floor =
          requirement.floor() == null
              ? null
              : FloorTest.planned(requirement.floor(), alpha, Math.max(1, usable));
      if (reference != null) {
        Map<String, Integer> sizes = new TreeMap<>();
        for (String tag : requirement.sliceTags()) {
          for (Item item : compared) {
            String value = item.tags().get(tag);
            if (value != null) {
              sizes.merge(tag + "=" + value, 1, Integer::sum);
            }
          }
        }
        double level = alpha / Math.max(1, sizes.size());
        sizes.forEach(
            (name, size) -> {
              int equals = name.indexOf('=');
              slices.put(
                  name,
                  new SliceTrial(
                      name.substring(0, equals),
                      name.substring(equals + 1),
                      size,
                      requirement,
                      level));
            });
      }
    }

    private boolean intends(Item item) {
      return revision != null && revision.intends(item);
    }

    boolean more() {
      return next < requirement.suite().items().size();
    }

    boolean settled() {
      return decision != Decision.INCONCLUSIVE;
    }

    void advance(Progress progress) {
      Suite suite = requirement.suite();
      int to = Math.min(next + piece, suite.items().size());
      OutcomeSource.Piece now =
          outcomes.run(candidate.manifest(), suite, requirement.scorer(), next, to, progress);
      OutcomeSource.@Nullable Piece then =
          reference == null
              ? null
              : outcomes.run(reference.manifest(), suite, requirement.scorer(), next, to, progress);
      seconds += now.seconds();
      if (then != null && noise == null) {
        noise = noise(then, to, progress);
      }
      for (int i = 0; i < to - next; i++) {
        Item item = suite.items().get(next + i);
        if (excluded.contains(item.id())) {
          contaminated.add(item.id());
          continue;
        }
        if (requirement.searched().contains(item.id())) {
          searched.add(item.id());
          continue;
        }
        observe(item, now.outcomes().get(i), then == null ? null : then.outcomes().get(i));
      }
      next = to;
      progress.at(
          "Judging " + candidate.ref(), next, suite.items().size(), requirement.capability());
    }

    /** The reference against itself: its first items again, in other batches. */
    private Verdict.@Nullable NoiseFloor noise(
        OutcomeSource.Piece first, int to, Progress progress) {
      if (to < 2 || reference == null) {
        return null;
      }
      List<Outcome> again = new ArrayList<>();
      int half = to / 2;
      Digest manifest = reference.manifest();
      again.addAll(
          outcomes
              .run(manifest, requirement.suite(), requirement.scorer(), 0, half, progress)
              .outcomes());
      again.addAll(
          outcomes
              .run(manifest, requirement.suite(), requirement.scorer(), half, to, progress)
              .outcomes());
      int flips = 0;
      double largest = 0;
      for (int i = 0; i < to; i++) {
        Outcome one = first.outcomes().get(i);
        Outcome other = again.get(i);
        flips += one.judgement() == other.judgement() ? 0 : 1;
        largest = Math.max(largest, Math.abs(one.score() - other.score()));
      }
      return new Verdict.NoiseFloor(to, flips, largest);
    }

    private void observe(Item item, Outcome now, @Nullable Outcome then) {
      items.add(item);
      after.add(now);
      if (floor != null) {
        if (now.judgement() == Judgement.UNDECIDABLE) {
          floor.observeWithin(0, 1);
        } else {
          floor.observe(now.score());
        }
      }
      if (then == null) {
        return;
      }
      before.add(then);
      if (intended != null && intends(item)) {
        intended.observe(now);
        return;
      }
      observe(java.util.Objects.requireNonNull(nonInferiority), now, then);
      for (String tag : requirement.sliceTags()) {
        SliceTrial slice = slices.get(tag + "=" + item.tags().get(tag));
        if (slice != null) {
          slice.observe(now, then);
        }
      }
    }

    private void observe(NonInferiorityTest test, Outcome now, Outcome then) {
      boolean unsureNow = now.judgement() == Judgement.UNDECIDABLE;
      boolean unsureThen = then.judgement() == Judgement.UNDECIDABLE;
      if (unsureNow || unsureThen) {
        double low = (unsureNow ? 0 : now.score()) - (unsureThen ? 1 : then.score());
        double high = (unsureNow ? 1 : now.score()) - (unsureThen ? 0 : then.score());
        test.observeWithin(low, high);
      } else {
        test.observe(now.score() - then.score());
      }
    }

    /** Anytime-valid p-value of "broken": the smallest of its tests, times how many there are. */
    double brokenP() {
      double p = 1;
      int tests = 0;
      if (nonInferiority != null && nonInferiority.count() > 0) {
        p = Math.min(p, nonInferiority.breaking().pValue());
        tests++;
      }
      if (floor != null && floor.count() > 0) {
        p = Math.min(p, floor.breaking().pValue());
        tests++;
      }
      if (intended != null && intended.items() > 0) {
        p = Math.min(p, intended.pValue());
        tests++;
      }
      return Math.min(1, p * Math.max(1, tests));
    }

    List<SliceTrial> judgedSlices() {
      return slices.values().stream()
          .filter(slice -> slice.total >= requirement.sliceItems() && slice.items > 0)
          .toList();
    }

    /** Once FAIL or PASS, that stays: it was found at a stopping time. */
    void decide(boolean broken) {
      if (settled()) {
        return;
      }
      boolean collapsed = slices.values().stream().anyMatch(slice -> slice.collapsed);
      if (broken || collapsed) {
        decision = Decision.FAIL;
        decidedAt = items.size();
      } else if ((nonInferiority != null || floor != null)
          && (nonInferiority == null || nonInferiority.finding() == Finding.HOLDS)
          && (floor == null || floor.finding() == Finding.HOLDS)
          && (intended == null || intended.clear())
          && judgedSlices().stream().allMatch(SliceTrial::clear)
          && judgedSlices().size() == largeSlices()) {
        decision = Decision.PASS;
        decidedAt = items.size();
      }
    }

    private long largeSlices() {
      return slices.values().stream()
          .filter(slice -> slice.total >= requirement.sliceItems())
          .count();
    }

    /** Items with what both versions did, in parallel. */
    private record Pairs(List<Item> items, List<Outcome> before, List<Outcome> after) {}

    /** The evaluated items that the versions are compared on, or the others. */
    private Pairs pairs(boolean compared) {
      if (revision == null && compared) {
        return new Pairs(items, before, after);
      }
      Pairs pairs = new Pairs(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
      for (int i = 0; i < items.size(); i++) {
        if (intends(items.get(i)) != compared) {
          pairs.items.add(items.get(i));
          pairs.before.add(before.get(i));
          pairs.after.add(after.get(i));
        }
      }
      return pairs;
    }

    private Verdict.@Nullable Intended intended() {
      Revision change = revision;
      if (change == null) {
        return null;
      }
      Pairs held = pairs(true);
      Pairs asked = pairs(false);
      List<Outcome> now = asked.after;
      int flips = 0;
      int lost = 0;
      for (int i = 0; i < now.size(); i++) {
        boolean was = asked.before.get(i).judgement() == Judgement.RIGHT;
        boolean is = now.get(i).judgement() == Judgement.RIGHT;
        flips += is && !was ? 1 : 0;
        lost += was && !is ? 1 : 0;
      }
      return new Verdict.Intended(
          change.from(),
          change.approvals(),
          change.replaced().size(),
          change.added().size(),
          change.retired().size(),
          held.items.size(),
          held.items.isEmpty() ? null : mean(held.after),
          held.items.isEmpty() ? null : mean(held.before),
          now.size(),
          intended == null ? 0 : intended.right,
          requirement.intendedFloor(),
          intended == null ? 1 : intended.pValue(),
          intended != null && intended.broken(),
          flips,
          lost,
          FlipAnalysis.intended(change, asked.items, asked.before, now, true),
          FlipAnalysis.intended(change, asked.items, asked.before, now, false));
    }

    Verdict.OfCapability verdict() {
      double candidateScore = mean(after);
      Double referenceScore = reference == null ? null : mean(before);
      Pairs compared = pairs(true);
      Interval interval = candidateInterval();
      return new Verdict.OfCapability(
          requirement.capability(),
          requirement.suite().digest(),
          requirement.scorer().kind(),
          requirement.margin(),
          requirement.floor(),
          alpha,
          decision,
          reason(candidateScore, referenceScore, compared),
          settled() ? decidedAt : items.size(),
          items.size(),
          usable,
          candidateScore,
          referenceScore,
          interval.lower(),
          interval.upper(),
          Verdict.Course.of(nonInferiority),
          Verdict.Course.of(floor),
          moreItems(),
          fixedSample(compared),
          slices.values().stream()
              .map(
                  s ->
                      new Verdict.OfSlice(
                          s.tag,
                          s.value,
                          s.items,
                          s.items == 0 ? 0 : s.candidate / s.items,
                          s.items == 0 ? 0 : s.reference / s.items,
                          s.pValue(),
                          s.collapsed))
              .toList(),
          reference == null
              ? new Verdict.Flips(0, 0, List.of(), List.of())
              : FlipAnalysis.of(compared.items, compared.before, compared.after),
          (int) after.stream().filter(o -> o.judgement() == Judgement.UNDECIDABLE).count(),
          contaminated,
          searched,
          noise,
          items.isEmpty() ? 0 : seconds / next,
          intended());
    }

    private Interval candidateInterval() {
      FloorTest scores =
          FloorTest.planned(
              requirement.floor() == null ? 0.5 : requirement.floor(),
              alpha / 2,
              Math.max(1, usable));
      for (Outcome outcome : after) {
        if (outcome.judgement() == Judgement.UNDECIDABLE) {
          scores.observeWithin(0, 1);
        } else {
          scores.observe(outcome.score());
        }
      }
      return after.isEmpty() ? new Interval(0, 1, 1 - alpha) : scores.interval();
    }

    private @Nullable Integer moreItems() {
      if (settled()) {
        return null;
      }
      long more = 0;
      for (dev.cambium.stats.SequentialTest test :
          new dev.cambium.stats.@Nullable SequentialTest[] {nonInferiority, floor}) {
        if (test != null) {
          OptionalLong needed = test.itemsToDecide();
          if (needed.isEmpty()) {
            return null;
          }
          more = Math.max(more, needed.getAsLong());
        }
      }
      return (int) Math.min(more, Integer.MAX_VALUE);
    }

    private Verdict.@Nullable FixedSample fixedSample(Pairs compared) {
      if (items.isEmpty()) {
        return null;
      }
      int right = (int) after.stream().filter(o -> o.judgement() == Judgement.RIGHT).count();
      Interval wilson = Wilson.interval(right, items.size(), COMPANION_LEVEL);
      if (reference == null || compared.items.isEmpty()) {
        return new Verdict.FixedSample(null, wilson.lower(), wilson.upper(), null, null);
      }
      int worse = 0;
      int better = 0;
      double[] differences = new double[compared.items.size()];
      for (int i = 0; i < differences.length; i++) {
        boolean was = compared.before.get(i).judgement() == Judgement.RIGHT;
        boolean is = compared.after.get(i).judgement() == Judgement.RIGHT;
        worse += was && !is ? 1 : 0;
        better += !was && is ? 1 : 0;
        differences[i] = compared.after.get(i).score() - compared.before.get(i).score();
      }
      Interval difference =
          PairedBootstrap.of(differences, BOOTSTRAP_DRAWS, 1L).percentile(COMPANION_LEVEL);
      return new Verdict.FixedSample(
          requirement.scorer().kind().isLikelihood() ? null : new McNemar(worse, better).twoSided(),
          wilson.lower(),
          wilson.upper(),
          difference.lower(),
          difference.upper());
    }

    private String reason(double candidateScore, @Nullable Double referenceScore, Pairs compared) {
      String scores =
          referenceScore == null
              ? String.format(Locale.ROOT, "%.3f", candidateScore)
              : String.format(Locale.ROOT, "%.3f, before %.3f", candidateScore, referenceScore);
      if (intended != null && intended.items() > 0) {
        scores =
            compared.items.isEmpty()
                ? intended.standing()
                : String.format(
                    Locale.ROOT,
                    "%.3f, before %.3f on %d items that still hold; %s",
                    mean(compared.after),
                    mean(compared.before),
                    compared.items.size(),
                    intended.standing());
      }
      String reason = reasonFrom(scores);
      return requirement.remark() == null || decision == Decision.PASS
          ? reason
          : reason + "; " + requirement.remark();
    }

    private String reasonFrom(String scores) {
      switch (decision) {
        case PASS:
          return String.format(
              Locale.ROOT,
              "%s; %s after %d items",
              scores,
              nonInferiority == null
                  ? "above the floor of " + requirement.floor()
                  : "not worse by the margin of " + requirement.margin(),
              decidedAt);
        case FAIL:
          List<String> collapsed =
              slices.values().stream().filter(t -> t.collapsed).map(SliceTrial::fall).toList();
          String what =
              nonInferiority != null && nonInferiority.finding() == Finding.BROKEN
                  ? "worse by more than the margin of " + requirement.margin()
                  : floor != null && floor.finding() == Finding.BROKEN
                      ? "below the floor of " + requirement.floor()
                      : intended != null && intended.broken()
                          ? "what the changed suite asks for is not known"
                          : "";
          List<String> parts = new ArrayList<>();
          parts.add(scores);
          if (!what.isEmpty()) {
            parts.add(what);
          }
          parts.addAll(collapsed);
          return String.join("; ", parts);
        case INCONCLUSIVE:
          break;
      }
      if (items.isEmpty() && next > 0) {
        return "every item of the suite is in the training data; nothing is left to measure by";
      }
      if (nonInferiority == null && floor == null && revision != null) {
        return "every item was replaced, so nothing can be compared; give the capability a floor";
      }
      if (nonInferiority == null && floor == null) {
        return "a first release has nothing to be compared with; give the capability a floor";
      }
      if (items.isEmpty()) {
        return "not evaluated, because another capability failed first";
      }
      List<String> suspicious =
          judgedSlices().stream().filter(SliceTrial::suspicious).map(SliceTrial::fall).toList();
      if (suspicious.isEmpty() && intended != null && intended.suspicious()) {
        return scores + "; too few right, and too few items to be sure";
      }
      if (!suspicious.isEmpty()) {
        return scores + "; " + String.join("; ", suspicious) + ", too few to be sure";
      }
      Integer more = moreItems();
      return scores
          + "; undecided after "
          + items.size()
          + " items; "
          + (more == null
              ? "no number of items would decide at this rate"
              : more == 0
                  ? "a slice has not been seen often enough"
                  : "about " + more + " more would decide at this rate");
    }

    private static double mean(List<Outcome> outcomes) {
      return outcomes.stream().mapToDouble(Outcome::score).average().orElse(0);
    }
  }
}
