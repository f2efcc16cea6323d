package dev.cambium.bench;

import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Manifest;
import dev.cambium.model.Rung;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The facts of a fleet's life as campaigns write them, without end: wave after wave takes every
 * line to its next version. A foundation's is imported; every other line is transplanted,
 * registered, made the candidate, evaluated, judged, released and settled: seven records. A
 * fiftieth of the lines are built on the foundation, the others on these.
 */
final class GeneratedHistory {

  /** What the records name beside themselves; here digests of nothing that is anywhere. */
  static class Artifacts {
    Digest manifest(Manifest manifest) {
      return manifest.digest();
    }

    Digest spec(String kind, VersionRef of) {
      return Digest.ofText("spec " + kind + " " + of);
    }

    Digest evidence(VersionRef of) {
      return Digest.ofText("evidence " + of);
    }
  }

  private final int lines;
  private final int industrial;
  private final Artifacts artifacts;
  private final Digest plan = Digest.ofText("plan");
  private final Deque<Fact> ready = new ArrayDeque<>();
  private int wave;
  private int line;

  GeneratedHistory(int lines, Artifacts artifacts) {
    this.lines = lines;
    this.industrial = Math.max(1, lines / 50);
    this.artifacts = artifacts;
  }

  /** The number of versions that every line has once a wave is over. */
  int wave() {
    return wave;
  }

  static String name(int line) {
    return line == 0 ? "base" : "line" + line;
  }

  /** The line that one is built on; none for the foundation. */
  @Nullable String parent(int of) {
    if (of == 0) {
      return null;
    }
    return of <= industrial ? name(0) : name(1 + of % industrial);
  }

  boolean isIndustrial(int of) {
    return of <= industrial;
  }

  Fact next() {
    if (ready.isEmpty()) {
      if (line == 0) {
        wave++;
        open();
      }
      update(line);
      line++;
      if (line == lines) {
        line = 0;
        Map<String, Integer> summary = new TreeMap<>(Map.of("released", lines));
        ready.add(new Fact.CampaignClosed("c" + wave, Fact.CampaignOutcome.RELEASED, summary));
      }
    }
    return ready.remove();
  }

  private void open() {
    ready.add(
        new Fact.SignalReceived(
            "s" + wave,
            Fact.SignalKind.DATA,
            name(0),
            Digest.ofText("rows " + wave),
            null,
            100,
            null,
            "generated"));
    ready.add(new Fact.CampaignOpened("c" + wave, List.of("s" + wave), plan));
  }

  private void update(int of) {
    String name = name(of);
    String campaign = "c" + wave;
    VersionRef version = new VersionRef(name, wave);
    VersionRef before = wave == 1 ? null : new VersionRef(name, wave - 1);
    String above = parent(of);
    VersionRef parent = above == null ? null : new VersionRef(above, wave);
    Digest evidence = artifacts.evidence(version);
    Digest training = Digest.ofText("transplant " + version);
    if (of > 0) {
      ready.add(finished("transplant", training, version));
    }
    ready.add(
        new Fact.VersionRegistered(
            version,
            artifacts.manifest(
                new Manifest(
                    VersionKind.MODEL,
                    parent == null ? null : Digest.ofText(parent.toString()),
                    List.of(
                        new FileEntry(
                            "model.safetensors", 1, Digest.ofText("weights " + version))))),
            VersionKind.MODEL,
            parent,
            before,
            of == 0 ? null : Rung.TRANSPLANT,
            of == 0 ? null : training,
            campaign,
            of == 0 ? List.of() : List.of(Digest.ofText("rows " + wave)),
            "generated"));
    ready.add(moved(name, Channel.CANDIDATE, before, version, Fact.Movement.CANDIDATE, null));
    ready.add(finished("evaluate", Digest.ofText("evaluate " + version), version));
    ready.add(new Fact.VerdictReached(version, before, Decision.PASS, evidence, campaign, 0.875));
    ready.add(moved(name, Channel.STABLE, before, version, Fact.Movement.RELEASE, evidence));
    ready.add(
        new Fact.LineSettled(
            campaign,
            name,
            Fact.Settlement.RELEASED,
            version,
            of == 0 ? null : Rung.TRANSPLANT,
            "every gate passed"));
  }

  private static Fact moved(
      String line,
      Channel channel,
      @Nullable VersionRef from,
      VersionRef to,
      Fact.Movement movement,
      @Nullable Digest evidence) {
    return new Fact.ChannelMoved(line, channel, from, to, movement, evidence, "generated");
  }

  private Fact finished(String kind, Digest action, VersionRef of) {
    return new Fact.ActionFinished(
        action,
        kind,
        artifacts.spec(kind, of),
        new TreeMap<>(Map.of("out", Digest.ofText("out " + kind + " " + of))),
        of.number() % 100 / 10.0,
        "generated");
  }
}
