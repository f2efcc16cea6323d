package dev.cambium.story.data;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * A sentence made of a wording whose slots were filled.
 *
 * @param text the sentence
 * @param slots what stands in which slot, by the slot's letter
 */
record Wording(String text, Map<String, String> slots) {

  /** Fills every slot of a pattern at random. */
  static Wording fill(String pattern, Chance chance, List<String> products) {
    String text = pattern;
    Map<String, String> slots = new TreeMap<>();
    for (String slot : List.of("p", "w", "d", "n", "a")) {
      String mark = "{" + slot + "}";
      if (text.contains(mark)) {
        String value =
            switch (slot) {
              case "p" -> chance.pick(products);
              case "w" -> chance.pick(Phrases.PLACES);
              case "d" -> chance.pick(Phrases.DAYS);
              case "n" -> chance.pick(Phrases.NAMES);
              default -> String.valueOf(chance.between(2, 60));
            };
        text = text.replace(mark, value);
        slots.put(slot, value);
      }
    }
    return new Wording(text, slots);
  }

  /** Fills the slots with given values. */
  static Wording fill(String pattern, Map<String, String> slots) {
    String text = pattern;
    for (Map.Entry<String, String> slot : slots.entrySet()) {
      text = text.replace("{" + slot.getKey() + "}", slot.getValue());
    }
    return new Wording(text, slots);
  }

  private static final Set<String> SMALL_WORDS =
      Set.of(
          "i", "my", "the", "this", "is", "a", "and", "of", "it", "to", "do", "on", "for", "in",
          "was", "am", "with", "that", "has", "are");

  /** The sentence as {@link #hasty} people write it, at times with the day or the place ahead. */
  Wording roughened(Chance chance) {
    Wording rough = hasty(chance);
    if (slots.containsKey("w") || slots.containsKey("d") || !chance.oneIn(3)) {
      return rough;
    }
    String ahead =
        chance.oneIn(2) ? chance.pick(Phrases.PLACES) : "on " + chance.pick(Phrases.DAYS);
    return new Wording(ahead + " " + rough.text, slots);
  }

  /**
   * The sentence as hasty people write it: another determiner, small words left out. So a model
   * learns words and not whole patterns.
   */
  Wording hasty(Chance chance) {
    String rough = text;
    if (chance.oneIn(2)) {
      rough = rough.replaceFirst("\\b(my|the)\\b", chance.pick(List.of("my", "the", "this")));
    }
    if (chance.oneIn(3)) {
      StringBuilder kept = new StringBuilder();
      for (String word : rough.split(" ")) {
        if (!SMALL_WORDS.contains(word) || chance.oneIn(2)) {
          kept.append(kept.isEmpty() ? "" : " ").append(word);
        }
      }
      rough = kept.toString();
    }
    return new Wording(rough, slots);
  }

  /** Whether the sentence holds one of some patterns, whatever fills their slots. */
  boolean holdsAny(List<String> patterns) {
    return patterns.stream()
        .anyMatch(p -> Pattern.compile(p.replaceAll("\\{[a-z]}", ".+")).matcher(text).find());
  }

  /** The sentence between an opener and a closer, as people write. */
  Wording framed(Chance chance, boolean test) {
    String opener = chance.pick(test ? Phrases.TEST_OPENERS : Phrases.TRAIN_OPENERS);
    String closer = chance.pick(test ? Phrases.TEST_CLOSERS : Phrases.TRAIN_CLOSERS);
    return new Wording(opener + text + closer, slots);
  }
}
