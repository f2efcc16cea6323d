package dev.cambium.cli;

import dev.cambium.loop.Cambium;
import dev.cambium.loop.governor.Mode;
import dev.cambium.loop.plan.Plan;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code cambium plan}. */
@Command(
    name = "plan",
    description = {
      "Show what a run would do, and what it would cost.",
      "Lists the lines affected, in order, how each would be carried over, and where somebody has to"
          + " say yes.",
      "Changes nothing. While a campaign is open, shows its plan."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium plan",
      "  cambium plan --mode cards=repair --reason 'the last update took twice as long'",
      "  cambium plan --json | jq '.steps[].line'"
    })
final class PlanCommand extends Subcommand.OnEcosystem {

  @Mixin private Modes modes = new Modes();

  @Override
  int on(Cambium cambium, Console console) {
    SuiteCommand.remark(cambium, console);
    Plan plan = cambium.plan(modes.wishes(this));
    if (console.json()) {
      console.json(plan);
      return ExitCode.DONE;
    }
    cambium
        .state()
        .openCampaign()
        .ifPresent(
            open ->
                console.line(
                    "Campaign %s is open; cambium run goes on with it.",
                    open.opened().fact().campaign()));
    write(plan, console);
    return ExitCode.DONE;
  }

  static void write(Plan plan, Console console) {
    if (plan.steps().isEmpty()) {
      console.line("Nothing to do.");
      plan.waiting().forEach((line, why) -> console.line("Waiting: %s, %s", line, why));
      return;
    }
    if (!plan.signals().isEmpty()) {
      console.line("Answers %s.", String.join(", ", plan.signals()));
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("LINE", "TIER", "NOW", "CAUSE", "WAYS, IN ORDER", "COST", "", "WHY"));
    for (Plan.Step step : plan.steps()) {
      rows.add(
          List.of(
              step.line(),
              step.tier().label(),
              step.current() == null ? "-" : step.current().toString(),
              step.cause().name().toLowerCase(Locale.ROOT),
              step.adopt() != null
                  ? "judge " + step.adopt()
                  : step.update() != null
                      ? step.update().mode().label()
                      : step.rungs().stream()
                          .map(r -> r.name().toLowerCase(Locale.ROOT))
                          .collect(Collectors.joining(", ")),
              cost(step),
              step.approval() ? console.tone(Console.Tone.DOUBTFUL, "asks first") : "",
              step.why()));
    }
    console.table(rows);
    for (Plan.Step step : plan.steps()) {
      if (step.update() != null && step.update().mode() != Mode.PLAIN) {
        step.update().reasons().forEach(r -> console.line("%s: %s", step.line(), r));
      }
    }
    plan.waiting().forEach((line, why) -> console.line("Waiting: %s, %s", line, why));
    if (!plan.unaffected().isEmpty()) {
      console.line("Unaffected: %s.", String.join(", ", plan.unaffected()));
    }
    console.line(
        "About %s, %s at worst%s.",
        Texts.seconds(plan.seconds()),
        Texts.seconds(plan.worstSeconds()),
        plan.steps().stream().allMatch(Plan.Step::measured)
            ? ", from what earlier actions took"
            : "; lines marked ~ are guesses until something like them was measured");
  }

  private static String cost(Plan.Step step) {
    String least = Texts.seconds(step.seconds());
    String most = Texts.seconds(step.worstSeconds());
    return (step.measured() ? "" : "~") + (least.equals(most) ? least : least + " to " + most);
  }
}
