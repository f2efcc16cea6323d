package dev.cambium.cli;

import dev.cambium.artifact.DirectoryTree;
import dev.cambium.artifact.hub.Hub;
import dev.cambium.artifact.hub.HubAddress;
import dev.cambium.artifact.huggingface.Problem;
import dev.cambium.ledger.Recorded;
import dev.cambium.loop.Cambium;
import dev.cambium.loop.Cambium.RunReport;
import dev.cambium.loop.campaign.Approver;
import dev.cambium.loop.declaration.Line;
import dev.cambium.loop.explain.Wave;
import dev.cambium.loop.plan.Plan;
import dev.cambium.model.Channel;
import dev.cambium.model.Fact;
import dev.cambium.model.VersionRef;
import dev.cambium.report.fleet.WavePage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code cambium upgrade}. */
@Command(
    name = "upgrade",
    description = {
      "Bring a new version of a base before its gate and carry every line below it over.",
      "Shows what would be tried, in which order and at what cost, and changes nothing; with --yes"
          + " it is done. Can be interrupted at any time; the same command goes on. Exit codes as"
          + " of cambium run."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium upgrade base --to ~/models/base-v2           the plan and its cost",
      "  cambium upgrade base --to ~/models/base-v2 --yes     all of it, with a report page",
      "  cambium upgrade base --to base@2 --yes               a version imported already",
      "  cambium release rollback base --cascade              and all of it back"
    })
final class UpgradeCommand extends Subcommand.OnEcosystem {

  private static final Pattern VERSION = Pattern.compile("[^/\\\\@]+@\\d+");

  @Parameters(index = "0", paramLabel = "LINE", description = "The line of the base.")
  private String line = "";

  @Option(
      names = "--to",
      required = true,
      paramLabel = "DIR|hf://OWNER/NAME[@REVISION]|LINE@N",
      description =
          "The new version: a model directory, a model of a hub, or what was imported already.")
  private String target = "";

  @Option(
      names = {"-y", "--yes"},
      description = "Do it, and approve every decision point.")
  private boolean yes;

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Where the report page goes (default: upgrade-CAMPAIGN.html here).")
  private @Nullable Path page;

  @Override
  int on(Cambium cambium, Console console) throws IOException {
    Line declared = cambium.declare().line(line);
    if (declared.parent() != null) {
      throw new IllegalArgumentException(
          line
              + " is built on "
              + declared.parent()
              + "; upgrade a line that nothing is under, or"
              + " import a version of it");
    }
    if (!yes) {
      return preview(cambium, console);
    }
    arrive(cambium, declared, console);
    RunReport report = cambium.run(Approver.ALWAYS, console.progress());
    String campaign = report.campaign();
    if (campaign == null) {
      if (console.json()) {
        console.json(Map.of());
      } else {
        console.line("Nothing to do: %s is what %s is already.", target, line);
      }
      return ExitCode.DONE;
    }
    Wave wave = cambium.wave(campaign);
    Path file = page == null ? Path.of("upgrade-" + campaign + ".html") : page;
    Files.writeString(file, new WavePage(cambium).of(wave).html());
    if (console.json()) {
      Map<String, Object> told = new LinkedHashMap<>();
      told.put("campaign", campaign);
      told.put("outcome", report.outcome());
      told.put("wave", wave);
      told.put("page", file.toString());
      console.json(told);
    } else {
      RunCommand.write(report, console);
      write(wave, console);
      console.line("%s shows all of it.", file);
      console.line("cambium release rollback %s --cascade takes all of it back.", line);
    }
    return ExitCode.of(report.outcome());
  }

  private int preview(Cambium cambium, Console console) {
    Plan plan = cambium.planUpgrade(arriving(cambium));
    if (console.json()) {
      console.json(plan);
      return ExitCode.DONE;
    }
    PlanCommand.write(plan, console);
    Double expected = plan.expectedSeconds();
    if (expected != null) {
      console.line(
          "Expected, as often as these ways have passed here so far: %s.", Texts.seconds(expected));
    }
    console.line("Nothing was changed. With --yes it is done.");
    return ExitCode.DONE;
  }

