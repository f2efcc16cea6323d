package dev.cambium.bench.stream;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.bench.data.Lesson;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.data.RowFile;
import dev.cambium.loop.data.SuiteFile;
import dev.cambium.model.Action;
import dev.cambium.model.Channel;
import dev.cambium.model.Fact;
import dev.cambium.model.Json;
import dev.cambium.model.Progress;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Cambium as its users have it: an ecosystem with a foundation and one line, whose contract grows
 * by a capability with each lesson; each lesson is a signal and a campaign. What counts is the
 * version that is stable after the campaign, whatever the gates let pass.
 */
final class LineLearner implements Learner {

  private static final String LINE = "assistant";

  private final List<Lesson> lessons;
  private final String recipe;
  private final Path work;
  private final Path home;
  private final Cambium cambium;
  private final Progress progress;

  /**
   * Makes or opens the ecosystem.
   *
   * @param recipe of the line as in a declaration, and what else stands beside it
   */
  LineLearner(
      Path foundation, List<Lesson> lessons, String recipe, long seed, Path work, Progress progress)
      throws IOException {
    this.lessons = lessons;
    this.recipe = String.format(Locale.ROOT, "policy: { seed: %d }%n%s", seed, recipe);
    this.work = work;
    this.progress = progress;
    home = Files.createDirectories(work.resolve("ecosystem"));
    Files.createDirectories(home.resolve("suites"));
    if (Cambium.find(home).filter(home::equals).isEmpty()) {
      cambium = Cambium.create(home, declare(0), "bench", InstantSource.system());
    } else {
      cambium = Cambium.open(home, "bench", InstantSource.system());
    }
    VersionRef base = VersionRef.parse("base@1");
    if (cambium.state().versions("base").isEmpty()) {
      cambium.importVersion(foundation, "base", Tier.FOUNDATION, null, "the stream's foundation");
    }
    if (cambium.state().channel("base", Channel.STABLE).isEmpty()) {
      cambium.promote(base, Channel.STABLE, "a benchmark's foundation has no contract", progress);
    }
  }

  @Override
  public Pupil learn(int index) throws IOException {
    Path done = work.resolve(Integer.toString(index));
    if (!Files.exists(done)) {
      Lesson lesson = lessons.get(index);
      declare(index + 1);
      Path rows = work.resolve(lesson.name() + ".jsonl");
      Files.write(rows, RowFile.encode(lesson.rows()));
      boolean signalled =
          cambium.state().signals().stream()
              .anyMatch(s -> s.received().fact().note().equals(lesson.name()));
      if (!signalled) {
        cambium.signalData(rows, LINE, false, true, lesson.name());
      }
      cambium.run(Approver.ALWAYS, progress);
      Optional<VersionRef> stable = cambium.state().channel(LINE, Channel.STABLE);
      Path making = work.resolve(index + ".making");
      DirectoryTree.delete(making);
      cambium.export(stable.orElse(VersionRef.parse("base@1")), making);
      Files.move(making, done, StandardCopyOption.ATOMIC_MOVE);
    }
    return new Pupil(done, null);
  }

  /** All trainings count, those of candidates that a gate refused among them. */
  @Override
  public long rowsRead() {
    return cambium.state().recentActions("train", Integer.MAX_VALUE).stream()
        .map(found -> found.fact().spec())
        .map(spec -> Json.read(cambium.store().bytes(spec), Action.class))
        .map(Action.Train.class::cast)
        .mapToLong(train -> (long) train.recipe().steps() * train.recipe().batchRows())
        .sum();
  }

  /** How the campaigns left the line, one for each lesson. */
  List<Fact.Settlement> settlements() {
    return cambium.state().settlementsOf(LINE).stream().map(s -> s.fact().settlement()).toList();
  }

  @Override
  public void close() {
    cambium.close();
  }

  /** Writes the declaration with the first lessons' capabilities, and their suites. */
  private String declare(int count) throws IOException {
    StringBuilder yaml = new StringBuilder("name: stream\n").append(recipe);
    StringBuilder names = new StringBuilder();
    yaml.append("capabilities:").append(count == 0 ? " {}\n" : "\n");
    for (Lesson lesson : lessons.subList(0, count)) {
      Files.write(
          home.resolve("suites").resolve(lesson.name() + ".jsonl"),
          SuiteFile.encode(lesson.gate()));
      yaml.append("  ").append(lesson.name()).append(": { owner: bench, suite: suites/");
      yaml.append(lesson.name()).append(".jsonl, scorer: exact-match, max-new-tokens: 16,");
      yaml.append(" margin: 0.1, floor: 0.3 }\n");
      names.append(names.isEmpty() ? "" : ", ").append(lesson.name());
    }
    yaml.append("lines:\n  base: { tier: foundation }\n  ").append(LINE);
    yaml.append(": { tier: industrial, parent: base, recipe: lesson, contract: { capabilities: [");
    yaml.append(names).append("] } }\n");
    Files.writeString(home.resolve("ecosystem.yaml"), yaml);
    return yaml.toString();
  }
}
