package dev.cambium.cli;

import dev.cambium.loop.Cambium;
import dev.cambium.loop.Cambium.FileChange;
import dev.cambium.loop.Target;
import dev.cambium.loop.gate.Verdict;
import dev.cambium.loop.headroom.Headroom;
import dev.cambium.model.Digest;
import dev.cambium.model.Fact;
import dev.cambium.model.VersionRef;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code cambium diff}. */
@Command(
    name = "diff",
    description = {
      "Show in what two versions differ: parents, training data, files and, where a gate compared"
          + " them, answers.",
      "Answers that a changed suite asks for are told apart from those that were lost."
    },
    footerHeading = "%nExamples:%n",
    footer = {"  cambium diff banking@2 banking@3", "  cambium diff banking banking@candidate"})
final class DiffCommand extends Subcommand.OnEcosystem {

  @Parameters(
      index = "0",
      paramLabel = "A",
      converter = Words.TargetWord.class,
      description = "The first: LINE, LINE@N or LINE@CHANNEL.")
  private @Nullable Target first;

  @Parameters(
      index = "1",
      paramLabel = "B",
      converter = Words.TargetWord.class,
      description = "The second.")
  private @Nullable Target second;

  @Override
  int on(Cambium cambium, Console console) {
    VersionRef a = cambium.resolve(Objects.requireNonNull(first));
    VersionRef b = cambium.resolve(Objects.requireNonNull(second));
    Fact.VersionRegistered before = cambium.version(a);
    Fact.VersionRegistered after = cambium.version(b);
    List<FileChange> files = cambium.diff(a, b);
    List<Digest> added = new ArrayList<>(after.data());
    added.removeAll(before.data());
    List<Digest> removed = new ArrayList<>(before.data());
    removed.removeAll(after.data());
    Optional<Headroom> headroomA = cambium.headroom(a);
    Optional<Headroom> headroomB = cambium.headroom(b);
    Optional<Verdict> compared = compared(cambium, a, b);
    boolean parents = !Objects.equals(before.parent(), after.parent());
    if (console.json()) {
      Map<String, Object> told = new LinkedHashMap<>();
      told.put("a", a);
      told.put("b", b);
      told.put("same", before.manifest().equals(after.manifest()));
      told.put("parent-a", before.parent());
      told.put("parent-b", after.parent());
      told.put("data-only-in-a", removed);
      told.put("data-only-in-b", added);
      told.put("headroom-a", headroomA.orElse(null));
      told.put("headroom-b", headroomB.orElse(null));
      told.put("files", files);
      compared.ifPresent(verdict -> told.put("verdict", verdict));
      console.json(told);
      return ExitCode.DONE;
    }
    if (before.manifest().equals(after.manifest())) {
      console.line("%s and %s are the same: %s", a, b, before.manifest());
      return ExitCode.DONE;
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("", a.toString(), b.toString()));
    rows.add(List.of("digest", before.manifest().brief(), after.manifest().brief()));
    if (parents) {
      rows.add(List.of("built on", text(before.parent()), text(after.parent())));
    }
    if (!added.isEmpty() || !removed.isEmpty()) {
      rows.add(List.of("training data only there", briefs(removed), briefs(added)));
    }
    if (headroomA.isPresent() || headroomB.isPresent()) {
      rows.add(List.of("headroom", text(headroomA), text(headroomB)));
    }
    for (FileChange file : files) {
      rows.add(List.of(file.path(), digest(file.before()), digest(file.after())));
    }
    console.table(rows);
    compared.ifPresent(verdict -> answers(verdict, console));
    return ExitCode.DONE;
  }

  /** The last verdict that compared the two. */
  private static Optional<Verdict> compared(Cambium cambium, VersionRef a, VersionRef b) {
    return cambium.state().verdicts(b).stream()
        .filter(verdict -> a.equals(verdict.fact().reference()))
        .reduce((first, last) -> last)
        .map(verdict -> cambium.evidence(verdict.fact().evidence()));
  }

  private static void answers(Verdict verdict, Console console) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("CAPABILITY", "", "ITEM", "WANTED", "BEFORE", "NOW"));
    for (Verdict.OfCapability capability : verdict.capabilities()) {
      for (Verdict.Flip flip : capability.flips().examples()) {
        rows.add(
            row(
                capability,
                console.tone(Console.Tone.BAD, "lost"),
                flip.item(),
                flip.answer(),
                flip.before(),
                flip.after()));
      }
      Verdict.Intended intended = capability.intended();
      if (intended != null) {
        for (Verdict.IntendedFlip flip : intended.examples()) {
          rows.add(
              row(
                  capability,
                  console.tone(Console.Tone.GOOD, "intended"),
                  flip.item(),
                  flip.answer(),
                  flip.before(),
                  flip.after()));
        }
      }
    }
    console.line("");
    console.line(
        "On the items that the gate looked at: %d lost, %d won, %d changed as a changed suite asks.",
        verdict.negativeFlips(),
        verdict.capabilities().stream().mapToInt(c -> c.flips().positive()).sum(),
        verdict.intendedFlips());
    if (rows.size() > 1) {
      console.table(rows);
    }
  }

  private static List<String> row(
      Verdict.OfCapability capability,
      String what,
      String item,
      @Nullable String wanted,
      String before,
      String after) {
    return List.of(
        capability.capability(),
        what,
        item,
        wanted == null ? "" : Texts.brief(wanted, 30),
        Texts.brief(before, 30),
        Texts.brief(after, 30));
  }

  private static String text(@Nullable VersionRef version) {
    return version == null ? "nothing" : version.toString();
  }

  private static String text(Optional<Headroom> headroom) {
    return headroom.map(h -> h.worse().toString()).orElse("not measured");
  }

  private static String digest(@Nullable Digest digest) {
    return digest == null ? "absent" : digest.brief();
  }

  private static String briefs(List<Digest> digests) {
    return digests.isEmpty()
        ? "none"
        : String.join(", ", digests.stream().map(Digest::brief).toList());
  }
}
