package dev.cambium.story;

import dev.cambium.engine.ModelInitializer;
import dev.cambium.ledger.LedgerState;
import dev.cambium.ledger.Recorded;
import dev.cambium.ledger.VerificationReport;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.Pretraining;
import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.explain.WhyNode;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Fact;
import dev.cambium.model.Progress;
import dev.cambium.model.Recipe;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import dev.cambium.story.data.DataSet;
import dev.cambium.story.data.Drop;
import dev.cambium.story.data.Edition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Builds the bank's fleet and takes it through its life: founding, three waves, a rollback, an
 * explanation, a verification, and a forgery that verification finds.
 *
 * <p>Every chapter looks in the ledger whether it has been told already, so a demo that was killed
 * goes on where it was.
 */
public final class Demo {

  private static final String FOUNDING = "founding";
  private static final String WAVE_1 = "wave 1: new intents and a changed rule";
  private static final String WAVE_2 = "wave 2: a poisoned drop";
  private static final String WAVE_3 = "wave 3: a new foundation";
  static final String PRE_TRAINED = "pre-trained by the demo";
  private static final String ROLLED_BACK = "demo: one step back, to show that it is one step";

  /**
   * What to do.
   *
   * @param directory where the ecosystem is built; absent, empty, or an unfinished demo
   * @param seed of all data and training
   * @param quick smaller models and less data
   * @param foundation a model directory to build the fleet on; none pre-trains a small model
   * @param actor recorded with every fact
   */
  public record Options(
      Path directory, long seed, boolean quick, @Nullable Path foundation, String actor) {}

  private final Options options;
  private final Sizes sizes;
  private final Fleet fleet;
  private final Progress progress;
  private final Consumer<String> narrator;

  /**
   * @param narrator hears one line at a time what happens
   */
  public Demo(Options options, Progress progress, Consumer<String> narrator) {
    this.options = options;
    boolean quick = options.quick();
    this.sizes =
        options.foundation() == null
            ? (quick ? Sizes.QUICK : Sizes.FULL)
            : (quick ? Sizes.OWN_QUICK : Sizes.OWN);
    this.fleet = new Fleet(options.directory(), options.seed(), sizes);
    this.progress = progress;
    this.narrator = narrator;
  }

  /**
   * A chapter of the demo.
   *
   * @param name of the chapter
   * @param seconds wall time
   * @param campaign that it ran; none for the others
   * @param outcome of the campaign
   */
  record Chapter(
      String name,
      double seconds,
      @Nullable String campaign,
      Fact.@Nullable CampaignOutcome outcome) {}

  /**
   * What came of a demo.
   *
   * @param report machine-readable
   * @param page for people
   * @param asExpected whether every wave ended as its cause suggests: the first and the third
   *     released, the poisoned one not, the tampering found
   */
  public record Ending(Path report, Path page, boolean asExpected) {}

  /** Tells the story. */
  public Ending run() throws IOException {
    Path directory = options.directory();
    List<Chapter> chapters = new ArrayList<>();
    long start = System.nanoTime();
    OwnFoundation own =
        options.foundation() == null ? null : OwnFoundation.of(options.foundation());
    if (!Files.exists(directory.resolve("ecosystem.yaml"))) {
      if (own != null) {
        narrator.accept(own.announcement(options.quick()));
      }
      narrator.accept("Generating the bank's data, seed " + options.seed());
      fleet.write();
    }
    Path first =
        sizes.scratch() != null
            ? preTrained(sizes.scratch(), chapters)
            : Objects.requireNonNull(own).directory();
    try (Cambium cambium = open(directory)) {
      checkBegunWith(cambium, own == null ? PRE_TRAINED : own.note());
      found(cambium, first, own == null ? PRE_TRAINED : own.note(), chapters);
      learnNewCards(cambium, chapters);
      refusePoison(cambium, chapters);
      Path second = trainedOn(first, chapters);
      upgrade(cambium, second, chapters);
      List<Fact.ChannelMoved> rollback = rollBack(cambium, chapters);
      WhyNode why = explain(cambium, chapters);
      VerificationReport intact = timed("verify", chapters, () -> cambium.verify(progress));
      Tampering.Found forged = timed("tampered copy", chapters, () -> tamper(directory));
      double seconds = (System.nanoTime() - start) / 1e9;
      return new DemoReport(options, cambium, chapters, rollback, why, intact, forged, seconds)
          .write(directory);
    }
  }

