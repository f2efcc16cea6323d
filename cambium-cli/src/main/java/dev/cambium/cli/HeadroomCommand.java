package dev.cambium.cli;

import dev.cambium.loop.Cambium;
import dev.cambium.loop.explain.LineHistory;
import dev.cambium.loop.headroom.Headroom;
import dev.cambium.report.fleet.HeadroomPage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code cambium headroom}. */
@Command(
    name = "headroom",
    description = {
      "Show how well the versions of a line still learn.",
      "Each candidate of a line whose contract asks for headroom learns a few tasks that it never"
          + " saw, and so does its foundation. 1 is as well as the foundation, less is worse; the"
          + " worse of two measures counts: steps to a loss, and area under the loss curve. Runs"
          + " that never reached that loss are censored: they count as all the steps there were."
    },
    footerHeading = "%nExamples:%n",
    footer = {"  cambium headroom cards", "  cambium headroom cards --html headroom.html"})
final class HeadroomCommand extends Subcommand.OnEcosystem {

  @Parameters(index = "0", paramLabel = "LINE", description = "The line.")
  private @Nullable String line;

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Write a page of its own, with pictures.")
  private @Nullable Path html;

  @Override
  int on(Cambium cambium, Console console) throws IOException {
    LineHistory history = cambium.history(Objects.requireNonNull(line));
    if (html != null) {
      Files.writeString(html, HeadroomPage.of(history).html());
      if (console.json()) {
        console.json(Map.of("file", html.toAbsolutePath().toString()));
      } else {
        console.line("Written to %s.", html.toAbsolutePath());
      }
      return ExitCode.DONE;
    }
    if (console.json()) {
      console.json(history);
      return ExitCode.DONE;
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of(
            "VERSION",
            "JUDGED",
            "HEADROOM",
            "FROM",
            "TO",
            "FLOOR",
            "STEPS",
            "AREA",
            "CENSORED",
            "DIVERGED",
            "COST",
            "FOUNDATION"));
    for (LineHistory.OfVersion version : history.versions()) {
      rows.add(row(version, console));
    }
    console.table(rows);
    if (history.versions().stream().allMatch(v -> v.measured().isEmpty())) {
      console.line(
          "Nothing was measured: write headroom: {} into the contract of %s in ecosystem.yaml.",
          history.line());
    }
    return ExitCode.DONE;
  }

  private static List<String> row(LineHistory.OfVersion version, Console console) {
    String name = version.version().toString();
    List<String> cells = new ArrayList<>();
    cells.add(version.released() ? console.tone(Console.Tone.STRONG, name) : name);
    cells.add(version.decision() == null ? "-" : console.decision(version.decision()));
    Optional<Headroom> found = version.measured();
    if (found.isEmpty()) {
      cells.addAll(java.util.Collections.nCopies(10, "-"));
      return cells;
    }
    Headroom headroom = found.get();
    cells.add(number(headroom.point()));
    cells.add(number(headroom.lower()));
    cells.add(number(headroom.upper()));
    cells.add(number(Objects.requireNonNull(version.headroom()).floor()));
    cells.add(number(headroom.steps().point()));
    cells.add(headroom.area() == null ? "-" : number(headroom.area().point()));
    cells.add(headroom.censored() + " of " + headroom.runs());
    cells.add(headroom.diverged() + " of " + headroom.runs());
    Double share = headroom.costShare();
    cells.add(share == null ? "-" : String.format(Locale.ROOT, "%.1f %%", 100 * share));
    cells.add(headroom.foundation().toString());
    return cells;
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }
}
