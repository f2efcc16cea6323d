package dev.cambium.cli;

import dev.cambium.loop.gate.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A verdict for a person: the decision, what it rests on, and what broke. */
final class VerdictText {

  private static final int EXAMPLES = 3;

  private VerdictText() {}

  static void write(Verdict verdict, Console console) {
    console.line("");
    console.line(
        "%s %s%s: %s",
        console.decision(verdict.decision()),
        console.tone(Console.Tone.STRONG, verdict.candidate().toString()),
        verdict.reference() == null ? "" : " against " + verdict.reference(),
        verdict.reason());
    if (!verdict.capabilities().isEmpty()) {
      List<List<String>> rows = new ArrayList<>();
      rows.add(
          List.of(
              "  CAPABILITY",
              "",
              "SCORE",
              "BEFORE",
              "ITEMS",
              "FLIPS -",
              "FLIPS +",
              "INTENDED",
              "WHY"));
      for (Verdict.OfCapability c : verdict.capabilities()) {
        rows.add(
            List.of(
                "  " + c.capability(),
                console.decision(c.decision()),
                Texts.share(c.candidateScore()),
                c.referenceScore() == null ? "-" : Texts.share(c.referenceScore()),
                c.items() + " of " + c.total(),
                Integer.toString(c.flips().negative()),
                Integer.toString(c.flips().positive()),
                c.intended() == null ? "-" : Integer.toString(c.intended().flips()),
                c.reason()));
      }
      console.table(rows);
    }
    for (Verdict.OfBudget budget : verdict.budgets()) {
      console.line(
          "  %s %s: %.4g, at most %.4g",
          console.decision(budget.decision()), budget.budget(), budget.found(), budget.limit());
    }
    Verdict.OfHeadroom headroom = verdict.headroom();
    if (headroom != null) {
      console.line("  %s %s", console.decision(headroom.decision()), headroom.reason());
      if (headroom.measured() != null) {
        console.line("    %s", headroom.measured().summary());
      }
    }
    verdict.capabilities().forEach(c -> broken(c, console));
  }

  private static void broken(Verdict.OfCapability capability, Console console) {
    for (Verdict.OfSlice slice : capability.slices()) {
      if (slice.collapsed()) {
        console.line(
            "  %s slice %s=%s: %.3f, before %.3f, over %s (p = %.2g)",
            console.tone(Console.Tone.BAD, "collapsed"),
            slice.tag(),
            slice.value(),
            slice.candidateScore(),
            slice.referenceScore(),
            Texts.count(slice.items(), "item"),
            slice.pValue());
      }
    }
    for (String common : capability.flips().inCommon()) {
      console.line("  the negative flips have in common: %s", common);
    }
    if (capability.decision() != dev.cambium.model.Decision.PASS) {
      for (Verdict.Flip flip :
          capability
              .flips()
              .examples()
              .subList(0, Math.min(EXAMPLES, capability.flips().examples().size()))) {
        console.line(
            "  %s '%s': wanted '%s', before '%s', now '%s'",
            flip.item(),
            Texts.brief(flip.input(), 60),
            Texts.brief(flip.answer() == null ? "" : flip.answer(), 30),
            Texts.brief(flip.before(), 30),
            Texts.brief(flip.after(), 30));
      }
    }
    if (capability.intended() != null) {
      intended(capability.capability(), capability.intended(), console);
    }
    if (!capability.contaminated().isEmpty()) {
      console.line(
          "  %s left out, because training data or a prompt's examples contained them: %s",
          Texts.count(capability.contaminated().size(), "item"),
          Texts.brief(String.join(", ", capability.contaminated()), 80));
    }
    if (!capability.searched().isEmpty()) {
      console.line(
          "  %s left out, because a prompt was chosen by them: %s",
          Texts.count(capability.searched().size(), "item"),
          Texts.brief(String.join(", ", capability.searched()), 80));
    }
    if (capability.undecidable() > 0) {
      console.line(
          String.format(
              Locale.ROOT,
              "  %s could not be judged",
              Texts.count(capability.undecidable(), "item")));
    }
    if (capability.moreItems() != null) {
      console.line(
          "  about %d more items of %s would decide",
          capability.moreItems(), capability.capability());
    }
  }

  /** What a change of the suite asks for, apart from what went wrong. */
  private static void intended(String capability, Verdict.Intended intended, Console console) {
    console.line(
        "  the suite of %s has changed (%s): compared on %d items that still hold, %d of %d others"
            + " right",
        capability, intended.change(), intended.compared(), intended.right(), intended.judged());
    for (Verdict.Approval approval : intended.approvals()) {
      console.line(
          "  approved by %s: %s %s",
          approval.actor(),
          approval.reason(),
          console.tone(Console.Tone.QUIET, "[record " + approval.record() + "]"));
    }
    flips("intended", Console.Tone.GOOD, intended.examples(), console);
    flips("not known yet", Console.Tone.DOUBTFUL, intended.missed(), console);
  }

  private static void flips(
      String what, Console.Tone tone, List<Verdict.IntendedFlip> flips, Console console) {
    for (Verdict.IntendedFlip flip : flips.subList(0, Math.min(EXAMPLES, flips.size()))) {
      console.line(
          "  %s %s '%s': %s'%s' is wanted, before '%s', now '%s'",
          console.tone(tone, what),
          flip.item(),
          Texts.brief(flip.input(), 60),
          flip.former() == null ? "" : "'" + Texts.brief(flip.former(), 30) + "' was wanted, ",
          Texts.brief(flip.answer() == null ? "" : flip.answer(), 30),
          Texts.brief(flip.before(), 30),
          Texts.brief(flip.after(), 30));
    }
  }
}
