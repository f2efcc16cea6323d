package dev.cambium.loop.campaign;

import dev.cambium.ledger.LedgerState;
import dev.cambium.ledger.Recorded;
import dev.cambium.loop.action.ActionFailedException;
import dev.cambium.loop.data.Overlap;
import dev.cambium.loop.data.OverlapCheck;
import dev.cambium.loop.data.RowFile;
import dev.cambium.loop.data.SearchItems;
import dev.cambium.loop.declaration.CapabilityDeclaration;
import dev.cambium.loop.declaration.Contract;
import dev.cambium.loop.declaration.Declaration;
import dev.cambium.loop.declaration.HeadroomPolicy;
import dev.cambium.loop.declaration.SlicePolicy;
import dev.cambium.loop.gate.Evaluations;
import dev.cambium.loop.gate.Gate;
import dev.cambium.loop.gate.Requirement;
import dev.cambium.loop.gate.Revision;
import dev.cambium.loop.gate.Suite;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.loop.headroom.HeadroomProbe;
import dev.cambium.loop.plan.PromptHistory;
import dev.cambium.model.Application;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Item;
import dev.cambium.model.Json;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Brings a version before the gate of its line's contract, and records the verdict. Safe for use by
 * many threads.
 */
public final class Judge {

  private final Workspace workspace;
  private final Evaluations evaluations;
  private final Gate gate;
  private final Map<Digest, Suite> suites = new ConcurrentHashMap<>();
  private final Map<String, Set<String>> overlaps = new ConcurrentHashMap<>();

  public Judge(Workspace workspace) {
    this.workspace = workspace;
    this.evaluations = new Evaluations(workspace.actions(), workspace.store());
    this.gate =
        new Gate(
            evaluations,
            workspace.declaration().policy().alpha(),
            workspace.declaration().policy().chunk());
  }

  /**
   * A verdict with its place in the store.
   *
   * @param evidence artifact of the verdict
   */
  public record Judged(Verdict verdict, Digest evidence) {}

  /** Outcomes, piece by piece. */
  public Evaluations evaluations() {
    return evaluations;
  }

  /** The suite that measures a capability now. */
  public Suite suite(String capability) {
    Digest digest =
        workspace.ledger().state().ecosystem().orElseThrow().fact().suites().get(capability);
    if (digest == null) {
      throw new IllegalArgumentException("no capability '" + capability + "' in ecosystem.yaml");
    }
    return suite(digest);
  }

  private Suite suite(Digest digest) {
    return suites.computeIfAbsent(digest, d -> Suite.read(workspace.store().bytes(d)));
  }

  /**
   * How the suite of a capability has changed since a version was let pass by it; none if it has
   * not.
   */
  private @Nullable Revision revision(String capability, VersionRef reference) {
    LedgerState state = workspace.ledger().state();
    long passed =
        state.verdicts(reference).stream()
            .filter(verdict -> verdict.fact().decision() == Decision.PASS)
            .reduce((first, last) -> last)
            .map(Recorded::index)
            .orElseGet(() -> state.version(reference).orElseThrow().index());
    Digest then =
        state.ecosystemAt(passed).map(found -> found.fact().suites().get(capability)).orElse(null);
    if (then == null || then.equals(suite(capability).digest())) {
      return null;
    }
    List<Revision.Step> steps = new ArrayList<>();
    Digest at = then;
    for (Recorded<Fact.EcosystemDeclared> declared : state.ecosystemsSince(passed)) {
      Digest next = declared.fact().suites().get(capability);
      if (next == null || next.equals(at)) {
        continue;
      }
      Fact.SuiteApproval approval = declared.fact().approved().get(capability);
      steps.add(
          new Revision.Step(
              suite(next),
              approval != null && approval.comparable(),
              approval == null
                  ? null
                  : new Verdict.Approval(declared.actor(), approval.reason(), declared.index())));
      at = next;
    }
    return Revision.of(suite(then), steps);
  }

