package dev.cambium.bench.fire;

import dev.cambium.artifact.IntegrityException;
import dev.cambium.ledger.VerificationReport;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.model.Action;
import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.Progress;
import dev.cambium.model.Record;
import dev.cambium.model.VersionRef;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads the log from its beginning, without the ledger's own bookkeeping, and judges it. */
final class Invariants {

  private final Cambium cambium;
  private final List<Told> told;
  private final List<Violation> violations = new ArrayList<>();

  private final Map<VersionRef, Fact.VersionRegistered> versions = new HashMap<>();
  private final Map<String, VersionRef> stable = new HashMap<>();
  private final Set<Fact.VerdictReached> verdicts = new HashSet<>();

  /** Manifests that a line's rollback left, with the record of the rollback. */
  private final Map<String, Map<Digest, Long>> left = new HashMap<>();

  /** The newest signal for each line. */
  private final Map<String, Long> signalled = new HashMap<>();

  private Invariants(Cambium cambium, List<Told> told) {
    this.cambium = cambium;
    this.told = told;
  }

  /** All that does not hold; an ecosystem whose log cannot be read breaks its invariant, too. */
  static List<Violation> check(Cambium cambium, List<Told> told) {
    Invariants invariants = new Invariants(cambium, told);
    invariants.run();
    return invariants.violations;
  }

  private void run() {
    List<Record> log = cambium.state().records(0, Integer.MAX_VALUE);
    log.forEach(this::follow);
    cambium
        .state()
        .allAt(Channel.STABLE)
        .forEach(
            (line, ref) ->
                require(
                    ref.equals(stable.get(line)),
                    Invariant.ONE_STABLE_VERSION,
                    line + " is at " + ref + ", its last move went to " + stable.get(line)));
    require(
        cambium.state().allAt(Channel.STABLE).keySet().equals(stable.keySet()),
        Invariant.ONE_STABLE_VERSION,
        "lines that are stable: " + stable.keySet());
    versions.values().forEach(this::pinned);
    artifacts(log);
    VerificationReport report = cambium.verify(Progress.NONE);
    report.findings().stream()
        .filter(f -> !f.subject().equals("artifact"))
        .forEach(f -> violated(Invariant.PROJECTIONS_REPLAY, f.toString()));
    told.forEach(t -> once(t, log));
  }

  private void require(boolean holds, Invariant invariant, String what) {
    if (!holds) {
      violated(invariant, what);
    }
  }

  private void violated(Invariant invariant, String what) {
    violations.add(new Violation(invariant, what));
  }

  private void follow(Record record) {
    Fact fact = record.fact();
    if (fact instanceof Fact.VersionRegistered registered) {
      VersionRef parent = registered.parent();
      require(
          parent == null || versions.containsKey(parent),
          Invariant.PARENT_PINNED,
          "record " + record.index() + ": " + registered.version() + " is on " + parent);
      versions.put(registered.version(), registered);
    } else if (fact instanceof Fact.VerdictReached reached) {
      verdicts.add(reached);
    } else if (fact instanceof Fact.SignalReceived received) {
      signalled.put(received.line(), record.index());
    } else if (fact instanceof Fact.ChannelMoved moved && moved.channel() == Channel.STABLE) {
      move(record, moved);
    }
  }

  private void move(Record record, Fact.ChannelMoved moved) {
    VersionRef to = moved.to();
    require(
        Objects.equals(moved.from(), stable.get(moved.line())),
        Invariant.ONE_STABLE_VERSION,
        String.format(
            "record %d moves %s from %s, where it was at %s",
            record.index(), moved.line(), moved.from(), stable.get(moved.line())));
    stable.put(moved.line(), to);
    Map<Digest, Long> leftThere = left.computeIfAbsent(moved.line(), l -> new HashMap<>());
    if (moved.movement() == Fact.Movement.ROLLBACK) {
      manifest(moved.from()).ifPresent(manifest -> leftThere.put(manifest, record.index()));
      return;
    }
    require(
        verdicts.stream()
            .anyMatch(
                v ->
                    v.candidate().equals(to)
                        && v.decision() == Decision.PASS
                        && v.evidence().equals(moved.evidence())),
        Invariant.NO_RELEASE_WITHOUT_PASS,
        "record " + record.index() + " releases " + to);
    Long since = manifest(to).map(leftThere::remove).orElse(null);
    if (since != null) {
      require(
          World.byHand(record.actor())
              || Fleet.lineage(moved.line()).stream()
                  .anyMatch(line -> signalled.getOrDefault(line, -1L) > since),
          Invariant.ROLLED_BACK_STAYS,
          String.format(
              "record %d by %s releases %s, which record %d had rolled back",
              record.index(), record.actor(), to, since));
    }
  }

