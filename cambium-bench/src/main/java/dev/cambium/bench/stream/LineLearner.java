package dev.cambium.bench.stream;

import dev.cambium.ledger.Recorded;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.data.RowFile;
import dev.cambium.loop.data.SuiteFile;
import dev.cambium.loop.explain.Decisions;
import dev.cambium.loop.governor.Choice;
import dev.cambium.model.Action;
import dev.cambium.model.Channel;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.Item;
import dev.cambium.model.Json;
import dev.cambium.model.Progress;
import dev.cambium.model.Row;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Cambium as its users have it: an ecosystem with a foundation and one line, whose contract grows
 * by what each update promises; each update is a signal and a campaign. What counts is the version
 * that is stable after the campaign, whatever the gates let pass. Where they held an update back,
 * its rows are signalled again with the next one.
 */
final class LineLearner implements Learner {

  private static final String LINE = "assistant";
  private static final VersionRef BASE = VersionRef.parse("base@1");

  /**
   * What the line is declared with.
   *
   * @param tier of the line; what is built on can only train all weights
   * @param head the recipes, one of them named {@code lesson}, the governor, and what else stands
   *     beside the capabilities and lines
   * @param margin of every capability
   * @param headroom of the contract, as in a declaration
   * @param general rows that no update teaches, learnt with the first and rehearsed like it
   */
  record Terms(Tier tier, String head, double margin, String headroom, List<Row> general) {
    Terms {
      general = List.copyOf(general);
    }
  }

  /** What came of a lesson. */
  private record Learnt(String version, String note) {}

  private final Stream stream;
  private final Terms terms;
  private final long seed;
  private final Path work;
  private final Path home;
  private final Cambium cambium;
  private final Progress progress;

  /** Makes or opens the ecosystem. */
  LineLearner(Path foundation, Stream stream, Terms terms, long seed, Path work, Progress progress)
      throws IOException {
    this.stream = stream;
    this.terms = terms;
    this.seed = seed;
    this.work = work;
    this.progress = progress;
    home = Files.createDirectories(work.resolve("ecosystem"));
    Files.createDirectories(home.resolve("suites"));
    if (Cambium.find(home).filter(home::equals).isEmpty()) {
      cambium = Cambium.create(home, declare(Map.of()), "bench", InstantSource.system());
    } else {
      cambium = Cambium.open(home, "bench", InstantSource.system());
    }
    if (cambium.state().versions("base").isEmpty()) {
      cambium.importVersion(foundation, "base", Tier.FOUNDATION, null, "the stream's foundation");
    }
    if (cambium.state().channel("base", Channel.STABLE).isEmpty()) {
      cambium.promote(BASE, Channel.STABLE, "a benchmark's foundation has no contract", progress);
    }
  }

  @Override
  public Pupil learn(int index) throws IOException {
    Path done = work.resolve(index + ".json");
    if (!Files.exists(done)) {
      Update update = stream.get(index);
      declare(update.suites());
      List<String> changed =
          cambium.suiteChanges().stream().map(change -> change.capability()).toList();
      if (!changed.isEmpty()) {
        cambium.approveSuites(changed, false, "what " + update.name() + " teaches holds now");
      }
      for (int pending : pending(index)) {
        signal(pending, update);
      }
      cambium.run(Approver.ALWAYS, progress);
      Path making = work.resolve(index + ".making");
      Files.write(making, Json.canonical(new Learnt(stable().toString(), note())));
      Files.move(making, done, StandardCopyOption.ATOMIC_MOVE);
    }
    Learnt learnt = Json.read(Files.readAllBytes(done), Learnt.class);
    Cambium.Runnable runnable = cambium.runnable(VersionRef.parse(learnt.version()));
    return new Pupil(runnable.model(), runnable.adapter(), learnt.note());
  }

  /** All trainings count, those of candidates that a gate refused among them. */
  @Override
  public long rowsRead() {
    return cambium.state().recentActions("train", Integer.MAX_VALUE).stream()
        .map(found -> found.fact().spec())
        .map(spec -> Json.read(cambium.store().bytes(spec), Action.class))
        .map(Action.Train.class::cast)
        .mapToLong(
            train ->
                (long) train.recipe().steps()
                    * train.recipe().batchRows()
                    * train.recipe().accumulation())
        .sum();
  }

