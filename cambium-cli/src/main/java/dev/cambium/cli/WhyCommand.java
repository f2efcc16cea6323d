package dev.cambium.cli;

import dev.cambium.loop.Cambium;
import dev.cambium.loop.Target;
import dev.cambium.loop.explain.ItemOutcomes;
import dev.cambium.loop.explain.Reach;
import dev.cambium.loop.explain.WhyNode;
import dev.cambium.model.Channel;
import dev.cambium.model.Outcome;
import dev.cambium.model.VersionRef;
import dev.cambium.report.fleet.WhyPage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code cambium why}. */
@Command(
    name = "why",
    description = {
      "Explain where a version comes from and why it was released.",
      "What it was made from, by what action, from which data, what judged it, and who moved which"
          + " channel to it. Every line names the ledger record that says so.",
      "With --items, every item's outcome of every verdict on the version. With --html, one page"
          + " that stands alone: the tree, the verdicts with their items, also those on what the"
          + " version is built on, the rows learnt from, and who did what.",
      "For a line of which nothing is stable, what campaigns tried and how each left it. With"
          + " --reach, how many of all records some explanation names, and which none does."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium why banking@3",
      "  cambium why card-desk --json",
      "  cambium why banking@3 --items --capability card-intents",
      "  cambium why banking@3 --html why.html",
      "  cambium why --reach"
    })
