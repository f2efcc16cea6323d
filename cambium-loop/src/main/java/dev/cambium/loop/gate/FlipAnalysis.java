package dev.cambium.loop.gate;

import dev.cambium.model.Item;
import dev.cambium.model.Judgement;
import dev.cambium.model.Message;
import dev.cambium.model.Outcome;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Finds the items that flipped, and what the broken ones have in common. */
final class FlipAnalysis {

  /** A trait is worth naming from this share of the flips on … */
  private static final double COMMON_SHARE = 0.5;

  /** … and only if it is this many times as frequent among them as among the other items. */
  private static final double COMMON_LIFT = 2.0;

  /** Fewer flips than this show nothing in common. */
  private static final int COMMON_FLIPS = 3;

  private static final int EXAMPLES = 50;
  private static final int TRAITS = 6;
  private static final int INPUT_CHARS = 400;

  private FlipAnalysis() {}

  /** Items, before and after run in parallel. */
  static Verdict.Flips of(List<Item> items, List<Outcome> before, List<Outcome> after) {
    List<Integer> negative = new ArrayList<>();
    int positive = 0;
    for (int i = 0; i < items.size(); i++) {
      boolean wasRight = before.get(i).judgement() == Judgement.RIGHT;
      boolean isRight = after.get(i).judgement() == Judgement.RIGHT;
      if (wasRight && !isRight) {
        negative.add(i);
      } else if (!wasRight && isRight) {
        positive++;
      }
    }
    List<Verdict.Flip> examples =
        negative.stream()
            .limit(EXAMPLES)
            .map(
                i ->
                    new Verdict.Flip(
                        items.get(i).id(),
                        input(items.get(i)),
                        items.get(i).answer(),
                        before.get(i).output(),
                        after.get(i).output(),
                        items.get(i).tags()))
            .toList();
    return new Verdict.Flips(negative.size(), positive, examples, inCommon(items, after, negative));
  }

  /**
   * Items that a changed suite asks otherwise, before and after run in parallel.
   *
   * @param right whether those that the candidate has right and the reference not, or those that
   *     the candidate has not right
   */
  static List<Verdict.IntendedFlip> intended(
      Revision revision,
      List<Item> items,
      List<Outcome> before,
      List<Outcome> after,
      boolean right) {
    List<Verdict.IntendedFlip> found = new ArrayList<>();
    for (int i = 0; i < items.size() && found.size() < EXAMPLES; i++) {
      boolean isRight = after.get(i).judgement() == Judgement.RIGHT;
      boolean wasRight = before.get(i).judgement() == Judgement.RIGHT;
      if (right ? isRight && !wasRight : !isRight) {
        Item item = items.get(i);
        Item was = revision.replaced().get(item.id());
        found.add(
            new Verdict.IntendedFlip(
                item.id(),
                input(item),
                was == null ? null : was.answer(),
                item.answer(),
                before.get(i).output(),
                after.get(i).output()));
      }
    }
    return found;
  }

  private static String input(Item item) {
    String text = item.text();
    if (text == null) {
      List<Message> messages = item.messages();
      text = messages.get(messages.size() - 1).content();
    }
    return text.length() <= INPUT_CHARS ? text : text.substring(0, INPUT_CHARS) + "…";
  }

  private static List<String> inCommon(
      List<Item> items, List<Outcome> after, List<Integer> negative) {
    if (negative.size() < COMMON_FLIPS) {
      return List.of(); // a few items always have something in common
    }
    Set<Integer> flipped = new HashSet<>(negative);
    Map<String, int[]> counts = new TreeMap<>(); // trait -> {among flips, among others}
    for (int i = 0; i < items.size(); i++) {
      for (String trait : traits(items.get(i), after.get(i))) {
        counts.computeIfAbsent(trait, t -> new int[2])[flipped.contains(i) ? 0 : 1]++;
      }
    }
    int others = items.size() - negative.size();
    record Found(String trait, int flips, int elsewhere, double lift) {}
    List<Found> found = new ArrayList<>();
    counts.forEach(
        (trait, n) -> {
          double share = n[0] / (double) negative.size();
          double elsewhere = (n[1] + 0.5) / (others + 1.0); // shrunk: a rare trait is no proof
          if (n[0] >= COMMON_FLIPS && share >= COMMON_SHARE && share / elsewhere >= COMMON_LIFT) {
            found.add(new Found(trait, n[0], n[1], share / elsewhere));
          }
        });
    found.sort(
        Comparator.comparingInt((Found f) -> -f.flips)
            .thenComparingDouble(f -> -f.lift)
            .thenComparing(Found::trait));
    return found.stream()
        .limit(TRAITS)
        .map(
            f ->
                String.format(
                    Locale.ROOT,
                    "%s: %d of %d flips, %d of %d other items",
                    f.trait,
                    f.flips,
                    negative.size(),
                    f.elsewhere,
                    others))
        .toList();
  }

  private static Set<String> traits(Item item, Outcome after) {
    Set<String> traits = new HashSet<>();
    item.tags().forEach((tag, value) -> traits.add(tag + " = " + value));
    if (item.answer() != null) {
      traits.add("answer should be '" + brief(item.answer()) + "'");
    }
    traits.add("now answers '" + brief(after.output()) + "'");
    if (after.judgement() == Judgement.UNDECIDABLE) {
      traits.add("cannot be judged");
    }
    for (String word : input(item).toLowerCase(Locale.ROOT).split("[^\\p{L}\\p{N}-]+")) {
      if (word.length() > 2) {
        traits.add("the word '" + word + "'");
      }
    }
    return traits;
  }

  private static String brief(@Nullable String text) {
    String line = text == null ? "" : text.strip().replaceAll("\\s+", " ");
    return line.length() <= 60 ? line : line.substring(0, 60) + "…";
  }
}
