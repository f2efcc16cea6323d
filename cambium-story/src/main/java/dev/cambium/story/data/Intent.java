package dev.cambium.story.data;

import java.util.List;

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

  /** The intent with the desk that takes it, as a router answers. */
  String route() {
    return label + " " + desk;
  }
}