final class WhyCommand extends Subcommand.OnEcosystem {

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "LINE[@N|@CHANNEL]",
      converter = Words.TargetWord.class,
      description = "The version.")
  private @Nullable Target target;

  /** Records without an explanation that are told one by one. */
  private static final int MISSING = 50;

  /** One of the other forms. */
  static final class Form {
    @Option(names = "--items", description = "Show every item's outcome of every verdict on it.")
    private boolean items;

    @Option(names = "--html", paramLabel = "FILE", description = "Write a page of its own.")
    private @Nullable Path html;

    @Option(
        names = "--reach",
        description = "Count the records that explanations of all versions and lines name.")
    private boolean reach;
  }

  @ArgGroup private @Nullable Form form;

  @Option(
      names = "--capability",
      paramLabel = "NAME",
      description = "With --items: only this capability's.")
  private @Nullable String capability;

  @Option(
      names = "--rows",
      paramLabel = "N",
      defaultValue = "200",
      description = "With --html: rows of each data set on the page (default: ${DEFAULT-VALUE}).")
  private int rows;

  @Override
  int on(Cambium cambium, Console console) throws IOException {
    boolean reach = form != null && form.reach;
    if (reach == (target != null)) {
      throw usage(reach ? "--reach is about all versions; name none" : "name a LINE or LINE@N");
    }
    if (reach) {
      return reach(cambium.reach(), console);
    }
    if (form == null && isUnreleased(cambium, Objects.requireNonNull(target))) {
      return tell(cambium.why(target.line()), console);
    }
    VersionRef version = cambium.resolve(Objects.requireNonNull(target));
    if (form != null && form.html != null) {
      return page(cambium, version, form.html, console);
    }
    if (form != null && form.items) {
      return items(cambium.outcomes(List.of(version)), console);
    }
    return tell(cambium.why(version), console);
  }

  /** Whether a line was named of which nothing is stable, but something is recorded. */
  private static boolean isUnreleased(Cambium cambium, Target target) {
    return target instanceof Target.AtChannel at
        && at.channel() == Channel.STABLE
        && cambium.state().channel(at.line(), Channel.STABLE).isEmpty()
        && !(cambium.state().versions(at.line()).isEmpty()
            && cambium.state().settlementsOf(at.line()).isEmpty());
  }

  private static int tell(WhyNode why, Console console) {
    if (console.json()) {
      console.json(why);
    } else {
      tree(why, "", "", console);
    }
    return ExitCode.DONE;
  }

  private static int reach(Reach reach, Console console) {
    if (console.json()) {
      console.json(reach);
      return ExitCode.DONE;
    }
    List<List<String>> table = new ArrayList<>();
    table.add(List.of("RECORDS OF", "ALL", "REACHED"));
    reach
        .byFact()
        .forEach(
            (fact, share) ->
                table.add(
                    List.of(fact, Long.toString(share.records()), Long.toString(share.reached()))));
    console.table(table);
    console.line(
        "%d of %s are named by an explanation (%.1f %%).",
        reach.reached(),
        Texts.count(reach.records(), "record"),
        reach.records() == 0 ? 100 : 100.0 * reach.reached() / reach.records());
    if (!reach.missing().isEmpty()) {
      console.line(
          "By none: %s%s",
          reach.missing().subList(0, Math.min(MISSING, reach.missing().size())),
          reach.missing().size() > MISSING ? " and more" : "");
    }
    return ExitCode.DONE;
  }

  private int page(Cambium cambium, VersionRef version, Path file, Console console)
      throws IOException {
    Files.writeString(file, new WhyPage(cambium, rows).of(version).html());
    if (console.json()) {
      console.json(Map.of("file", file.toAbsolutePath().toString()));
    } else {
      console.line("Written to %s.", file.toAbsolutePath());
    }
    return ExitCode.DONE;
  }

  private int items(List<ItemOutcomes.OfVerdict> verdicts, Console console) {
    List<Map<String, Object>> told = new ArrayList<>();
    for (ItemOutcomes.OfVerdict verdict : verdicts) {
      for (ItemOutcomes.OfCapability measured : verdict.capabilities()) {
        if (capability != null && !capability.equals(measured.capability())) {
          continue;
        }
        if (console.json()) {
          Map<String, Object> one = new LinkedHashMap<>();
          one.put("verdict", verdict.record());
          one.put("decision", verdict.verdict().decision());
          one.put("candidate", verdict.verdict().candidate());
          one.put("reference", verdict.verdict().reference());
          one.put("capability", measured.capability());
          one.put("suite", measured.suite());
          one.put("agrees", measured.agrees());
          one.put("items", measured.items());
          told.add(one);
        } else {
          items(verdict, measured, console);
        }
      }
    }
    if (console.json()) {
      console.json(told);
    }
    return ExitCode.DONE;
  }

  private static void items(
      ItemOutcomes.OfVerdict verdict, ItemOutcomes.OfCapability measured, Console console) {
    console.line(
        "%s: %s on %s%s, %s %s",
        console.tone(Console.Tone.STRONG, measured.capability()),
        verdict.verdict().decision(),
        verdict.verdict().candidate(),
        verdict.verdict().reference() == null ? "" : " against " + verdict.verdict().reference(),
        Texts.count(measured.items().size(), "item"),
        console.tone(Console.Tone.QUIET, "[record " + verdict.record() + "]"));
    List<List<String>> table = new ArrayList<>();
    table.add(List.of("ITEM", "RIGHT ANSWER", "BEFORE", "NOW", "ANSWERED", "RECORD"));
    for (ItemOutcomes.OfItem item : measured.items()) {
      table.add(
          List.of(
              item.item().id() + (item.leftOut() ? " (left out)" : ""),
              item.item().answer() == null ? "" : Texts.brief(item.item().answer(), 30),
              judgement(item.reference()),
              judgement(item.candidate()),
              item.candidate() == null ? "" : Texts.brief(item.candidate().output(), 40),
              item.candidateRecord() == null ? "" : item.candidateRecord().toString()));
    }
    console.table(table);
    if (!measured.agrees()) {
      console.remark("the recorded evaluations do not give the scores that the verdict names");
    }
  }

  private static String judgement(@Nullable Outcome outcome) {
    return outcome == null ? "" : outcome.judgement().name().toLowerCase(Locale.ROOT);
  }

  private static void tree(WhyNode node, String first, String rest, Console console) {
    console.line(
        "%s%s %s%s%s",
        first,
        console.tone(Console.Tone.QUIET, node.kind()),
        console.tone(Console.Tone.STRONG, node.label()),
        node.detail() == null ? "" : ": " + node.detail(),
        node.record() == null
            ? ""
            : console.tone(Console.Tone.QUIET, "  [record " + node.record() + "]"));
    List<WhyNode> because = node.because();
    for (int i = 0; i < because.size(); i++) {
      boolean last = i == because.size() - 1;
      tree(because.get(i), rest + (last ? "└─ " : "├─ "), rest + (last ? "   " : "│  "), console);
    }
  }
}
