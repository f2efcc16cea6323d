package dev.cambium.story.data;

import java.util.List;
import java.util.regex.Pattern;

/**
 * Something that customers want, and the ways they say it.
 *
 * @param label the intent's name, which a model answers
 * @param desk who takes care of it
 * @param train wordings that only training rows use
 * @param test wordings that only suite items use
 */
record Intent(String label, String desk, List<String> train, List<String> test) {

  Intent {
    train = List.copyOf(train);
    test = List.copyOf(test);
  }

  /** Whether a sentence holds one of the wordings that are kept for suites. */
  boolean isTestWording(String sentence) {
    return test.stream()
        .anyMatch(t -> Pattern.compile(t.replaceAll("\\{[a-z]}", ".+")).matcher(sentence).find());
  }
}