  /** The version that would arrive: one that is there, or the line's next. */
  private VersionRef arriving(Cambium cambium) {
    if (VERSION.matcher(target).matches()) {
      VersionRef version = VersionRef.parse(target);
      cambium.version(version);
      return version;
    }
    if (!HubAddress.isOne(target) && !Files.isDirectory(Path.of(target))) {
      throw new IllegalArgumentException(
          target + " is neither a directory nor a version; cambium show " + line + " lists them");
    }
    return new VersionRef(line, cambium.state().nextVersionNumber(line));
  }

  /** Imports and signals what is not there yet; an interrupted upgrade goes on. */
  private void arrive(Cambium cambium, Line declared, Console console) throws IOException {
    if (cambium.state().openCampaign().isPresent()) {
      return;
    }
    String note = "upgrade to " + target;
    boolean signalled =
        cambium.state().openSignals().stream()
            .map(s -> s.received().fact())
            .anyMatch(s -> s.line().equals(line) && s.note().equals(note));
    if (signalled) {
      return;
    }
    VersionRef version =
        VERSION.matcher(target).matches()
            ? arriving(cambium)
            : imported(cambium, declared, console);
    if (!version.line().equals(line)) {
      throw new IllegalArgumentException(version + " is no version of " + line);
    }
    Optional<VersionRef> stable = cambium.state().channel(line, Channel.STABLE);
    if (stable.filter(version::equals).isEmpty()) {
      cambium.signalUpstream(version, note);
    }
  }

  private VersionRef imported(Cambium cambium, Line declared, Console console) throws IOException {
    List<Problem> warnings = new ArrayList<>();
    String remark = "imported for an upgrade from " + target;
    for (Recorded<Fact.VersionRegistered> known : cambium.state().versions(line)) {
      boolean untouched = cambium.state().verdicts(known.fact().version()).isEmpty();
      if (untouched && known.fact().note().equals(remark)) { // before an interruption
        return known.fact().version();
      }
    }
    VersionRef made;
    if (HubAddress.isOne(target)) {
      Path downloads = cambium.directory().resolve(Cambium.DOWNLOADS);
      Hub.Fetched files =
          Hub.of(System.getenv()).fetch(HubAddress.parse(target), downloads, console.progress());
      made =
          cambium.importVersion(
              files.directory(), line, declared.tier(), null, remark, warnings::add);
      DirectoryTree.delete(Objects.requireNonNull(files.directory().getParent()));
    } else {
      made =
          cambium.importVersion(
              Path.of(target), line, declared.tier(), null, remark, warnings::add);
    }
    warnings.forEach(
        w -> console.remark(console.tone(Console.Tone.DOUBTFUL, "warning") + " " + w.line()));
    return made;
  }

  private static void write(Wave wave, Console console) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("LINE", "WAY", "KEPT", "FLIPS", "TOOK", "RETRAINING"));
    for (Wave.OfLine one : wave.lines()) {
      Wave.Attempt released = one.released();
      Double kept = released == null ? null : released.kept();
      rows.add(
          List.of(
              one.line(),
              one.rung() == null ? "" : one.rung().label(),
              kept == null ? "" : Texts.share(kept),
              released == null ? "" : Integer.toString(released.negativeFlips()),
              Texts.seconds(one.attempts().stream().mapToDouble(Wave.Attempt::seconds).sum()),
              one.retraining() == null ? "" : Texts.seconds(one.retraining())));
    }
    console.table(rows);
    if (wave.retraining() > 0) {
      console.line(
          "Candidates took %s, %s of what retraining the carried lines takes%s.",
          Texts.seconds(wave.making()),
          Texts.share(wave.making() / wave.retraining()),
          wave.measured() ? "" : ", which is a guess");
    }
  }
}