  /** Whether a suite of a line's contract has changed since its version was let pass. */
  boolean revised(VersionRef version) {
    return workspace.declaration().contract(version.line()).capabilities().stream()
        .anyMatch(capability -> revision(capability, version) != null);
  }

  /**
   * Judges a candidate against the version it would replace, and records it. A verdict that the
   * same campaign has already recorded is returned as it is.
   *
   * @param campaign in which; none for a judgement outside of campaigns
   */
  public Judged judge(
      VersionRef candidate,
      @Nullable VersionRef reference,
      @Nullable String campaign,
      Progress progress) {
    LedgerState state = workspace.ledger().state();
    if (campaign != null) {
      for (var recorded : state.verdicts(candidate)) {
        if (campaign.equals(recorded.fact().campaign())) {
          Digest evidence = recorded.fact().evidence();
          return new Judged(Json.read(workspace.store().bytes(evidence), Verdict.class), evidence);
        }
      }
    }
    Contract contract = workspace.declaration().contract(candidate.line());
    Verdict verdict =
        gate.judge(
            subject(candidate),
            reference == null ? null : subject(reference),
            requirements(contract, candidate, reference),
            new Gate.Budgets(contract.budgets().maxSizeMb(), contract.budgets().maxMsPerItem()),
            contaminated(contract, candidate, reference),
            headroom(candidate, contract, progress),
            progress);
    return record(verdict, campaign);
  }

  /** Records a verdict that was reached without running anything. */
  Judged record(Verdict verdict, @Nullable String campaign) {
    Digest evidence = workspace.store().put(Json.canonical(verdict));
    workspace
        .ledger()
        .append(
            workspace.actor(),
            List.of(
                new Fact.VerdictReached(
                    verdict.candidate(),
                    verdict.reference(),
                    verdict.decision(),
                    evidence,
                    campaign,
                    score(verdict))),
            List.of());
    return new Judged(verdict, evidence);
  }

  /** What was measured, or what was inherited instead of measuring. */
  private @Nullable Double score(Verdict verdict) {
    OptionalDouble measured = verdict.measured();
    VersionRef reference = verdict.reference();
    if (measured.isPresent() || verdict.inherited() == null || reference == null) {
      return measured.isPresent() ? measured.getAsDouble() : null;
    }
    return workspace.ledger().state().verdicts(reference).stream()
        .map(recorded -> recorded.fact().score())
        .filter(Objects::nonNull)
        .reduce((first, last) -> last)
        .orElse(null);
  }

  /** A first release that nothing measures, accepted by a person; recorded as such. */
  public Judged waive(VersionRef candidate, String reason) {
    if (!workspace.declaration().contract(candidate.line()).capabilities().isEmpty()) {
      throw new IllegalArgumentException(
          candidate.line() + " has a contract; it is measured, not waived");
    }
    return record(
        new Verdict(
            candidate,
            null,
            Decision.PASS,
            "accepted without a measurement by " + workspace.actor() + ": " + reason,
            List.of(),
            List.of(),
            null,
            new Verdict.Waiver(workspace.actor(), reason)),
        null);
  }

  private Gate.Subject subject(VersionRef ref) {
    Digest manifest = workspace.ledger().state().version(ref).orElseThrow().fact().manifest();
    return new Gate.Subject(ref, manifest, workspace.versions().manifest(manifest).size());
  }

  /** What a contract that asks for headroom gets to see; none for applications and foundations. */
  private Verdict.@Nullable OfHeadroom headroom(
      VersionRef candidate, Contract contract, Progress progress) {
    HeadroomPolicy policy = contract.headroom();
    Declaration declaration = workspace.declaration();
    if (policy == null
        || !policy.on()
        || declaration.line(candidate.line()).tier() == Tier.APPLICATION) {
      return null;
    }
    HeadroomProbe probe =
        new HeadroomProbe(
            workspace.actions(),
            workspace.store(),
            workspace.ledger(),
            declaration.policy().seed());
    try {
      return probe
          .measure(
              candidate,
              policy,
              declaration
                  .recipe(candidate.line())
                  .map(Recipe::precision)
                  .orElse(Recipe.Precision.FP32),
              1 - 2 * declaration.policy().alpha(), // so that its lower end is wrong at alpha
              progress)
          .map(measured -> Verdict.OfHeadroom.of(policy.floor(), measured))
          .orElse(null);
    } catch (ActionFailedException e) {
      return Verdict.OfHeadroom.failed(policy.floor(), String.valueOf(e.getMessage()));
    }
  }

