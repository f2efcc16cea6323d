package dev.cambium.loop;

import dev.cambium.artifact.ArtifactStore;
import dev.cambium.artifact.huggingface.AdapterDirectory;
import dev.cambium.artifact.huggingface.Inspection;
import dev.cambium.artifact.huggingface.Problem;
import dev.cambium.engine.text.TextInspection;
import dev.cambium.ledger.Ledger;
import dev.cambium.ledger.Precondition;
import dev.cambium.loop.action.VersionFiles;
import dev.cambium.loop.data.DataException;
import dev.cambium.loop.data.Overlap;
import dev.cambium.loop.data.OverlapCheck;
import dev.cambium.loop.data.RowFile;
import dev.cambium.loop.data.Split;
import dev.cambium.loop.declaration.Declaration;
import dev.cambium.loop.declaration.Line;
import dev.cambium.loop.gate.Suite;
import dev.cambium.model.Channel;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Item;
import dev.cambium.model.Manifest;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What comes into an ecosystem: versions from outside, and the signals that ask for an update. */
final class Intake {

  private final Cambium cambium;
  private final Ledger ledger;
  private final ArtifactStore store;
  private final VersionFiles versions;
  private final String actor;

  Intake(Cambium cambium, Ledger ledger, ArtifactStore store, VersionFiles versions, String actor) {
    this.cambium = cambium;
    this.ledger = ledger;
    this.store = store;
    this.versions = versions;
    this.actor = actor;
  }

  /** See {@link Cambium#importVersion}. */
  VersionRef importVersion(
      Path source,
      String line,
      Tier tier,
      @Nullable VersionRef parent,
      String note,
      Consumer<Problem> warnings) {
    Digest parentManifest = checkLine(line, tier, parent);
    Inspection inspection = Inspection.of(source);
    boolean adapter = inspection.kind() == Inspection.Kind.ADAPTER;
    if (adapter && parentManifest != null) {
      inspection =
          AdapterDirectory.inspect(
              source, versions.directory(versions.effective(parentManifest).model()));
    }
    if (!adapter && inspection.accepted()) {
      inspection = inspection.with(TextInspection.of(source));
    }
    if (!inspection.accepted()) {
      throw new IllegalArgumentException(
          source
              + " cannot be imported:\n  "
              + inspection.problems().stream()
                  .map(Problem::line)
                  .collect(Collectors.joining("\n  ")));
    }
    inspection.problems().forEach(warnings);
    Manifest manifest =
        adapter
            ? versions.put(source, inspection.paths(), VersionKind.ADAPTER, parentManifest)
            : versions.putModel(source, inspection.paths(), parentManifest);
    int number = cambium.state().nextVersionNumber(line);
    VersionRef ref = new VersionRef(line, number);
    VersionRef before = cambium.state().channel(line, Channel.CANDIDATE).orElse(null);
    VersionRef stable = cambium.state().channel(line, Channel.STABLE).orElse(null);
    ledger.append(
        actor,
        List.of(
            new Fact.VersionRegistered(
                ref,
                manifest.digest(),
                manifest.kind(),
                parent,
                stable,
                null,
                null,
                null,
                List.of(),
                note),
            new Fact.ChannelMoved(
                line, Channel.CANDIDATE, before, ref, Fact.Movement.CANDIDATE, null, "imported")),
        List.of(
            new Precondition.NextVersionNumber(line, number),
            new Precondition.ChannelAt(line, Channel.CANDIDATE, before),
            new Precondition.ArtifactsRenewed(reached(manifest), store::renew)));
    return ref;
  }

  /** What a version's record reaches. */
  private static List<Digest> reached(Manifest manifest) {
    return Stream.concat(
            Stream.of(manifest.digest()), manifest.files().stream().map(FileEntry::digest))
        .toList();
  }

  /** See {@link Cambium#checkLine}; returns the parent's manifest. */
  @Nullable Digest checkLine(String line, Tier tier, @Nullable VersionRef parent) {
    Line declared = cambium.declare().line(line);
    if (declared.tier() != tier) {
      throw new IllegalArgumentException(
          line
              + " is declared as "
              + declared.tier().label()
              + " in "
              + Declaration.FILE
              + ", not as "
              + tier.label());
    }
    if (tier == Tier.APPLICATION) {
      throw new IllegalArgumentException(
          "applications are declared in ecosystem.yaml (application: FILE), not imported");
    }
    return parentOf(declared, parent);
  }

