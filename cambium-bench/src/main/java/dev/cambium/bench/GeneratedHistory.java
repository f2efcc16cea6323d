package dev.cambium.bench;

import dev.cambium.loop.gate.Verdict;
import dev.cambium.model.Action;
import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.FileEntry;
import dev.cambium.model.Json;
import dev.cambium.model.Manifest;
import dev.cambium.model.Recipe;
import dev.cambium.model.Rung;
import dev.cambium.model.Scorer;
import dev.cambium.model.ScorerKind;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The facts of a fleet's life as campaigns write them, without end. In the first wave every line is
 * imported. Each later one begins with a new foundation and, for every industrial line, with rows
 * to learn; then every line is made anew (an industrial one is trained, the others are
 * transplanted), registered, made the candidate, evaluated, judged, released and settled: seven
 * records. A fiftieth of the lines are industrial and built on the foundation, the others on these.
 */
final class GeneratedHistory {

  /** Items of the suite that everything is judged by. */
  static final int ITEMS = 25;

  private static final String FINGERPRINT = "generated";

  private static final Recipe RECIPE =
      new Recipe(
          Recipe.Method.FULL, null, 100, 16, 1, 64, 3e-3, 0.1, Recipe.Schedule.COSINE, 0, 1, 0);

  /** What the records name beside themselves; here it is digests of what is nowhere. */
  static class Artifacts {
    /** Keeps a value that records of a wave name, by the digest of its canonical JSON. */
    Digest put(Object value, int wave) {
      return Json.digest(value);
    }

    /** The plan of a wave, for what has been told so far. */
    Digest plan(int wave) {
      return Digest.ofText("plan");
    }

    /** The suite in force. */
    Digest suite() {
      return Digest.ofText("suite");
    }
  }

  private final int lines;
  private final int industrial;
  private final Artifacts artifacts;
  private final Deque<Fact> ready = new ArrayDeque<>();

  /** Of every line's newest version, and of the one before. */
  private final List<@Nullable Digest> manifests;

  private final List<@Nullable Digest> earlier;

  private int wave;
  private int line;

  /** The signals that the next campaign answers; none while one is open. */
  private final List<String> signals = new ArrayList<>();

  GeneratedHistory(int lines, Artifacts artifacts) {
    this.lines = lines;
    this.industrial = Math.max(1, lines / 50);
    this.artifacts = artifacts;
    this.manifests = new ArrayList<>(Collections.nCopies(lines, null));
    this.earlier = new ArrayList<>(manifests);
    arrive();
  }

  /** The number of the wave that is under way, from 1. */
  int wave() {
    return wave;
  }

  static String name(int line) {
    return line == 0 ? "base" : "line" + line;
  }

  /** The line that one is built on; none for the foundation. */
  @Nullable String parent(int of) {
    return of == 0 ? null : name(above(of));
  }

  private int above(int of) {
    return of <= industrial ? 0 : 1 + of % industrial;
  }

  boolean isIndustrial(int of) {
    return of <= industrial;
  }

  /** The next fact. What it names is kept by then, and what came before has been told. */
  Fact next() {
    if (!ready.isEmpty()) {
      return ready.remove();
    }
    if (!signals.isEmpty()) {
      Fact opened = new Fact.CampaignOpened("c" + wave, signals, artifacts.plan(wave));
      signals.clear();
      return opened;
    }
    update(line);
    ended(line);
    return ready.remove();
  }

  /**
   * Facts that follow one another.
   *
   * @param alone whether all before them come first, and they before all others; those of steps
   *     between may come in any order
   */
  record Step(List<Fact> facts, boolean alone) {}

  /** What {@link #next} would tell next, as far as it belongs together. */
  Step nextStep() {
    if (!ready.isEmpty() || !signals.isEmpty()) {
      return new Step(List.of(next()), true);
    }
    int of = line;
    update(of);
    List<Fact> facts = List.copyOf(ready);
    ready.clear();
    ended(of);
    return new Step(facts, of <= industrial);
  }

  /** A line is done in a wave, and with the last one the wave is. */
  private void ended(int of) {
    line = (of + 1) % lines;
    if (line == 0) {
      Map<String, Integer> summary = new TreeMap<>(Map.of("released", lines));
      ready.add(new Fact.CampaignClosed("c" + wave, Fact.CampaignOutcome.RELEASED, summary));
      arrive();
    }
  }

  /** A foundation is imported, and with it come rows. */
  private void arrive() {
    wave++;
    register(0, null, null, "imported");
    VersionRef base = new VersionRef(name(0), wave);
    signal(
        new Fact.SignalReceived(
            "s" + wave, Fact.SignalKind.UPSTREAM, name(0), null, null, 0, base, "generated"));
    for (int i = 1; i <= industrial && i < lines && wave > 1; i++) {
      signal(
          new Fact.SignalReceived(
              "s" + wave + "-" + i,
              Fact.SignalKind.DATA,
              name(i),
              rows(i, wave),
              null,
              100,
              null,
              "generated"));
    }
  }