  private List<Requirement> requirements(
      Contract contract, VersionRef candidate, @Nullable VersionRef reference) {
    List<Requirement> requirements = new ArrayList<>();
    List<Item> searched = new ArrayList<>(searched(candidate));
    if (reference != null) {
      searched.addAll(searched(reference));
    }
    Set<String> pending =
        workspace.ledger().state().ecosystem().orElseThrow().fact().pending().keySet();
    for (String name : contract.capabilities()) {
      CapabilityDeclaration capability = workspace.declaration().capability(name);
      SlicePolicy slices = capability.slices();
      requirements.add(
          new Requirement(
              name,
              suite(name),
              capability.scorer(),
              capability.margin(),
              capability.floor() > 0 && capability.floor() < 1 ? capability.floor() : null,
              slices == null ? List.of() : slices.by(),
              slices == null ? SlicePolicy.DEFAULT_MARGIN : slices.margin(),
              slices == null ? SlicePolicy.DEFAULT_MIN_ITEMS : slices.minItems(),
              reference == null ? null : revision(name, reference),
              SearchItems.asking(searched, suite(name).items()),
              pending.contains(name)
                  ? capability.suite()
                      + " was changed and nobody has approved that, so what counts is how it was;"
                      + " see `cambium suite "
                      + name
                      + "`"
                  : null));
    }
    return requirements;
  }

  /** The items that a version's wording was chosen by. */
  private List<Item> searched(VersionRef version) {
    return PromptHistory.of(
            workspace.ledger().state(), workspace.store(), workspace.registered(version))
        .stream()
        .flatMap(search -> search.parts().stream())
        .flatMap(part -> suite(part.suite()).items().stream())
        .toList();
  }

  /** What a version of an application says; none for a model. */
  private Optional<Application> application(VersionRef version) {
    return workspace.versions().application(workspace.registered(version).manifest());
  }

  private Map<String, Set<String>> contaminated(
      Contract contract, VersionRef candidate, @Nullable VersionRef reference) {
    Set<Digest> data = new LinkedHashSet<>(seen(candidate));
    if (reference != null) {
      data.addAll(seen(reference));
    }
    Map<String, Set<String>> found = new HashMap<>();
    for (String capability : contract.capabilities()) {
      Suite suite = suite(capability);
      Set<String> items = new HashSet<>();
      for (Digest digest : data) {
        items.addAll(
            overlaps.computeIfAbsent(
                digest + " " + suite.digest(),
                key -> {
                  Set<String> overlap = new HashSet<>();
                  for (Overlap one :
                      OverlapCheck.find(
                          RowFile.decode(workspace.store().bytes(digest)), suite.items())) {
                    overlap.add(one.item());
                  }
                  return overlap;
                }));
      }
      application(candidate)
          .ifPresent(said -> items.addAll(SearchItems.shown(said, suite.items())));
      if (reference != null) {
        application(reference)
            .ifPresent(said -> items.addAll(SearchItems.shown(said, suite.items())));
      }
      found.put(capability, items);
    }
    return found;
  }

  /** All data that a version has learnt from, itself or through what it is built on. */
  private Set<Digest> seen(VersionRef version) {
    Set<Digest> data = new LinkedHashSet<>();
    LedgerState state = workspace.ledger().state();
    for (@Nullable VersionRef current = version; current != null; ) {
      Fact.VersionRegistered fact = state.version(current).orElseThrow().fact();
      data.addAll(fact.data());
      current = fact.parent();
    }
    return data;
  }
}
