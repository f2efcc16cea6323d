package dev.cambium.bench.upgrade;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.data.RowFile;
import dev.cambium.loop.data.SuiteFile;
import dev.cambium.model.Channel;
import dev.cambium.model.Decision;
import dev.cambium.model.Item;
import dev.cambium.model.Progress;
import dev.cambium.model.Scorer;
import dev.cambium.model.ScorerKind;
import dev.cambium.model.Tier;
import dev.cambium.model.VersionRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;

/**
 * A fleet to be founded: a foundation, recipes, and lines in the order parents first.
 *
 * @param name of its folder
 * @param recipes as in a declaration, each on a line of its own, indented by two spaces
 * @param text items that measure the foundation, by their likelihood
 * @param textMargin how much of it a new foundation may lose
 * @param subjects the lines below the foundation
 * @param maxNewTokens of an answer
 * @param margin of every capability
 */
record Ecosystem(
    String name,
    String recipes,
    List<Item> text,
    double textMargin,
    List<Subject> subjects,
    int maxNewTokens,
    double margin) {

  /** The foundation's line. */
  static final String BASE = "base";

  private static final String ACTOR = "bench";

  Ecosystem {
    text = List.copyOf(text);
    subjects = List.copyOf(subjects);
  }

  /** How every line's answers are scored: they are generated. */
  Scorer scorer() {
    return new Scorer(ScorerKind.EXACT_MATCH, maxNewTokens, null);
  }

  static Cambium open(Path directory) {
    return Cambium.open(directory, ACTOR, InstantSource.system());
  }

  /**
   * The founded fleet: every line trained and released. Made once; what was killed goes on.
   *
   * @param folder that it lies in
   * @param foundation model directory
   * @throws IllegalStateException if a line did not pass the floor of its contract
   */
  Path founded(Path folder, Path foundation, long seed) throws IOException {
    Path done = folder.resolve(name);
    if (Files.exists(done)) {
      return done;
    }
    Path making = folder.resolve(name + ".founding");
    if (Cambium.find(making).filter(making::equals).isEmpty()) {
      DirectoryTree.delete(making);
      String yaml = write(making, seed);
      Cambium.create(making, yaml, ACTOR, InstantSource.system()).close();
    }
    try (Cambium cambium = open(making)) {
      if (cambium.state().versions(BASE).isEmpty()) {
        cambium.importVersion(foundation, BASE, Tier.FOUNDATION, null, "pre-trained");
      }
      if (cambium.state().channel(BASE, Channel.STABLE).isEmpty()
          && cambium
                  .promote(new VersionRef(BASE, 1), Channel.STABLE, null, Progress.NONE)
                  .decision()
              != Decision.PASS) {
        throw new IllegalStateException("the foundation did not pass its floor");
      }
      for (Subject subject : subjects) {
        boolean signalled =
            cambium.state().signals().stream()
                .anyMatch(s -> s.received().fact().line().equals(subject.line()));
        if (!subject.rows().isEmpty() && !signalled) {
          Path rows = making.resolve("data").resolve(subject.line() + ".jsonl");
          Files.createDirectories(rows.getParent());
          Files.write(rows, RowFile.encode(subject.rows()));
          cambium.signalData(rows, subject.line(), false, true, "founding");
        }
      }
      Cambium.RunReport report = cambium.run(Approver.ALWAYS, Progress.NONE);
      for (Subject subject : subjects) {
        if (cambium.state().channel(subject.line(), Channel.STABLE).isEmpty()) {
          throw new IllegalStateException(
              subject.line() + " was not released when the fleet was founded: " + report);
        }
      }
    }
    return Files.move(making, done, StandardCopyOption.ATOMIC_MOVE);
  }

  private String write(Path directory, long seed) throws IOException {
    Path suites = Files.createDirectories(directory.resolve("suites"));
    Path applications = Files.createDirectories(directory.resolve("apps"));
    StringBuilder yaml = new StringBuilder("name: upgrades\n");
    yaml.append(String.format(Locale.ROOT, "policy: { chunk: 50, seed: %d }%n", seed));
    yaml.append("recipes:\n").append(recipes).append("capabilities:\n");
    Files.write(suites.resolve("text.jsonl"), SuiteFile.encode(text));
    yaml.append("  text: { owner: bench, suite: suites/text.jsonl, scorer: byte-likelihood,");
    yaml.append(String.format(Locale.ROOT, " margin: %s, floor: 0.001 }%n", textMargin));
    for (Subject subject : subjects) {
      Files.write(suites.resolve(subject.line() + ".jsonl"), SuiteFile.encode(subject.gate()));
      yaml.append(
          String.format(
              Locale.ROOT,
              "  %s: { owner: bench, suite: suites/%s.jsonl, scorer: exact-match,"
                  + " max-new-tokens: %d, margin: %s, floor: 0.3 }%n",
              subject.line(),
              subject.line(),
              maxNewTokens,
              margin));
    }
    yaml.append("lines:\n  base: { tier: foundation, contract: { capabilities: [text] } }\n");
    for (Subject subject : subjects) {
      String how = "recipe: " + subject.recipe();
      if (subject.isApplication()) {
        how = "application: apps/" + subject.line() + ".yaml";
        Files.writeString(
            applications.resolve(subject.line() + ".yaml"),
            String.format(
                Locale.ROOT, "prompt: '%s'%nmax-new-tokens: %d%n", subject.prompt(), maxNewTokens));
      }
      yaml.append(
          String.format(
              "  %s: { tier: %s, parent: %s, %s,"
                  + " contract: { inherit: false, capabilities: [%s] } }%n",
              subject.line(), subject.tier().label(), subject.parent(), how, subject.line()));
    }
    Files.writeString(directory.resolve("ecosystem.yaml"), yaml);
    return yaml.toString();
  }
}