  @Override
  public void close() {
    cambium.close();
  }

  private VersionRef stable() {
    return cambium.state().channel(LINE, Channel.STABLE).orElse(BASE);
  }

  /** Updates up to one whose rows the stable version has not learnt. */
  private List<Integer> pending(int index) {
    Set<Digest> seen = new HashSet<>(cambium.state().version(stable()).orElseThrow().fact().data());
    Set<String> learnt =
        signals().stream()
            .filter(signal -> seen.contains(signal.train()))
            .map(signal -> taught(signal.note()))
            .collect(Collectors.toSet());
    List<Integer> pending = new ArrayList<>();
    for (int i = 0; i <= index; i++) {
      if (!learnt.contains(stream.get(i).name())) {
        pending.add(i);
      }
    }
    return pending;
  }

  private void signal(int index, Update at) throws IOException {
    Update taught = stream.get(index);
    String note = taught.name() + (taught.equals(at) ? "" : ", again with " + at.name());
    if (signals().stream().noneMatch(signal -> signal.note().equals(note))) {
      Path rows = work.resolve(taught.name() + ".jsonl");
      List<Row> all = new ArrayList<>(taught.rows());
      if (index == 0) {
        all.addAll(terms.general());
      }
      Files.write(rows, RowFile.encode(all));
      cambium.signalData(rows, LINE, false, true, note);
    }
  }

  /** The notes of everything that was signalled, in order. */
  List<String> signalled() {
    return signals().stream().map(Fact.SignalReceived::note).toList();
  }

  private List<Fact.SignalReceived> signals() {
    return cambium.state().signals().stream().map(signal -> signal.received().fact()).toList();
  }

  private static String taught(String note) {
    return note.split(",", 2)[0];
  }

  /** How the last campaign went, and how the governor wanted it. */
  private String note() {
    List<Recorded<Fact.LineSettled>> settled = cambium.state().settlementsOf(LINE);
    Fact.LineSettled last = settled.get(settled.size() - 1).fact();
    String chosen =
        new Decisions(cambium.state(), cambium.store())
            .of(last.campaign(), LINE)
            .map(LineLearner::told)
            .orElse("the line's first version");
    return String.format(
        "%s (%s); %s", last.settlement().name().toLowerCase(Locale.ROOT), last.reason(), chosen);
  }

  private static String told(Choice choice) {
    return choice.mode().label() + " (" + String.join("; ", choice.reasons()) + ")";
  }

  /** Writes the declaration with the capabilities of some suites, and the suites. */
  private String declare(Map<String, List<Item>> suites) throws IOException {
    StringBuilder yaml =
        new StringBuilder(
            String.format(
                Locale.ROOT, "name: stream%npolicy: { seed: %d }%n%s", seed, terms.head()));
    yaml.append("capabilities:").append(suites.isEmpty() ? " {}\n" : "\n");
    for (Map.Entry<String, List<Item>> suite : suites.entrySet()) {
      String file = "suites/" + suite.getKey() + ".jsonl";
      Files.write(home.resolve(file), SuiteFile.encode(suite.getValue()));
      yaml.append(
          String.format(
              Locale.ROOT,
              "  %s: { owner: bench, suite: %s, scorer: exact-match, max-new-tokens: %d,"
                  + " margin: %s, floor: 0.3 }%n",
              suite.getKey(),
              file,
              StreamBenchmark.ANSWER_TOKENS,
              terms.margin()));
    }
    yaml.append(
        String.format(
            "lines:%n  base: { tier: foundation }%n  %s: { tier: %s, parent: base,"
                + " recipe: lesson, contract: { capabilities: [%s], headroom: %s } }%n",
            LINE, terms.tier().label(), String.join(", ", suites.keySet()), terms.headroom()));
    Files.writeString(home.resolve("ecosystem.yaml"), yaml);
    return yaml.toString();
  }
}
