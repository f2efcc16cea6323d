package dev.cambium.loop.explain;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.engine.TrainingResult;
import dev.cambium.engine.training.UpdateSubspace;
import dev.cambium.ledger.LedgerState;
import dev.cambium.ledger.Recorded;
import dev.cambium.loop.action.ActionRunner;
import dev.cambium.loop.action.VersionFiles;
import dev.cambium.model.Action;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Telemetry;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The telemetry of versions, as their trainings recorded it, and how much their updates have in
 * common with earlier ones. A version that was imported, or carried without training, has none.
 */
public final class TelemetryHistory {

  /** Actions that are looked through for the one that made what another went on with. */
  private static final int RECENT = 256;

  private final LedgerState state;
  private final ArtifactStore store;
  private final VersionFiles files;
  private final Map<Digest, UpdateSubspace> subspaces = new HashMap<>();

  public TelemetryHistory(LedgerState state, ArtifactStore store, VersionFiles files) {
    this.state = state;
    this.store = store;
    this.files = files;
  }

  /**
   * One version's.
   *
   * @param telemetry of the training that made it
   * @param overlaps of its update with those of the versions that it was made from, the nearest
   *     first: predecessors of its line that were trained, too
   */
  public record OfVersion(VersionRef version, Telemetry telemetry, List<WithEarlier> overlaps) {
    public OfVersion {
      overlaps = List.copyOf(overlaps);
    }
  }

  /**
   * How much an update has in common with an earlier one; see {@link UpdateSubspace.Overlap}.
   *
   * @param shared of the directions that both acted on most, in [0, 1]
   * @param chance what random directions would share
   */
  public record WithEarlier(VersionRef earlier, double shared, double chance) {}

  /** The telemetry of a version; none if no training made it, or an earlier Cambium did. */
  public Optional<OfVersion> of(VersionRef version) {
    Fact.VersionRegistered fact = state.version(version).orElseThrow().fact();
    return training(fact)
        .flatMap(
            training ->
                report(training)
                    .map(telemetry -> new OfVersion(version, telemetry, overlaps(fact, training))));
  }

  /** What the training that made a version told, without how it compares with earlier ones. */
  Optional<Telemetry> telemetry(Fact.VersionRegistered version) {
    return training(version).flatMap(this::report);
  }

  private Optional<Telemetry> report(Fact.ActionFinished training) {
    return Optional.ofNullable(training.outputs().get(ActionRunner.TRAINING))
        .map(digest -> Json.read(store.bytes(digest), TrainingResult.class))
        .flatMap(result -> Optional.ofNullable(result.telemetry()));
  }

  /** The telemetry of all versions of a line that have one, in the order of their numbers. */
  public List<OfVersion> ofLine(String line) {
    return state.versions(line).stream()
        .map(version -> of(version.fact().version()))
        .flatMap(Optional::stream)
        .toList();
  }

  /** The training that made a version, perhaps with something done to its end. */
  private Optional<Fact.ActionFinished> training(Fact.VersionRegistered version) {
    return Optional.ofNullable(version.action())
        .flatMap(state::action)
        .map(Recorded::fact)
        .flatMap(this::training);
  }

  private Optional<Fact.ActionFinished> training(Fact.ActionFinished made) {
    if (made.outputs().containsKey(ActionRunner.TRAINING)) {
      return Optional.of(made);
    }
    Action action = Json.read(store.bytes(made.spec()), Action.class);
    if (action instanceof Action.Consolidate consolidate) {
      return maker(consolidate.adapter());
    }
    return action instanceof Action.Transplant between
            && between.oldBase().equals(between.newBase())
        ? maker(between.tuned())
        : Optional.empty();
  }

  /**
   * The recent action that wrote a version's files; it is not registered when it was only a step.
   */
  private Optional<Fact.ActionFinished> maker(Digest version) {
    Map<String, Digest> wanted = new HashMap<>();
    files.manifest(version).files().forEach(file -> wanted.put(file.path(), file.digest()));
    for (String kind : List.of("train", "transplant")) {
      for (Recorded<Fact.ActionFinished> recent : state.recentActions(kind, RECENT)) {
        if (ActionRunner.files(recent.fact()).equals(wanted)) {
          return training(recent.fact());
        }
      }
    }
    return Optional.empty();
  }

  private List<WithEarlier> overlaps(Fact.VersionRegistered version, Fact.ActionFinished training) {
    List<WithEarlier> overlaps = new ArrayList<>();
    Optional<UpdateSubspace> own = subspace(training);
    if (own.isEmpty()) {
      return overlaps;
    }
    for (@Nullable VersionRef ref = version.predecessor(); ref != null; ) {
      Fact.VersionRegistered earlier = state.version(ref).orElseThrow().fact();
      VersionRef named = ref;
      training(earlier)
          .flatMap(this::subspace)
          .flatMap(own.get()::overlap)
          .ifPresent(
              overlap -> overlaps.add(new WithEarlier(named, overlap.shared(), overlap.chance())));
      ref = earlier.predecessor();
    }
    return overlaps;
  }

  private Optional<UpdateSubspace> subspace(Fact.ActionFinished training) {
    return Optional.ofNullable(training.outputs().get(ActionRunner.SUBSPACE))
        .map(
            digest ->
                subspaces.computeIfAbsent(
                    digest,
                    key -> {
                      try {
                        return UpdateSubspace.read(files.file(key));
                      } catch (IOException e) {
                        throw new UncheckedIOException("cannot read an update's subspace", e);
                      }
                    }));
  }
}
