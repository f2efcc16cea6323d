package dev.cambium.story.data;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Random choices from a seed and a name, so that what one set draws does not depend on which sets
 * were made before it.
 */
final class Chance {

  private final SplittableRandom random;

  private Chance(SplittableRandom random) {
    this.random = random;
  }

  static Chance of(long seed, String name) {
    long hash = 0xcbf29ce484222325L; // FNV-1a
    for (int i = 0; i < name.length(); i++) {
      hash = (hash ^ name.charAt(i)) * 0x100000001b3L;
    }
    return new Chance(new SplittableRandom(seed * 0x9e3779b97f4a7c15L ^ hash));
  }

  /** A number in [0, bound). */
  int below(int bound) {
    return random.nextInt(bound);
  }

  /** A number from first to last, both possible. */
  int between(int first, int last) {
    return random.nextInt(first, last + 1);
  }

  boolean oneIn(int n) {
    return random.nextInt(n) == 0;
  }

  <T> T pick(List<T> from) {
    return from.get(random.nextInt(from.size()));
  }

  <T> List<T> shuffled(List<T> list) {
    List<T> result = new ArrayList<>(list);
    for (int i = result.size() - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      T swapped = result.get(i);
      result.set(i, result.get(j));
      result.set(j, swapped);
    }
    return result;
  }
}
