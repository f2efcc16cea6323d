package dev.cambium.loop.explain;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.ledger.LedgerState;
import dev.cambium.ledger.Recorded;
import dev.cambium.loop.action.ActionRunner;
import dev.cambium.loop.gate.Suite;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Item;
import dev.cambium.model.Json;
import dev.cambium.model.Outcome;
import dev.cambium.model.VersionRef;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Every item's outcome of every verdict, from the evaluations that the ledger recorded before it.
 *
 * <p>A verdict says how many items of which suite it looked at and what the mean scores were. The
 * evaluations of a version on that suite are records of their own, a range of items each; some
 * ranges overlap (a noise floor reads the reference's first items again), and a suite may have been
 * evaluated with other settings of its scorer. What belongs together is found by laying ranges end
 * to end and comparing the mean score with the verdict's.
 */
public final class ItemOutcomes {

  /** Ways to lay ranges end to end that are tried before giving up. */
  private static final int TRIES = 256;

  /** Means of the same outcomes differ by rounding only. */
  private static final double SAME = 1e-9;

  private final LedgerState state;
  private final ArtifactStore store;
  private final Map<Digest, Suite> suites = new HashMap<>();
  private @Nullable Map<Subject, List<Run>> runs;

  public ItemOutcomes(LedgerState state, ArtifactStore store) {
    this.state = state;
    this.store = store;
  }

  /**
   * One verdict with its items.
   *
   * @param record of the verdict
   * @param verdict what was decided
   * @param capabilities each that was evaluated; empty where the parent's evidence was inherited or
   *     a person's word stands for it
   */
  public record OfVerdict(long record, Verdict verdict, List<OfCapability> capabilities) {
    public OfVerdict {
      capabilities = List.copyOf(capabilities);
    }
  }

  /**
   * One capability's items, in the order in which the gate looked at them.
   *
   * @param agrees whether the outcomes that were found give the mean scores that the verdict names;
   *     if not, {@code items} are the best that the records have
   */
  public record OfCapability(String capability, Digest suite, boolean agrees, List<OfItem> items) {
    public OfCapability {
      items = List.copyOf(items);
    }
  }

  /**
   * One item.
   *
   * @param leftOut whether training data contained it, so that the verdict does not count it
   * @param candidate what the version judged did; none if no record has it
   * @param candidateRecord the evaluation that says so
   * @param reference what the version did that it was compared with; none without one
   * @param referenceRecord likewise
   */
  public record OfItem(
      Item item,
      boolean leftOut,
      @Nullable Outcome candidate,
      @Nullable Long candidateRecord,
      @Nullable Outcome reference,
      @Nullable Long referenceRecord) {}

  private record Subject(Digest version, Digest suite) {}

  private record Run(long record, Action.Evaluate action, Digest outcomes) {}

  private record Found(boolean agrees, Map<String, Outcome> outcomes, Map<String, Long> records) {}

  /** Every verdict on a version, in the order in which they were reached. */
  public List<OfVerdict> of(VersionRef version) {
    return state.verdicts(version).stream().map(this::of).toList();
  }

  private OfVerdict of(Recorded<Fact.VerdictReached> recorded) {
    Verdict verdict = Json.read(store.bytes(recorded.fact().evidence()), Verdict.class);
    List<OfCapability> capabilities = new ArrayList<>();
    for (Verdict.OfCapability capability : verdict.capabilities()) {
      capabilities.add(capability(recorded, verdict, capability));
    }
    return new OfVerdict(recorded.index(), verdict, capabilities);
  }

  private OfCapability capability(
      Recorded<Fact.VerdictReached> recorded, Verdict verdict, Verdict.OfCapability capability) {
    Suite suite =
        suites.computeIfAbsent(capability.suite(), digest -> Suite.read(store.bytes(digest)));
    Set<String> leftOut = new HashSet<>(capability.contaminated());
    leftOut.addAll(capability.searched());
    int looked = Math.min(capability.evaluated() + leftOut.size(), suite.items().size());
    List<Item> items = suite.items().subList(0, looked);
    Found now =
        find(
            recorded.index(),
            verdict.candidate(),
            capability,
            capability.candidateScore(),
            leftOut,
            looked);
    VersionRef reference = verdict.reference();
    Found then =
        reference == null
            ? new Found(true, Map.of(), Map.of())
            : find(
                recorded.index(),
                reference,
                capability,
                capability.referenceScore(),
                leftOut,
                looked);
    return new OfCapability(
        capability.capability(),
        capability.suite(),
        now.agrees() && then.agrees(),
        items.stream()
            .map(
                item ->
                    new OfItem(
                        item,
                        leftOut.contains(item.id()),
                        now.outcomes().get(item.id()),
                        now.records().get(item.id()),
                        then.outcomes().get(item.id()),
                        then.records().get(item.id())))
            .toList());
  }

  private Found find(
      long before,
      VersionRef version,
      Verdict.OfCapability capability,
      @Nullable Double mean,
      Set<String> leftOut,
      int looked) {
    if (looked == 0) {
      return new Found(true, Map.of(), Map.of()); // Not evaluated: another capability failed first.
    }
    Digest manifest = state.version(version).orElseThrow().fact().manifest();
    List<Run> candidates =
        runs().getOrDefault(new Subject(manifest, capability.suite()), List.of()).stream()
            .filter(run -> run.record() < before)
            .filter(run -> run.action().scorer().kind() == capability.scorer())
            .sorted(Comparator.comparingLong(Run::record).reversed())
            .toList();
    Search search = new Search(candidates, mean, leftOut, looked);
    search.extend(0, new ArrayList<>());
    return search.result();
  }

  /** Lays ranges end to end, newest first, until the mean is the verdict's. */
  private final class Search {

    private final List<Run> candidates;
    private final @Nullable Double mean;
    private final Set<String> leftOut;
    private final int looked;
    private final Map<Digest, List<Outcome>> read = new HashMap<>();
    private int tries;
    private @Nullable Found best;
    private int bestReach = -1;

    Search(List<Run> candidates, @Nullable Double mean, Set<String> leftOut, int looked) {
      this.candidates = candidates;
      this.mean = mean;
      this.leftOut = leftOut;
      this.looked = looked;
    }

    Found result() {
      return best == null ? new Found(false, Map.of(), Map.of()) : best;
    }

    /** Returns whether the search is over. */
    boolean extend(int from, List<Run> chain) {
      boolean extended = false;
      if (from < looked) {
        for (Run run : candidates) {
          Action.Evaluate action = run.action();
          if (action.from() == from
              && (chain.isEmpty() || chain.get(0).action().scorer().equals(action.scorer()))) {
            extended = true;
            chain.add(run);
            boolean over = extend(action.to(), chain);
            chain.remove(chain.size() - 1);
            if (over) {
              return true;
            }
          }
        }
      }
      return !extended && settle(from, chain);
    }

    private boolean settle(int reach, List<Run> chain) {
      Map<String, Outcome> outcomes = new HashMap<>();
      Map<String, Long> records = new HashMap<>();
      double sum = 0;
      int counted = 0;
      for (Run run : chain) {
        int position = run.action().from();
        for (Outcome outcome : read(run.outcomes())) {
          if (position++ < looked) {
            outcomes.put(outcome.item(), outcome);
            records.put(outcome.item(), run.record());
            if (!leftOut.contains(outcome.item())) {
              sum += outcome.score();
              counted++;
            }
          }
        }
      }
      boolean agrees =
          reach >= looked && mean != null && counted > 0 && Math.abs(sum / counted - mean) < SAME;
      if (agrees || reach > bestReach) {
        best = new Found(agrees, outcomes, records);
        bestReach = reach;
      }
      return agrees || ++tries >= TRIES;
    }

    private List<Outcome> read(Digest outcomes) {
      return read.computeIfAbsent(
          outcomes,
          digest ->
              new String(store.bytes(digest), StandardCharsets.UTF_8)
                  .lines()
                  .map(line -> Json.read(line.getBytes(StandardCharsets.UTF_8), Outcome.class))
                  .toList());
    }
  }

  private Map<Subject, List<Run>> runs() {
    Map<Subject, List<Run>> found = runs;
    if (found == null) {
      found = new HashMap<>();
      for (Recorded<Fact.ActionFinished> recorded : state.actions()) {
        Digest outcomes = recorded.fact().outputs().get(ActionRunner.OUTCOMES);
        if (outcomes != null
            && Json.read(store.bytes(recorded.fact().spec()), Action.class)
                instanceof Action.Evaluate action) {
          found
              .computeIfAbsent(
                  new Subject(action.version(), action.suite()), subject -> new ArrayList<>())
              .add(new Run(recorded.index(), action, outcomes));
        }
      }
      runs = found;
    }
    return found;
  }
}
