package dev.cambium.cli;

import dev.cambium.loop.Cambium;
import dev.cambium.loop.SuiteChange;
import dev.cambium.model.Item;
import dev.cambium.model.Message;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code cambium suite}. */
@Command(
    name = "suite",
    subcommands = SuiteCommand.Approve.class,
    description = {
      "Show which suites were changed and are not in force yet.",
      "Once something was released by a suite, a change of its file waits for approval: until then"
          + " gates go on with the suite as it was. With a name, every item that differs."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  cambium suite",
      "  cambium suite card-rules",
      "  cambium suite approve card-rules --reason 'the fee is 7 since July'"
    })
final class SuiteCommand extends Subcommand.OnEcosystem {

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "CAPABILITY",
      description = "Whose suite (default: all).")
  private @Nullable String capability;

  @Override
  int on(Cambium cambium, Console console) {
    if (capability != null) {
      cambium.declare().capability(capability);
    }
    List<SuiteChange> changes =
        cambium.suiteChanges().stream()
            .filter(change -> capability == null || change.capability().equals(capability))
            .toList();
    if (console.json()) {
      console.json(changes.stream().map(SuiteCommand::told).toList());
      return ExitCode.DONE;
    }
    if (changes.isEmpty()) {
      console.line(
          capability == null
              ? "Every suite is in force as it is written."
              : "The suite of %s is in force as it is written.",
          capability);
      return ExitCode.DONE;
    }
    if (capability == null) {
      List<List<String>> rows = new ArrayList<>();
      rows.add(List.of("CAPABILITY", "FILE", "CHANGED, NOT IN FORCE"));
      changes.forEach(c -> rows.add(List.of(c.capability(), c.file(), c.summary())));
      console.table(rows);
    } else {
      changes.forEach(change -> items(change, console));
    }
    console.line("");
    console.line(
        "cambium suite approve %s --reason TEXT brings %s into force.",
        String.join(" ", changes.stream().map(SuiteChange::capability).toList()),
        changes.size() == 1 ? "it" : "them");
    return ExitCode.DONE;
  }

  private static void items(SuiteChange change, Console console) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("ITEM", "", "ASKED", "RIGHT UNTIL NOW", "RIGHT FROM NOW ON"));
    for (SuiteChange.OfItem item : change.items()) {
      Item asked = item.after() != null ? item.after() : item.before();
      rows.add(
          List.of(
              item.item(),
              item.after() == null ? "retired" : item.before() == null ? "added" : "replaced",
              asked == null ? "" : Texts.brief(question(asked), 60),
              answer(item.before()),
              answer(item.after())));
    }
    console.table(rows);
  }

  private static String question(Item item) {
    if (item.text() != null) {
      return item.text();
    }
    List<Message> messages = item.messages();
    return messages.get(messages.size() - 1).content();
  }

  private static String answer(@Nullable Item item) {
    return item == null || item.answer() == null ? "-" : Texts.brief(item.answer(), 30);
  }

  private static Map<String, Object> told(SuiteChange change) {
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("capability", change.capability());
    told.put("file", change.file());
    told.put("in-force", change.inForce().digest());
    told.put("written", change.written().digest());
    told.put("items", change.items());
    return told;
  }

  /** {@code cambium suite approve}. */
  @Command(
      name = "approve",
      description = {
        "Approve that suites were changed: what they ask for now is intended.",
        "A candidate is compared with what was released before on the items that still hold. Those"
            + " with another answer, and new ones, it must have right; they are no regressions.",
        "Who approved it, and why, is recorded and named by every verdict that rests on it."
      },
      footerHeading = "%nExamples:%n",
      footer = {
        "  cambium suite approve card-rules --reason 'the fee is 7 since July'",
        "  cambium suite approve card-intents --comparable --reason 'more of the same, to be sure'"
      })
  static final class Approve extends Subcommand.OnEcosystem {

    @Parameters(arity = "0..*", paramLabel = "CAPABILITY", description = "Whose suites.")
    private List<String> capabilities = new ArrayList<>();

    @Option(names = "--all", description = "Every suite that was changed.")
    private boolean all;

    @Option(
        names = "--comparable",
        description =
            "The added items ask for nothing new, so compare versions on them, too. This is how to"
                + " grow a suite that is too small to decide.")
    private boolean comparable;

    @Option(
        names = "--reason",
        required = true,
        paramLabel = "TEXT",
        description = "Why, for the record.")
    private String reason = "";

    @Override
    int on(Cambium cambium, Console console) {
      if (all == !capabilities.isEmpty()) {
        throw usage("name capabilities, or --all");
      }
      List<String> chosen =
          all
              ? cambium.suiteChanges().stream().map(SuiteChange::capability).toList()
              : capabilities;
      List<SuiteChange> approved = cambium.approveSuites(chosen, comparable, reason);
      if (console.json()) {
        console.json(approved.stream().map(SuiteCommand::told).toList());
        return ExitCode.DONE;
      }
      if (approved.isEmpty()) {
        console.line("Nothing to approve: these suites are in force as they are written.");
      }
      for (SuiteChange change : approved) {
        console.line(
            "%s is in force as it is written: %s.",
            console.tone(Console.Tone.STRONG, change.capability()), change.summary());
      }
      return ExitCode.DONE;
    }
  }

  /** Says on the side which suites are not in force as they are written. */
  static void remark(Cambium cambium, Console console) {
    if (cambium.state().ecosystem().map(now -> now.fact().pending().isEmpty()).orElse(false)) {
      return;
    }
    for (SuiteChange change : cambium.suiteChanges()) {
      console.remark(
          change.file()
              + " was changed ("
              + change.summary()
              + ") and nobody has approved that: gates go on with it as it was; see cambium suite "
              + change.capability());
    }
  }
}
