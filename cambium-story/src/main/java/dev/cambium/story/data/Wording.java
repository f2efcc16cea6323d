package dev.cambium.story.data;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

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

  /** The sentence between an opener and a closer, as people write. */
  Wording framed(Chance chance, boolean test) {
    String opener = chance.pick(test ? Phrases.TEST_OPENERS : Phrases.TRAIN_OPENERS);
    String closer = chance.pick(test ? Phrases.TEST_CLOSERS : Phrases.TRAIN_CLOSERS);
    return new Wording(opener + text + closer, slots);
  }
}
