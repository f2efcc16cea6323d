package dev.cambium.loop.explain;

import com.fasterxml.jackson.databind.JsonNode;
import dev.cambium.artifact.ArtifactStore;
import dev.cambium.ledger.LedgerState;
import dev.cambium.ledger.Recorded;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.loop.governor.Instruments;
import dev.cambium.loop.governor.Mode;
import dev.cambium.loop.governor.Readings;
import dev.cambium.model.Action;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.Recipe;
import dev.cambium.model.Telemetry;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads from the records what the governor asks for. */
public final class Gauges implements Instruments {

  private static final String ADAPTER = "adapter_config.json";

  private final LedgerState state;
  private final ArtifactStore store;
  private final TelemetryHistory telemetry;
  private final Decisions decisions;

  public Gauges(LedgerState state, ArtifactStore store, TelemetryHistory telemetry) {
    this.state = state;
    this.store = store;
    this.telemetry = telemetry;
    this.decisions = new Decisions(state, store);
  }

  @Override
  public Readings read(Recipe recipe, Fact.VersionRegistered stable) {
    long steps = 0;
    double seconds = 0;
    for (Recorded<Fact.VersionRegistered> version : state.versions(stable.version().line())) {
      Optional<Training> training = training(version.fact());
      steps += training.map(Training::steps).orElse(0);
      seconds += training.map(Training::seconds).orElse(0.0);
    }
    Room room = room(stable.version());
    Signs signs = signs(stable.version());
    return new Readings(
        headroom(stable.version()),
        signs.rank(),
        signs.growth(),
        signs.dormant(),
        signs.overlap(),
        room == null ? null : room.points(),
        room == null ? null : room.capability(),
        stack(recipe, stable),
        updates(stable),
        steps,
        seconds);
  }

  /**
   * The headroom of a line's stable version or, where an update of it was measured to have less, of
   * the newest one: that is what the next update in the same way would come to.
   */
  private Readings.@Nullable Estimate headroom(VersionRef stable) {
    Optional<Readings.Estimate> own = estimate(stable);
    Optional<Readings.Estimate> tried =
        state.versions(stable.line()).stream()
            .map(Recorded::fact)
            .filter(version -> stable.equals(version.predecessor()))
            .flatMap(version -> estimate(version.version()).stream())
            .reduce((first, last) -> last);
    if (own.isEmpty() || tried.isEmpty()) {
      return own.or(() -> tried).orElse(null);
    }
    return tried.get().point() < own.get().point() ? tried.get() : own.get();
  }

  private Optional<Readings.Estimate> estimate(VersionRef version) {
    return LineHistory.headroom(state, store, version)
        .map(
            measured ->
                new Readings.Estimate(
                    measured.point(), measured.lower(), measured.upper(), version.toString()));
  }

  private record Signs(
      @Nullable Double rank,
      @Nullable Double growth,
      @Nullable Double dormant,
      @Nullable Double overlap) {
    static final Signs NONE = new Signs(null, null, null, null);
  }

  /**
   * The telemetry of a version, against that of the line's first training with the same matrices.
   */
  private Signs signs(VersionRef stable) {
    TelemetryHistory.OfVersion now = telemetry.of(stable).orElse(null);
    if (now == null || now.telemetry().points().isEmpty()) {
      return Signs.NONE;
    }
    List<Telemetry.Point> points = now.telemetry().points();
    Telemetry.Point last = points.get(points.size() - 1);
    Telemetry.Point first =
        state.versions(stable.line()).stream()
            .map(version -> telemetry.of(version.fact().version()))
            .flatMap(Optional::stream)
            .map(TelemetryHistory.OfVersion::telemetry)
            .filter(earlier -> earlier.matrices().equals(now.telemetry().matrices()))
            .filter(earlier -> !earlier.points().isEmpty())
            .map(earlier -> earlier.points().get(0))
            .findFirst()
            .orElse(points.get(0));
    return new Signs(
        ratio(last.weights().effective(), first.weights().effective()),
        ratio(last.weightNorm(), first.weightNorm()),
        last.dormant(),
        now.overlaps().stream()
            .filter(overlap -> overlap.chance() < 1)
            .map(overlap -> (overlap.shared() - overlap.chance()) / (1 - overlap.chance()))
            .reduce(Math::max)
            .orElse(null));
  }

  private static @Nullable Double ratio(double now, double then) {
    return then > 0 ? now / then : null;
  }

  private record Training(int steps, double seconds) {}

  /** The training that made a version, if one did. */
  private Optional<Training> training(Fact.VersionRegistered version) {
    return Optional.ofNullable(version.action())
        .flatMap(state::action)
        .flatMap(
            done ->
                Json.read(store.bytes(done.fact().spec()), Action.class)
                        instanceof Action.Train train
                    ? Optional.of(new Training(train.recipe().steps(), done.fact().seconds()))
                    : Optional.empty());
  }

  /** Trainings that a version has behind it, to where its line began or began anew. */
  private int updates(Fact.VersionRegistered stable) {
    int updates = 0;
    for (Fact.VersionRegistered at = stable; ; ) {
      updates += training(at).isPresent() ? 1 : 0;
      boolean anew =
          decisions.of(at.version()).filter(choice -> choice.mode() == Mode.REBASE).isPresent();
      VersionRef before = at.predecessor();
      if (anew || before == null) {
        return updates;
      }
      at = state.version(before).orElseThrow().fact();
    }
  }

  private record Room(String capability, double points) {}

  /** The capability that is nearest to what the verdict on a version asked for at least. */
  private @Nullable Room room(VersionRef version) {
    Verdict passed =
        state.verdicts(version).stream()
            .filter(verdict -> verdict.fact().decision() == Decision.PASS)
            .reduce((first, last) -> last)
            .map(verdict -> Json.read(store.bytes(verdict.fact().evidence()), Verdict.class))
            .orElse(null);
    if (passed == null) {
      return null;
    }
    Room least = null;
    for (Verdict.OfCapability capability : passed.capabilities()) {
      double points = points(capability);
      if (capability.evaluated() > 0 && (least == null || points < least.points())) {
        least = new Room(capability.capability(), points);
      }
    }
    return least == null || Double.isInfinite(least.points()) ? null : least;
  }

  private static double points(Verdict.OfCapability capability) {
    double points = Double.POSITIVE_INFINITY;
    if (capability.floor() != null) {
      points = capability.candidateScore() - capability.floor();
    }
    Verdict.Intended intended = capability.intended();
    Double now =
        intended == null
            ? Double.valueOf(capability.candidateScore())
            : intended.comparedCandidate();
    Double then = intended == null ? capability.referenceScore() : intended.comparedReference();
    if (now != null && then != null) {
      points = Math.min(points, now - then + capability.margin());
    }
    return points;
  }

  /** An adapter's rank relative to its recipe's; none where there is no adapter. */
  private @Nullable Double stack(Recipe recipe, Fact.VersionRegistered stable) {
    if (recipe.lora() == null) {
      return null;
    }
    Digest config =
        Json.read(store.bytes(stable.manifest()), Manifest.class)
            .file(ADAPTER)
            .map(FileEntry::digest)
            .orElse(null);
    if (config == null) {
      return null;
    }
    try {
      JsonNode rank = Json.mapper().readTree(store.bytes(config)).path("r");
      return rank.isInt() ? rank.intValue() / (double) recipe.lora().rank() : null;
    } catch (IOException e) {
      throw new UncheckedIOException(ADAPTER + " of " + stable.version(), e);
    }
  }
}