  private @Nullable Digest parentOf(Line line, @Nullable VersionRef parent) {
    if (line.parent() == null) {
      if (parent != null) {
        throw new IllegalArgumentException(
            line.name() + " is a foundation and has no parent; leave --parent out");
      }
      return null;
    }
    if (parent == null) {
      throw new IllegalArgumentException(
          line.name()
              + " is built on "
              + line.parent()
              + ": say which version, --parent "
              + line.parent()
              + "@N");
    }
    if (!parent.line().equals(line.parent())) {
      throw new IllegalArgumentException(
          line.name() + " is built on " + line.parent() + ", not on " + parent.line());
    }
    return cambium.version(parent).manifest();
  }

  /** See {@link Cambium#signalData}. */
  Cambium.DataTaken signalData(
      Path file, String line, boolean skipBad, boolean allowOverlap, String note) {
    Declaration declaration = cambium.declare();
    Line learner = declaration.line(line);
    if (learner.tier() == Tier.APPLICATION) {
      throw new IllegalArgumentException(
          line + " is an application and is not trained; signal data for " + learner.parent());
    }
    if (learner.merge() != null) {
      throw new IllegalArgumentException(
          line
              + " is made by merging and is not trained; signal data for one of "
              + String.join(", ", learner.merge().from()));
    }
    RowFile rows = RowFile.read(file, skipBad);
    List<Overlap> overlaps = new ArrayList<>();
    Fact.EcosystemDeclared declared = cambium.state().ecosystem().orElseThrow().fact();
    for (String capability : declaration.contract(line).capabilities()) {
      Suite inForce =
          Suite.read(store.bytes(Objects.requireNonNull(declared.suites().get(capability))));
      overlaps.addAll(OverlapCheck.find(rows.rows(), inForce.items()));
      Digest pending = declared.pending().get(capability);
      if (pending != null) { // what it is about to ask must not be given away either
        List<Item> more = new ArrayList<>(Suite.read(store.bytes(pending)).items());
        more.removeAll(inForce.items());
        overlaps.addAll(OverlapCheck.find(rows.rows(), more));
      }
    }
    if (!overlaps.isEmpty() && !allowOverlap) {
      throw new DataException(
          file
              + ": "
              + overlaps.size()
              + " suite item(s) are in the training rows, so they could no longer measure"
              + " anything:\n  "
              + overlaps.stream()
                  .limit(10)
                  .map(Object::toString)
                  .collect(Collectors.joining("\n  "))
              + (overlaps.size() > 10 ? "\n  …" : "")
              + "\nTake the rows out, or accept that these items are left out of verdicts with"
              + " --allow-overlap.");
    }
    Split split = Split.of(rows.rows());
    Digest train = store.put(RowFile.encode(split.train()));
    Digest heldOut = store.put(RowFile.encode(split.heldOut()));
    String signal = cambium.state().nextSignal();
    ledger.append(
        actor,
        List.of(
            new Fact.SignalReceived(
                signal,
                Fact.SignalKind.DATA,
                line,
                train,
                heldOut,
                split.train().size(),
                null,
                note)),
        List.of(
            new Precondition.SignalAbsent(signal),
            new Precondition.ArtifactsRenewed(List.of(train, heldOut), store::renew)));
    return new Cambium.DataTaken(
        signal,
        split.train().size(),
        split.heldOut().size(),
        rows.rejected().stream().map(Object::toString).toList(),
        overlaps);
  }

  /** See {@link Cambium#signalUpstream}. */
  String signalUpstream(VersionRef version, String note) {
    cambium.version(version);
    cambium.declare().line(version.line());
    String signal = cambium.state().nextSignal();
    ledger.append(
        actor,
        List.of(
            new Fact.SignalReceived(
                signal, Fact.SignalKind.UPSTREAM, version.line(), null, null, 0, version, note)),
        List.of(new Precondition.SignalAbsent(signal)));
    return signal;
  }
}
