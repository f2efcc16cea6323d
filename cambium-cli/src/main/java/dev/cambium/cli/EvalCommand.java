package dev.cambium.cli;

import dev.cambium.loop.Cambium;
import dev.cambium.loop.Cambium.Evaluation;
import dev.cambium.loop.Target;
import dev.cambium.model.Item;
import dev.cambium.model.Judgement;
import dev.cambium.model.Outcome;
import dev.cambium.model.VersionRef;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code cambium eval}. */
@Command(
    name = "eval",
    description = {
      "Measure a version on the suites of its contract, or on one.",
      "Outcomes are remembered: what was measured before is not measured again."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium eval banking",
      "  cambium eval banking@3 --suite card-intents --failures 10",
      "  cambium eval banking@candidate --json"
    })
final class EvalCommand extends Subcommand.OnEcosystem {

  @Parameters(
      index = "0",
      paramLabel = "LINE[@N|@CHANNEL]",
      converter = Words.TargetWord.class,
      description = "The version.")
  private @Nullable Target target;

  @Option(
      names = "--suite",
      paramLabel = "CAPABILITY",
      description = "Only this capability's suite (may be given several times).")
  private List<String> suites = new ArrayList<>();

  @Option(
      names = "--failures",
      paramLabel = "N",
      defaultValue = "0",
      description = "Show the first N items of each suite that are not right.")
  private int failures;

  @Override
  int on(Cambium cambium, Console console) {
    VersionRef version = cambium.resolve(Objects.requireNonNull(target));
    List<String> wanted = suites.isEmpty() ? cambium.capabilities(version.line()) : suites;
    if (wanted.isEmpty()) {
      throw usage(
          "the contract of " + version.line() + " names no capability; name one with --suite");
    }
    List<Evaluation> evaluations = new ArrayList<>();
    for (String capability : wanted) {
      evaluations.add(cambium.evaluate(version, capability, console.progress()));
    }
    if (console.json()) {
      console.json(evaluations.stream().map(EvalCommand::told).toList());
      return ExitCode.DONE;
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("CAPABILITY", "SCORE", "RIGHT", "ITEMS", "UNDECIDABLE"));
    for (Evaluation evaluation : evaluations) {
      rows.add(
          List.of(
              evaluation.capability(),
              Texts.share(evaluation.score()),
              Integer.toString(evaluation.right()),
              Integer.toString(evaluation.items().size()),
              Long.toString(undecidable(evaluation))));
    }
    console.line("%s", console.tone(Console.Tone.STRONG, version.toString()));
    console.table(rows);
    for (Evaluation evaluation : evaluations) {
      failures(evaluation, console);
    }
    return ExitCode.DONE;
  }

  private static long undecidable(Evaluation evaluation) {
    return evaluation.outcomes().stream()
        .filter(o -> o.judgement() == Judgement.UNDECIDABLE)
        .count();
  }

  private static Map<String, Object> told(Evaluation evaluation) {
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("version", evaluation.version());
    told.put("capability", evaluation.capability());
    told.put("score", evaluation.score());
    told.put("right", evaluation.right());
    told.put("items", evaluation.items().size());
    told.put("undecidable", undecidable(evaluation));
    told.put("outcomes", evaluation.outcomes());
    return told;
  }

  private void failures(Evaluation evaluation, Console console) {
    int shown = 0;
    for (int i = 0; i < evaluation.outcomes().size() && shown < failures; i++) {
      Outcome outcome = evaluation.outcomes().get(i);
      if (outcome.judgement() != Judgement.RIGHT) {
        Item item = evaluation.items().get(i);
        String asked =
            item.text() != null
                ? item.text()
                : item.messages().get(item.messages().size() - 1).content();
        console.line(
            "%s %s '%s': wanted '%s', got '%s'",
            evaluation.capability(),
            item.id(),
            Texts.brief(asked, 60),
            Texts.brief(item.answer() == null ? "" : item.answer(), 30),
            Texts.brief(outcome.output(), 30));
        shown++;
      }
    }
  }
}
