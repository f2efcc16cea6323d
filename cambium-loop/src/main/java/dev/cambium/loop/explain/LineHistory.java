package dev.cambium.loop.explain;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.ledger.LedgerState;
import dev.cambium.ledger.Recorded;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.loop.governor.Choice;
import dev.cambium.loop.headroom.Headroom;
import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Telemetry;
import dev.cambium.model.VersionRef;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A line over its versions: what was measured of each, as its newest verdict tells it.
 *
 * @param line its name
 * @param versions the oldest first
 */
public record LineHistory(String line, List<OfVersion> versions) {

  public LineHistory {
    versions = List.copyOf(versions);
  }

  /**
   * One version.
   *
   * @param time when it was made or imported
   * @param released whether it ever was stable
   * @param decision of its newest verdict; none if it was never judged
   * @param headroom how well it learnt, and against what floor; none if that was not measured
   * @param scores of each capability of its contract that was evaluated
   * @param telemetry of the training that made it, at its end; none if no training did
   * @param update how the update that made it was chosen; none if no update of its line did
   */
  public record OfVersion(
      VersionRef version,
      Instant time,
      boolean released,
      @Nullable Decision decision,
      Verdict.@Nullable OfHeadroom headroom,
      Map<String, Score> scores,
      Telemetry.@Nullable Point telemetry,
      @Nullable Choice update) {

    public OfVersion {
      scores = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(scores));
    }

    /** The measured headroom, if there is one. */
    public Optional<Headroom> measured() {
      return Optional.ofNullable(headroom).map(Verdict.OfHeadroom::measured);
    }
  }

  /** A mean score with the gate's interval. */
  public record Score(double score, double low, double high) {}

  /**
   * Reads the history of a line.
   *
   * @param trainings what trainings told of the versions that they made
   * @throws IllegalArgumentException if there is no version of it
   */
  public static LineHistory of(
      LedgerState state, ArtifactStore store, TelemetryHistory trainings, String line) {
    List<Recorded<Fact.VersionRegistered>> versions = state.versions(line);
    if (versions.isEmpty()) {
      throw new IllegalArgumentException(
          "no version of '" + line + "'; `cambium status` lists the lines");
    }
    Set<VersionRef> stable = new HashSet<>();
    state.channelHistory(line, Channel.STABLE).forEach(move -> stable.add(move.fact().to()));
    Decisions decisions = new Decisions(state, store);
    Map<Digest, Verdict> read = new HashMap<>();
    List<OfVersion> found = new ArrayList<>();
    for (Recorded<Fact.VersionRegistered> version : versions) {
      VersionRef ref = version.fact().version();
      Verdict newest = null;
      for (Recorded<Fact.VerdictReached> verdict : state.verdicts(ref)) {
        newest =
            read.computeIfAbsent(
                verdict.fact().evidence(), e -> Json.read(store.bytes(e), Verdict.class));
      }
      found.add(
          new OfVersion(
              ref,
              version.time(),
              stable.contains(ref),
              newest == null ? null : newest.decision(),
              newest == null ? null : newest.headroom(),
              newest == null ? Map.of() : scores(newest),
              trainings.telemetry(version.fact()).map(LineHistory::last).orElse(null),
              decisions.of(ref).orElse(null)));
    }
    return new LineHistory(line, found);
  }

  private static Telemetry.@Nullable Point last(Telemetry telemetry) {
    List<Telemetry.Point> points = telemetry.points();
    return points.isEmpty() ? null : points.get(points.size() - 1);
  }

  private static Map<String, Score> scores(Verdict verdict) {
    Map<String, Score> scores = new LinkedHashMap<>();
    for (Verdict.OfCapability capability : verdict.capabilities()) {
      if (capability.evaluated() > 0) {
        scores.put(
            capability.capability(),
            new Score(capability.candidateScore(), capability.low(), capability.high()));
      }
    }
    return scores;
  }

  /**
   * The headroom that a version was found to have by its newest verdict that measured it.
   *
   * @return none if it was not measured
   */
  public static Optional<Headroom> headroom(
      LedgerState state, ArtifactStore store, VersionRef version) {
    List<Recorded<Fact.VerdictReached>> verdicts = state.verdicts(version);
    for (int i = verdicts.size() - 1; i >= 0; i--) {
      Verdict.OfHeadroom found =
          Json.read(store.bytes(verdicts.get(i).fact().evidence()), Verdict.class).headroom();
      if (found != null && found.measured() != null) {
        return Optional.of(found.measured());
      }
    }
    return Optional.empty();
  }

  /**
   * The headroom that was measured last in a line: its stable version's or, where that was not
   * measured, the newest one's that was.
   *
   * @return none if nothing was measured in it
   */
  public static Optional<Headroom> lastHeadroom(
      LedgerState state, ArtifactStore store, String line) {
    Optional<Headroom> stable =
        state.channel(line, Channel.STABLE).flatMap(ref -> headroom(state, store, ref));
    if (stable.isPresent()) {
      return stable;
    }
    List<Recorded<Fact.VersionRegistered>> versions = state.versions(line);
    for (int i = versions.size() - 1; i >= 0; i--) {
      Optional<Headroom> found = headroom(state, store, versions.get(i).fact().version());
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }
}
