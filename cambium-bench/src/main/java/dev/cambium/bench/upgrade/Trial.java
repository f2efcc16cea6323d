package dev.cambium.bench.upgrade;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.bench.ResultFile;
import dev.cambium.engine.Engine;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.explain.Wave;
import dev.cambium.model.Application;
import dev.cambium.model.Channel;
import dev.cambium.model.Fact;
import dev.cambium.model.Item;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Row;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionKind;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One new foundation for one founded fleet: a copy of the fleet is upgraded by a campaign of its
 * own, as {@code cambium upgrade base --to NEW --yes} does, and every line is compared with what it
 * was, with its retraining on the new foundation, and with the old adapter as it is.
 */
final class Trial {

  private final Engine engine;
  private final Ecosystem ecosystem;
  private final Path founded;
  private final Path folder;
  private final String scenario;
  private final long seed;
  private final Path newer;

  /**
   * A trial.
   *
   * @param founded the fleet, which stays as it is
   * @param folder of the trial
   * @param newer model directory of the new foundation
   */
  Trial(
      Engine engine,
      Ecosystem ecosystem,
      Path founded,
      Path folder,
      String scenario,
      long seed,
      Path newer) {
    this.engine = engine;
    this.ecosystem = ecosystem;
    this.founded = founded;
    this.folder = folder;
    this.scenario = scenario;
    this.seed = seed;
    this.newer = newer;
  }

  /** Runs what is missing, and tells of each line that {@code results} does not hold yet. */
  void run(ResultFile<LineResult> results, Consumer<String> log) throws IOException {
    Path home = folder.resolve("fleet");
    if (!Files.exists(home)) {
      Path copying = folder.resolve("copying");
      DirectoryTree.delete(copying);
      DirectoryTree.copy(founded, copying);
      Files.move(copying, home, StandardCopyOption.ATOMIC_MOVE);
    }
    try (Cambium cambium = Ecosystem.open(home)) {
      String campaign = upgraded(cambium);
      log.accept(scenario + " seed " + seed + ": campaign " + campaign + " is settled");
      measure(cambium, cambium.wave(campaign), results, log);
    }
  }

  /** The campaign that took the new foundation through the fleet, run as far as it is not. */
  private String upgraded(Cambium cambium) {
    String note = "upgrade to " + scenario;
    Optional<String> signal = signal(cambium, note);
    if (signal.isEmpty()) {
      VersionRef version =
          cambium.state().versions(Ecosystem.BASE).stream()
              .map(v -> v.fact())
              .filter(v -> v.note().equals(note))
              .map(Fact.VersionRegistered::version)
              .findFirst()
              .orElseGet(
                  () -> cambium.importVersion(newer, Ecosystem.BASE, Tier.FOUNDATION, null, note));
      cambium.signalUpstream(version, note);
      signal = signal(cambium, note);
    }
    String id = signal.orElseThrow();
    if (cambium.state().openCampaign().isPresent()
        || cambium.state().signal(id).orElseThrow().campaign().isEmpty()) {
      cambium.run(Approver.ALWAYS, Progress.NONE);
    }
    return cambium.state().campaigns().stream()
        .map(c -> c.opened().fact())
        .filter(c -> c.signals().contains(id))
        .map(Fact.CampaignOpened::campaign)
        .findFirst()
        .orElseThrow();
  }

  private static Optional<String> signal(Cambium cambium, String note) {
    return cambium.state().signals().stream()
        .map(s -> s.received().fact())
        .filter(s -> s.note().equals(note))
        .map(Fact.SignalReceived::signal)
        .findFirst();
  }