  private void signal(Fact.SignalReceived signal) {
    signals.add(signal.signal());
    ready.add(signal);
  }

  private static Digest rows(int of, int wave) {
    return Digest.ofText("rows " + name(of) + " " + wave);
  }

  private static Digest known(@Nullable Digest manifest) {
    if (manifest == null) {
      throw new IllegalStateException("parents come before children");
    }
    return manifest;
  }

  private void update(int of) {
    String name = name(of);
    String campaign = "c" + wave;
    VersionRef version = new VersionRef(name, wave);
    VersionRef before = wave == 1 ? null : new VersionRef(name, wave - 1);
    if (of > 0 && wave == 1) {
      register(of, null, null, "imported");
    } else if (of > 0) {
      boolean learns = isIndustrial(of);
      Digest base = known(manifests.get(above(of)));
      Action action =
          learns
              ? new Action.Train(
                  base, null, RECIPE, List.of(new Action.DataShare(rows(of, wave), 1)), 1)
              : new Action.Transplant(
                  known(earlier.get(above(of))), base, known(manifests.get(of)), 1);
      finished(action, version);
      register(
          of,
          learns ? Rung.RETRAIN : Rung.TRANSPLANT,
          action.key(FINGERPRINT),
          learns ? "trained" : "transplanted");
    }
    ready.add(moved(name, Channel.CANDIDATE, before, version, Fact.Movement.CANDIDATE, null));
    finished(
        new Action.Evaluate(
            known(manifests.get(of)),
            artifacts.suite(),
            Scorer.of(ScorerKind.EXACT_MATCH),
            0,
            ITEMS),
        version);
    Digest evidence = artifacts.put(verdict(version, before), wave);
    ready.add(new Fact.VerdictReached(version, before, Decision.PASS, evidence, campaign, 0.875));
    ready.add(moved(name, Channel.STABLE, before, version, Fact.Movement.RELEASE, evidence));
    ready.add(
        new Fact.LineSettled(
            campaign,
            name,
            Fact.Settlement.RELEASED,
            version,
            of == 0 || wave == 1 ? null : isIndustrial(of) ? Rung.RETRAIN : Rung.TRANSPLANT,
            "every gate passed"));
  }

  private void register(int of, @Nullable Rung rung, @Nullable Digest action, String note) {
    VersionRef version = new VersionRef(name(of), wave);
    FileEntry weights = new FileEntry("model.safetensors", 1, Digest.ofText("weights " + version));
    Digest parent = of == 0 ? null : known(manifests.get(above(of)));
    Digest manifest =
        artifacts.put(new Manifest(VersionKind.MODEL, parent, List.of(weights)), wave);
    earlier.set(of, manifests.get(of));
    manifests.set(of, manifest);
    ready.add(
        new Fact.VersionRegistered(
            version,
            manifest,
            VersionKind.MODEL,
            of == 0 ? null : new VersionRef(name(above(of)), wave),
            wave == 1 ? null : new VersionRef(name(of), wave - 1),
            rung,
            action,
            action == null ? null : "c" + wave,
            rung == null ? List.of() : List.of(rows(isIndustrial(of) ? of : above(of), wave)),
            note));
  }

  private Verdict verdict(VersionRef version, @Nullable VersionRef before) {
    List<Double> holding = new ArrayList<>();
    List<Double> breaking = new ArrayList<>();
    for (int i = 0; i < ITEMS; i++) {
      holding.add(i / 8.0);
      breaking.add(-i / 8.0);
    }
    return new Verdict(
        version,
        before,
        Decision.PASS,
        "every capability passed",
        List.of(
            new Verdict.OfCapability(
                "all",
                artifacts.suite(),
                ScorerKind.EXACT_MATCH,
                0.05,
                null,
                0.05,
                Decision.PASS,
                "no worse than before",
                ITEMS,
                ITEMS,
                ITEMS,
                0.875,
                before == null ? null : Double.valueOf(0.875),
                0.7,
                0.95,
                before == null ? null : new Verdict.Course(holding, breaking),
                null,
                null,
                null,
                List.of(),
                new Verdict.Flips(0, 0, List.of(), List.of()),
                0,
                List.of(),
                List.of(),
                null,
                0.1,
                null)),
        List.of(),
        null,
        null);
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

  private void finished(Action action, VersionRef of) {
    ready.add(
        new Fact.ActionFinished(
            action.key(FINGERPRINT),
            action.kind(),
            artifacts.put(action, wave),
            new TreeMap<>(Map.of("out", Digest.ofText("out " + action.kind() + " " + of))),
            of.number() % 100 / 10.0,
            FINGERPRINT));
  }
}