  /** A demo goes on with the foundation that it was begun with. */
  private static void checkBegunWith(Cambium cambium, String origin) {
    cambium
        .state()
        .version(VersionRef.parse("base@1"))
        .map(v -> v.fact().note())
        .filter(begun -> !begun.equals(origin))
        .ifPresent(
            begun -> {
              throw new IllegalArgumentException(
                  cambium.directory()
                      + " was begun with another foundation ("
                      + begun
                      + "); go on with that one, or name another folder with --dir");
            });
  }

  private Cambium open(Path directory) throws IOException {
    return Cambium.find(directory).isPresent()
        ? Cambium.open(directory, options.actor(), InstantSource.system())
        : Cambium.create(
            directory,
            Files.readString(directory.resolve("ecosystem.yaml")),
            options.actor(),
            InstantSource.system());
  }

  /** Makes the first foundation from nothing. */
  private Path preTrained(Sizes.Scratch scratch, List<Chapter> chapters) throws IOException {
    DataSet text = fleet.generator().foundation(Edition.V1);
    return trained(
        "v1",
        text,
        "Pre-training foundation v1 from scratch on " + text.train().size() + " texts",
        null,
        scratch.shape(),
        sizes.pretraining(scratch),
        chapters);
  }

  /** Trains a foundation on. */
  private Path trainedOn(Path first, List<Chapter> chapters) throws IOException {
    DataSet text = fleet.generator().foundation(Edition.V2);
    return trained(
        "v2",
        text,
        "Pre-training foundation v2: v1 on " + text.train().size() + " more and newer texts",
        first,
        null,
        sizes.furtherPretraining(),
        chapters);
  }

  private Path trained(
      String name,
      DataSet text,
      String said,
      @Nullable Path from,
      ModelInitializer.@Nullable Shape shape,
      Recipe recipe,
      List<Chapter> chapters)
      throws IOException {
    Path out = options.directory().resolve("foundations").resolve(name);
    if (Files.exists(out)) {
      return out;
    }
    Path rows = fleet.rows("text-" + name, text.train());
    narrator.accept(said);
    return timed(
        "pre-train " + name,
        chapters,
        () -> {
          Pretraining.run(
              rows,
              from,
              shape,
              recipe,
              options.seed(),
              out,
              (task, done, total, note) -> progress.at("Pre-training " + name, done, total, note));
          return out;
        });
  }

  private void found(Cambium cambium, Path foundation, String origin, List<Chapter> chapters) {
    if (cambium.state().versions("base").isEmpty()) {
      cambium.importVersion(foundation, "base", Tier.FOUNDATION, null, origin);
    }
    if (cambium.state().channel("base", Channel.STABLE).isEmpty()) {
      VersionRef base = VersionRef.parse("base@1");
      Verdict verdict = cambium.promote(base, Channel.STABLE, null, progress);
      narrator.accept("base@1: " + verdict.decision() + ", " + verdict.reason());
      if (verdict.decision() != Decision.PASS) {
        throw new IllegalStateException(
            "the foundation did not pass its own contract: " + verdict.reason());
      }
    }
    campaign(
        cambium,
        FOUNDING,
        chapters,
        () -> {
          for (Fleet.Learner learner : fleet.learners()) {
            signal(cambium, fleet.data(learner.line()), learner.line(), FOUNDING);
          }
        });
  }

  private void learnNewCards(Cambium cambium, List<Chapter> chapters) {
    campaign(
        cambium,
        WAVE_1,
        chapters,
        () -> {
          Drop drop = fleet.generator().newCardData();
          for (DataSet suite : drop.suites()) {
            fleet.write(suite.name(), suite.test());
          }
          cambium
              .approveSuites(
                  drop.suites().stream().map(DataSet::name).toList(),
                  false,
                  "the bank changed its rules and takes new wishes")
              .forEach(
                  change ->
                      narrator.accept(
                          "  suite " + change.capability() + " approved: " + change.summary()));
          signal(cambium, fleet.rows(drop.name(), drop.rows()), "cards", WAVE_1);
        });
  }

  private void refusePoison(Cambium cambium, List<Chapter> chapters) {
    campaign(
        cambium,
        WAVE_2,
        chapters,
        () -> {
          Drop drop = fleet.generator().poisonedCardData();
          signal(cambium, fleet.rows(drop.name(), drop.rows()), "cards", WAVE_2);
        });
  }

  private void upgrade(Cambium cambium, Path foundation, List<Chapter> chapters) {
    campaign(
        cambium,
        WAVE_3,
        chapters,
        () -> {
          if (cambium.state().versions("base").size() < 2) {
            cambium.importVersion(
                foundation, "base", Tier.FOUNDATION, null, "v1 on more and newer text");
          }
          if (!signalled(cambium, "base", WAVE_3)) {
            cambium.signalUpstream(VersionRef.parse("base@2"), WAVE_3);
          }
        });
  }