  private void measure(
      Cambium cambium, Wave wave, ResultFile<LineResult> results, Consumer<String> log)
      throws IOException {
    Outcomes outcomes =
        new Outcomes(
            engine,
            founded.resolveSibling(founded.getFileName() + ".outcomes"),
            ecosystem.scorer());
    Outcomes here = new Outcomes(engine, folder.resolve("outcomes"), ecosystem.scorer());
    Retraining retraining = new Retraining(engine, folder.resolve("retrained"), seed);
    Map<String, Wave.OfLine> lines = new HashMap<>();
    wave.lines().forEach(line -> lines.put(line.line(), line));
    Map<String, List<Row>> rows = new HashMap<>();
    Map<String, Effort.Sides> sides = new HashMap<>();
    for (Subject subject : ecosystem.subjects()) {
      VersionRef before = before(lines.get(subject.line()));
      List<Row> own = new ArrayList<>();
      cambium.version(before).data().forEach(digest -> own.addAll(cambium.rows(digest)));
      rows.put(subject.line(), own);
      if (!own.isEmpty()) {
        sides.put(
            subject.line(),
            new Effort.Sides(
                before,
                Effort.Reading.of(cambium.runnable(before).model(), own),
                Effort.Reading.of(newer, own),
                own.size()));
      }
    }
    Map<String, Effort> efforts = Effort.of(cambium, wave.campaign(), sides);
    Map<String, Cambium.Runnable> retrained = new HashMap<>();
    retrained.put(Ecosystem.BASE, new Cambium.Runnable(newer, null, null));
    for (Subject subject : ecosystem.subjects()) {
      String name = subject.line();
      Wave.OfLine line = Objects.requireNonNull(lines.get(name));
      Recipe recipe = cambium.declare().recipe(name).orElse(null);
      Cambium.Runnable parent = Objects.requireNonNull(retrained.get(subject.parent()));
      Retraining.@Nullable Retrained again = null;
      if (recipe != null) {
        again = retraining.line(name, parent.model(), recipe, rows.getOrDefault(name, List.of()));
        retrained.put(name, again.model());
      } else {
        retrained.put(
            name,
            new Cambium.Runnable(
                parent.model(), parent.adapter(), application(cambium, before(line))));
      }
      if (results.has(r -> is(r, name))) {
        continue;
      }
      List<Item> items = subject.test();
      VersionRef before = before(line);
      Outcomes.Right old = right(cambium, outcomes, before, items);
      Outcomes.Right kept =
          line.rung() == null
              ? old
              : right(cambium, here, Objects.requireNonNull(line.after()), items);
      Outcomes.Right trained =
          here.of(name + "-retrained", Objects.requireNonNull(retrained.get(name)), items);
      Effort effort = efforts.getOrDefault(name, Effort.NONE);
      Effort.@Nullable Sides side = sides.get(name);
      LineResult result =
          new LineResult(
              scenario,
              seed,
              name,
              recipe == null ? "application" : recipe.method().name().toLowerCase(Locale.ROOT),
              line.settlement().name().toLowerCase(Locale.ROOT).replace('_', '-'),
              line.rung() == null ? null : line.rung().label(),
              line.attempts().stream().map(Trial::told).toList(),
              items.size(),
              old.score(),
              kept.score(),
              trained.score(),
              naive(cambium, here, subject, before),
              kept.count(true, trained, true),
              kept.count(true, trained, false),
              kept.count(false, trained, true),
              old.count(true, kept, false),
              old.count(true, trained, false),
              effort.operations(),
              recipe == null || side == null ? 0 : Effort.training(recipe, side.now()),
              effort.seconds(),
              again == null ? null : again.seconds());
      results.add(result);
      log.accept(result.text());
    }
  }

  private boolean is(LineResult result, String line) {
    return result.scenario().equals(scenario)
        && result.seed() == seed
        && result.line().equals(line);
  }

  /** The version that a line had; where nothing was tried, the one that it still has. */
  private static VersionRef before(Wave.@Nullable OfLine line) {
    VersionRef before = Objects.requireNonNull(line).before();
    return before == null ? Objects.requireNonNull(line.after()) : before;
  }

  private static @Nullable Application application(Cambium cambium, VersionRef version) {
    return cambium.runnable(version).application();
  }

  private static Outcomes.Right right(
      Cambium cambium, Outcomes outcomes, VersionRef version, List<Item> items) throws IOException {
    String name = Outcomes.name(version.line(), cambium.version(version).manifest());
    return outcomes.of(name, cambium.runnable(version), items);
  }

  /** The old adapter, or application, on what its parent is now. */
  private @Nullable Double naive(
      Cambium cambium, Outcomes outcomes, Subject subject, VersionRef before) throws IOException {
    VersionKind kind = cambium.version(before).kind();
    if (kind == VersionKind.MODEL) {
      return null;
    }
    Cambium.Runnable old = cambium.runnable(before);
    VersionRef parent = cambium.state().channel(subject.parent(), Channel.STABLE).orElseThrow();
    Cambium.Runnable above = cambium.runnable(parent);
    Cambium.Runnable naive =
        kind == VersionKind.ADAPTER
            ? new Cambium.Runnable(above.model(), old.adapter(), null)
            : new Cambium.Runnable(above.model(), above.adapter(), old.application());
    try {
      return outcomes.of(subject.line() + "-naive", naive, subject.test()).score();
    } catch (IllegalArgumentException e) {
      return null; // it has other shapes
    }
  }

  private static String told(Wave.Attempt attempt) {
    return String.format(
        Locale.ROOT,
        "%s %s %s: %s",
        attempt.rung() == null ? "-" : attempt.rung().label(),
        attempt.decision(),
        attempt.score() == null ? "-" : String.format(Locale.ROOT, "%.3f", attempt.score()),
        attempt.note());
  }
}
