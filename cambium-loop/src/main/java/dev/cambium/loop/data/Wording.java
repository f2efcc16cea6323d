package dev.cambium.loop.data;

import dev.cambium.model.Item;
import dev.cambium.model.Message;
import dev.cambium.model.Row;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What is left of a text when case, white space and punctuation are taken away: its words. Two
 * texts with the same words are the same question.
 *
 * <p>A word is a run of letters and digits after compatibility normalisation (Unicode NFKC) and
 * lower-casing; apostrophes inside it are dropped and a point between digits is kept. Characters of
 * scripts that are written without spaces are words by themselves.
 */
final class Wording {

  private Wording() {}

  /** The words of a text, in order. */
  static List<String> words(String text) {
    String plain =
        Normalizer.normalize(text, Normalizer.Form.NFKC).toLowerCase(java.util.Locale.ROOT);
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    for (int i = 0; i < plain.length(); ) {
      int c = plain.codePointAt(i);
      int next = i + Character.charCount(c);
      if (standsAlone(c)) {
        end(word, words);
        words.add(Character.toString(c));
      } else if (Character.isLetterOrDigit(c)
          || Character.getType(c) == Character.NON_SPACING_MARK) {
        word.appendCodePoint(c);
      } else if (!joins(c, word, plain, next)) {
        end(word, words);
      } else if (c == '.') {
        word.append('.');
      }
      i = next;
    }
    end(word, words);
    return words;
  }

  /** What a training row asks: the user's turns, or the whole of a plain text. */
  static List<String> asked(Row row) {
    return words(row.text() != null ? row.text() : userTurns(row.messages()));
  }

  /** What an item asks: the user's turns, or the whole of a plain text. */
  static List<String> asked(Item item) {
    return words(item.text() != null ? item.text() : userTurns(item.messages()));
  }

  private static String userTurns(List<Message> messages) {
    return messages.stream()
        .filter(m -> m.role().equals("user"))
        .map(Message::content)
        .collect(Collectors.joining("\n"));
  }

  /** An apostrophe within a word, a thousands separator or a decimal point within a number. */
  private static boolean joins(int c, StringBuilder word, String text, int next) {
    if (word.length() == 0 || next >= text.length()) {
      return false;
    }
    char before = word.charAt(word.length() - 1);
    char after = text.charAt(next);
    if (c == '\'' || c == '\u2019') {
      return Character.isLetter(before) && Character.isLetter(after);
    }
    return (c == '.' || c == ',') && Character.isDigit(before) && Character.isDigit(after);
  }

  private static void end(StringBuilder word, List<String> words) {
    if (word.length() > 0) {
      words.add(word.toString());
      word.setLength(0);
    }
  }

  private static boolean standsAlone(int c) {
    if (c < 0x0E00) {
      return false;
    }
    return switch (Character.UnicodeScript.of(c)) {
      case HAN, HIRAGANA, KATAKANA, THAI, LAO, KHMER, MYANMAR -> Character.isLetter(c);
      default -> false;
    };
  }
}
