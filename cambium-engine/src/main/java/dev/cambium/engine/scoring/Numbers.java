package dev.cambium.engine.scoring;

import dev.cambium.model.Item;
import dev.cambium.model.Judgement;
import java.math.BigDecimal;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Numbers in text. A comma counts only between groups of three digits; a minus sign only where it
 * does not stand between two operands.
 */
final class Numbers {

  private static final Pattern NUMBER =
      Pattern.compile(
          "(?<![0-9.])(?:((?<![\\p{L}\\p{N})\\]])[-+\\u2212])(?:[$\u20ac\u00a3]\\s?)?)?"
              + "([0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]{1,400})?"
              + "(\\.[0-9]{1,400})?"
              + "([eE][-+]?[0-9]{1,6}(?![0-9]))?");

  private Numbers() {}

  /** The last number of a text. */
  static Optional<BigDecimal> last(String text) {
    Optional<BigDecimal> last = Optional.empty();
    Matcher matcher = NUMBER.matcher(text);
    int at = 0;
    while (at <= text.length() && matcher.find(at)) {
      if (matcher.group(2) == null && matcher.group(3) == null) {
        at = matcher.start() + 1;
        continue;
      }
      last = Optional.of(value(matcher));
      at = matcher.end();
    }
    return last;
  }

  private static BigDecimal value(Matcher matcher) {
    StringBuilder plain = new StringBuilder();
    if (matcher.group(1) != null && !matcher.group(1).equals("+")) {
      plain.append('-');
    }
    plain.append(matcher.group(2) == null ? "0" : matcher.group(2).replace(",", ""));
    for (int group : new int[] {3, 4}) {
      if (matcher.group(group) != null) {
        plain.append(matcher.group(group));
      }
    }
    return new BigDecimal(plain.toString());
  }

  /** Whether the last number that the model wrote is the answer's last. */
  static Judgement judge(Item item, String output) {
    Optional<BigDecimal> expected = Optional.ofNullable(item.answer()).flatMap(Numbers::last);
    if (expected.isEmpty()) {
      return Judgement.UNDECIDABLE;
    }
    return AnswerJudge.of(last(output).filter(n -> n.compareTo(expected.get()) == 0).isPresent());
  }
}
