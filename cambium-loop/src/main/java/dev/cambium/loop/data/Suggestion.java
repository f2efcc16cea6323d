package dev.cambium.loop.data;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;

/** Finds what somebody may have meant by a name that does not exist. */
public final class Suggestion {

  private Suggestion() {}

  /**
   * Returns the known name nearest to the one given, if it is near enough to be a slip of the
   * fingers (at most a third of its letters changed, two neighbours swapped counting as one change)
   * or the only one that begins with it.
   */
  public static Optional<String> nearest(String given, Collection<String> known) {
    String best = null;
    int least = Math.max(1, Math.max(given.length(), 3) / 3) + 1;
    for (String name : new TreeSet<>(known)) {
      int distance = distance(given.toLowerCase(Locale.ROOT).replace('_', '-'), name);
      if (distance < least) {
        least = distance;
        best = name;
      }
    }
    if (best == null && given.length() >= 3) {
      List<String> longer = known.stream().filter(name -> name.startsWith(given)).toList();
      best = longer.size() == 1 ? longer.get(0) : null;
    }
    return Optional.ofNullable(best);
  }

  /**
   * The end of a message about an unknown name: the nearest known one, or else all of them.
   *
   * @param what plural, such as {@code fields}
   */
  public static String among(String given, Collection<String> known, String what) {
    return nearest(given, known)
        .map(name -> "; did you mean '" + name + "'?")
        .orElseGet(
            () ->
                known.isEmpty()
                    ? "; there are no " + what
                    : "; the " + what + " are " + String.join(", ", known));
  }

  /** Optimal string alignment distance (Damerau, 1964). */
  static int distance(String a, String b) {
    int[][] d = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      d[i][0] = i;
    }
    for (int j = 0; j <= b.length(); j++) {
      d[0][j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      for (int j = 1; j <= b.length(); j++) {
        int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
        d[i][j] = Math.min(Math.min(d[i - 1][j] + 1, d[i][j - 1] + 1), d[i - 1][j - 1] + change);
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
        }
      }
    }
    return d[a.length()][b.length()];
  }
}