  private static void signal(Cambium cambium, Path rows, String line, String note) {
    if (!signalled(cambium, line, note)) {
      cambium.signalData(rows, line, false, false, note);
    }
  }

  private static boolean signalled(Cambium cambium, String line, String note) {
    return cambium.state().signals().stream()
        .map(s -> s.received().fact())
        .anyMatch(s -> s.line().equals(line) && s.note().equals(note));
  }

  /** Something that may fail on files. */
  @FunctionalInterface
  private interface Preparation {
    void run() throws IOException;
  }

  /** Runs the campaign of a chapter, unless it has ended already. */
  private void campaign(
      Cambium cambium, String name, List<Chapter> chapters, Preparation preparation) {
    Optional<LedgerState.CampaignState> earlier = campaign(cambium, name);
    if (earlier.isPresent() && earlier.get().closed().isPresent()) {
      Recorded<Fact.CampaignClosed> closed = earlier.get().closed().orElseThrow();
      chapters.add(
          new Chapter(
              name,
              java.time.Duration.between(earlier.get().opened().time(), closed.time()).toMillis()
                  / 1e3,
              closed.fact().campaign(),
              closed.fact().outcome()));
      return;
    }
    narrator.accept(Character.toUpperCase(name.charAt(0)) + name.substring(1));
    long start = System.nanoTime();
    Cambium.RunReport report;
    try {
      preparation.run();
      report = cambium.run(Approver.ALWAYS, progress);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    for (Fact.LineSettled line : report.settlements()) {
      narrator.accept(
          String.format(
              "  %-15s %-9s %s",
              line.line(),
              line.settlement().name().toLowerCase(java.util.Locale.ROOT).replace('_', '-'),
              (line.version() == null ? "" : line.version() + "  ")
                  + (line.rung() == null
                      ? ""
                      : "by " + line.rung().name().toLowerCase(java.util.Locale.ROOT) + "  ")
                  + line.reason()));
    }
    chapters.add(
        new Chapter(name, (System.nanoTime() - start) / 1e9, report.campaign(), report.outcome()));
  }

  private static Optional<LedgerState.CampaignState> campaign(Cambium cambium, String name) {
    return cambium.state().signals().stream()
        .filter(s -> s.received().fact().note().equals(name))
        .findFirst()
        .flatMap(LedgerState.SignalState::campaign)
        .flatMap(id -> cambium.state().campaign(id));
  }

  /** Rolls back the deepest line that has somewhere to go back to, with what is built on it. */
  private List<Fact.ChannelMoved> rollBack(Cambium cambium, List<Chapter> chapters) {
    for (String line : List.of("cards", "payments", "base")) {
      List<Fact.ChannelMoved> history =
          cambium.state().channelHistory(line, Channel.STABLE).stream()
              .map(Recorded::fact)
              .toList();
      if (history.stream().anyMatch(m -> m.movement() == Fact.Movement.ROLLBACK)) {
        return history.stream().filter(m -> m.movement() == Fact.Movement.ROLLBACK).toList();
      }
      if (history.size() > 1) {
        return timed(
            "rollback",
            chapters,
            () -> {
              List<Fact.ChannelMoved> moves = cambium.rollback(line, true, ROLLED_BACK);
              moves.forEach(
                  m ->
                      narrator.accept(
                          "Rolled back " + m.line() + " from " + m.from() + " to " + m.to()));
              return moves;
            });
      }
    }
    narrator.accept("No line was ever released twice, so there is nothing to roll back");
    return List.of();
  }

  private WhyNode explain(Cambium cambium, List<Chapter> chapters) {
    return timed(
        "why",
        chapters,
        () -> cambium.why(cambium.state().channel("card-router", Channel.STABLE).orElseThrow()));
  }

  private Tampering.Found tamper(Path directory) throws IOException {
    narrator.accept("Tampering with a copy");
    Tampering.Found found = Tampering.of(directory, options.actor());
    narrator.accept("  " + found.what());
    found.findings().forEach(f -> narrator.accept("  verify: " + f));
    return found;
  }

  /** A piece of work that gives something. */
  @FunctionalInterface
  private interface Work<T> {
    T run() throws IOException;
  }

  private static <T> T timed(String name, List<Chapter> chapters, Work<T> work) {
    long start = System.nanoTime();
    T result;
    try {
      result = work.run();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    chapters.add(new Chapter(name, (System.nanoTime() - start) / 1e9, null, null));
    return Objects.requireNonNull(result);
  }
}