  private java.util.Optional<Digest> manifest(@Nullable VersionRef ref) {
    return java.util.Optional.ofNullable(ref)
        .map(versions::get)
        .map(Fact.VersionRegistered::manifest);
  }

  private void pinned(Fact.VersionRegistered version) {
    VersionRef parent = version.parent();
    Digest expected = manifest(parent).orElse(null);
    try {
      Digest found = Json.read(cambium.store().bytes(version.manifest()), Manifest.class).parent();
      require(
          Objects.equals(found, expected),
          Invariant.PARENT_PINNED,
          String.format(
              "%s is recorded on %s (%s), its manifest is on %s",
              version.version(), parent, expected, found));
    } catch (IntegrityException e) {
      violated(Invariant.ARTIFACTS_THERE, version.version() + ": " + e.getMessage());
    }
  }

  /** What records name, what manifests name, and what the specifications of actions name. */
  private void artifacts(List<Record> log) {
    Set<Digest> reachable = new HashSet<>();
    for (Record record : log) {
      for (Digest artifact : record.fact().artifacts()) {
        reach(artifact, "record " + record.index(), reachable);
      }
      try {
        if (record.fact() instanceof Fact.VersionRegistered version) {
          for (FileEntry file :
              Json.read(cambium.store().bytes(version.manifest()), Manifest.class).files()) {
            reach(file.digest(), version.version() + " " + file.path(), reachable);
          }
        } else if (record.fact() instanceof Fact.ActionFinished finished) {
          Action action = Json.read(cambium.store().bytes(finished.spec()), Action.class);
          for (Digest input : action.inputs()) {
            reach(input, "input of " + finished.kind() + " in record " + record.index(), reachable);
          }
        } else if (record.fact() instanceof Fact.VerdictReached reached) {
          Json.read(cambium.store().bytes(reached.evidence()), Verdict.class);
        }
      } catch (IntegrityException e) {
        violated(Invariant.ARTIFACTS_THERE, "record " + record.index() + ": " + e.getMessage());
      }
    }
  }

  private void reach(Digest artifact, String from, Set<Digest> reached) {
    if (reached.add(artifact)) {
      try {
        cambium.store().verify(artifact);
      } catch (IntegrityException e) {
        violated(Invariant.ARTIFACTS_THERE, from + ": " + e.getMessage());
      }
    }
  }

  private void once(Told command, List<Record> log) {
    for (Told.Claim claim : command.claims()) {
      long count = log.stream().filter(claim.is()).count();
      require(
          count == 1,
          Invariant.COMMANDS_ONCE,
          command.actor() + ": " + claim.what() + " is in the log " + count + " times");
    }
    long signals =
        log.stream()
            .filter(r -> r.actor().equals(command.actor()))
            .filter(r -> r.fact() instanceof Fact.SignalReceived)
            .count();
    boolean told =
        command.ending() == Told.Ending.FAILED && command.command().deed() != History.Deed.UPGRADE;
    require(
        signals <= (told ? 0 : 1),
        Invariant.COMMANDS_ONCE,
        command.actor() + " ended as " + command.ending() + " with " + signals + " signals");
    boolean moved =
        log.stream()
            .anyMatch(
                r ->
                    r.actor().equals(command.actor())
                        && r.fact() instanceof Fact.ChannelMoved m
                        && m.movement() == Fact.Movement.ROLLBACK);
    require(
        !(moved && told),
        Invariant.COMMANDS_ONCE,
        command.actor() + " failed, but its rollback is in the log");
  }
}
