package dev.cambium.engine.training;

import dev.cambium.engine.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;

/**
 * One text cut in two ways, as spans that begin and end at the same characters: the shortest there
 * are. Tokens that end within a character take the span on to where both have whole characters.
 */
final class Spans {

  /**
   * Tokens {@code from} to {@code to} of the one, {@code otherFrom} to {@code otherTo} of the
   * other.
   */
  record Span(int from, int to, int otherFrom, int otherTo) {
    boolean isOneToOne() {
      return to - from == 1 && otherTo - otherFrom == 1;
    }
  }

  private Spans() {}

  /** Spans of two lists of ids that stand for the same text; what cannot be matched is left out. */
  static List<Span> of(Tokenizer one, int[] tokens, Tokenizer other, int[] otherTokens) {
    TreeMap<Integer, Integer> ends = ends(one, tokens);
    TreeMap<Integer, Integer> otherEnds = ends(other, otherTokens);
    List<Span> spans = new ArrayList<>();
    int from = 0;
    int otherFrom = 0;
    for (var end : ends.entrySet()) {
      Integer there = otherEnds.get(end.getKey());
      if (there != null && end.getValue() > from && there > otherFrom) {
        spans.add(new Span(from, end.getValue(), otherFrom, there));
        from = end.getValue();
        otherFrom = there;
      }
    }
    return spans;
  }

  /** Number of tokens read by number of characters, where these are whole. */
  private static TreeMap<Integer, Integer> ends(Tokenizer tokenizer, int[] tokens) {
    TreeMap<Integer, Integer> ends = new TreeMap<>();
    for (int count = 1; count <= tokens.length; count++) {
      String text = tokenizer.decode(Arrays.copyOf(tokens, count), false);
      if (!text.endsWith("\uFFFD")) {
        ends.put(text.length(), count);
      }
    }
    return ends;
  }
}
